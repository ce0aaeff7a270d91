/* targets_add_list: a list of targets in text. What is taken can be counted, and positions and addresses lead
 * to each other; what is not taken is explained in one line. */
#include <string.h>

#include "fuzz.h"
#include "plan/targets.h"

/* Every name has two addresses. */
static int resolve(void *context, const char *name, struct addr *ret, size_t capacity, size_t *ret_count,
                   struct error *err)
{
    (void)context;
    (void)err;
    assert(capacity >= 2 && name[0] && strlen(name) <= TARGET_NAME_MAX);
    ret[0] = addr_v4(0xc6120001);
    addr_parse("2001:db8::1", &ret[1]);
    *ret_count = 2;
    return 0;
}

static void check_set(struct addr_set *set)
{
    if (addr_set_normalize(set))
        return;
    for (uint64_t step = 0; step < 64 && step < set->addr_count; step++) {
        uint64_t position = step * (set->addr_count / 64) + step;
        uint64_t found;
        if (position >= set->addr_count)
            break;
        struct addr addr = addr_set_at(set, position);
        assert(addr_set_find(set, &addr, &found) && found == position);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct target_resolver resolver = {.resolve = resolve, .prefer = ADDR_V6, .all = size & 1};
    /* "198-.45-.2-.81" alone is 3 million ranges: a second's work, but not under sanitizers. */
    struct targets targets = {.excluded = size & 2, .ranges_max = 1 << 16};
    struct error err = {0};
    char text[256];
    if (size >= sizeof text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';

    if (targets_add_list(&targets, text, &resolver, &err)) {
        assert(err.status && err.text[0]);
    } else {
        assert(targets.set.v4_count + targets.set.v6_count > 0);
        for (size_t i = 0; i < targets.name_count;
             i++) /* sorts, so the first are looked up in another order */
            assert(targets_name(&targets, &targets.names[i].addr));
    }
    check_set(&targets.set);
    targets_done(&targets);
    return 0;
}
