/* Frames from a template are those that the technique itself would make. */
#include "netio/live/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "netio/live/frame.h"
#include "technique/tcp_probe.h"

static const struct link near = {.index = 3, .kind = LINK_ETHERNET, .up = true, .mac = {2, 0, 0, 0, 0, 1}};

static void fill(struct rand *rand, uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)rand_next(rand);
}

static struct addr random_addr(struct rand *rand, uint8_t family)
{
    struct addr addr = {.family = family};
    fill(rand, addr.bytes, addr_len(&addr));
    return addr;
}

/* One template, and a few frames from it. False when a frame differs from what the technique writes. */
static bool frames_are_alike(const struct technique *technique, struct rand *rand)
{
    uint8_t family = rand_next(rand) & 1 ? ADDR_V4 : ADDR_V6;
    struct probe probe = {.technique = technique, .src = random_addr(rand, family)};
    struct template template;
    assert_true(template_make(technique, &probe.src, &near, 55, &template));
    for (int i = 0; i < 8; i++) {
        uint8_t mac[6], frame[TEMPLATE_LEN_MAX];
        struct batch_slot slot;
        fill(rand, mac, sizeof mac);
        probe.dst = random_addr(rand, family);
        probe.source_port = (uint16_t)rand_next(rand);
        probe.port = (uint16_t)rand_next(rand);
        probe.number = (uint32_t)rand_next(rand);
        const struct template_fields fields = {
            .dst = probe.dst.bytes,
            .mac = mac,
            .source_port = probe.source_port,
            .port = probe.port,
            .number = probe.number,
        };
        template_write(&template, &fields, frame);
        assert_true(frame_write_probe(&slot, &near, mac, &probe, 55));
        if (slot.len != template.len || memcmp(frame, slot.data, slot.len) != 0)
            return false;
    }
    return true;
}

static void frames_are_those_that_the_technique_writes(void **state)
{
    (void)state;
    unsigned tried = 0;
    for (unsigned i = 0; i < technique_table_len; i++) {
        if (technique_table[i]->build != tcp_probe_build)
            continue;
        tried++;
        for (uint64_t seed = 1; seed <= 100; seed++) {
            struct rand rand = {.state = seed};
            if (!frames_are_alike(technique_table[i], &rand))
                fail_msg("%s, seed %ju", technique_table[i]->name, (uintmax_t)seed);
        }
    }
    assert_true(tried >= 7);
}

static void any_flags_and_any_data_that_fit_may_be_sent(void **state)
{
    (void)state;
    uint8_t bytes[64];
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct rand rand = {.state = seed};
        fill(&rand, bytes, sizeof bytes);
        struct probe_data data = {.bytes = bytes, .len = (size_t)rand_below(&rand, sizeof bytes + 1)};
        struct technique technique = tcp_probe_with_flags(technique_find("syn"), (uint8_t)rand_next(&rand));
        technique.data = &data;
        if (!frames_are_alike(&technique, &rand))
            fail_msg("seed %ju", (uintmax_t)seed);
    }
}

static void what_is_not_tcp_or_too_long_has_no_template(void **state)
{
    (void)state;
    static const uint8_t bytes[TEMPLATE_LEN_MAX] = {0};
    const struct probe_data data = {.bytes = bytes, .len = sizeof bytes};
    struct technique technique = *technique_find("syn");
    struct addr source = addr_v4(0xcb007101);
    struct template template;
    technique.data = &data;
    assert_false(template_make(&technique, &source, &near, 64, &template));
    assert_false(template_make(technique_find("udp"), &source, &near, 64, &template));
    assert_false(template_make(technique_find("sctpinit"), &source, &near, 64, &template));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_those_that_the_technique_writes),
        cmocka_unit_test(any_flags_and_any_data_that_fit_may_be_sent),
        cmocka_unit_test(what_is_not_tcp_or_too_long_has_no_template),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
