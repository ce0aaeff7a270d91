#include "store/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/siphash.h"

void digest_add(struct digest *digest, const void *bytes, size_t len)
{
    for (unsigned i = 0; i < 2; i++) {
        struct siphash_key key = {{digest->half[i], UINT64_C(0x9e3779b97f4a7c15) + i}};
        digest->half[i] = siphash(&key, bytes, len);
    }
}

void digest_add_text(struct digest *digest, const char *text)
{
    digest_add(digest, text, strlen(text) + 1);
}

static void add_number(struct digest *digest, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    digest_add_text(digest, text);
}

void digest_add_plan(struct digest *digest, const struct plan *plan)
{
    const struct addr_set *targets = &plan->targets;
    add_number(digest, plan->options.seed);
    add_number(digest, plan->options.in_order);
    add_number(digest, plan->options.shard_index);
    add_number(digest, plan->options.shard_count);
    for (size_t i = 0; i < targets->v4_count; i++) {
        add_number(digest, targets->v4[i].first);
        add_number(digest, targets->v4[i].last);
    }
    for (size_t i = 0; i < targets->v6_count; i++) {
        digest_add(digest, targets->v6[i].first, sizeof targets->v6[i].first);
        digest_add(digest, targets->v6[i].last, sizeof targets->v6[i].last);
    }
    for (unsigned protocol = 0; protocol < PORTS_PROTOCOL_COUNT; protocol++) {
        for (uint32_t word = 0; word < 65536 / 64; word++)
            add_number(digest, plan->ports.bits[protocol][word]);
    }
}

void digest_format(const struct digest *digest, char text[static DIGEST_TEXT_MAX])
{
    snprintf(text, DIGEST_TEXT_MAX, "%016" PRIx64 "%016" PRIx64, digest->half[0], digest->half[1]);
}
