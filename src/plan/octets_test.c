#include "plan/octets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"

/* One octet of a random target: the text, and the model of what it says. */
static size_t write_octet(struct rand *rand, char *text, bool model[256])
{
    size_t len = 0;
    uint64_t items = 1 + rand_below(rand, 3);
    for (uint64_t item = 0; item < items; item++) {
        unsigned first = (unsigned)rand_below(rand, 256);
        unsigned last = first + (unsigned)rand_below(rand, 256 - first);
        text[len] = ',';
        len += item > 0;
        switch (rand_below(rand, 6)) {
        case 0:
            first = 0;
            len += (size_t)sprintf(text + len, "-%u", last);
            break;
        case 1:
            last = 255;
            len += (size_t)sprintf(text + len, "%u-", first);
            break;
        case 2:
            len += (size_t)sprintf(text + len, "%u-%u", first, last);
            break;
        default:
            last = first;
            len += (size_t)sprintf(text + len, "%u", first);
            break;
        }
        for (unsigned value = first; value <= last; value++)
            model[value] = true;
    }
    return len;
}

/* Whether some address of the model agrees with `address` in the first prefix_len bits: octet by octet. */
static bool in_model(bool model[4][256], uint32_t address, unsigned prefix_len)
{
    uint32_t mask = prefix_len ? UINT32_MAX << (32 - prefix_len) : 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned octet_mask = mask >> (24 - 8 * i) & 0xff;
        unsigned octet = address >> (24 - 8 * i) & 0xff;
        bool agrees = false;
        for (unsigned value = 0; value < 256; value++)
            agrees = agrees || (model[i][value] && (value & octet_mask) == (octet & octet_mask));
        if (!agrees)
            return false;
    }
    return true;
}

/* The first octet is one number and the second has at most 3, so that no target is too scattered. */
static void octet_ranges_and_prefixes_agree_with_a_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct rand rand = {seed};
        bool model[4][256] = {{false}};
        char text[256];
        unsigned first_octet = (unsigned)rand_below(&rand, 256);
        model[0][first_octet] = true;
        size_t len = (size_t)sprintf(text, "%u", first_octet);
        for (unsigned i = 1; i < 4; i++) {
            text[len++] = '.';
            len += write_octet(&rand, text + len, model[i]);
        }
        unsigned prefix_len = rand_below(&rand, 2) ? 32 : (unsigned)rand_below(&rand, 33);

        struct octets octets;
        struct addr_set set = {0};
        struct error err = {0};
        if (octets_parse(text, text, len, &octets, &err))
            fail_msg("seed %llu: %s: %s", (unsigned long long)seed, text, err.text);
        octets_widen(&octets, prefix_len);
        assert_int_equal(octets_add(&octets, UINT32_MAX, &set), 0);
        assert_int_equal(addr_set_normalize(&set), 0);
        for (unsigned probe = 0; probe < 200; probe++) {
            uint32_t address = (uint32_t)rand_next(&rand);
            if (probe & 1)
                address = (address & 0xffffff) | first_octet << 24;
            struct addr addr = addr_v4(address);
            uint64_t index;
            if (addr_set_find(&set, &addr, &index) != in_model(model, address, prefix_len))
                fail_msg("seed %llu: %s, address %08x", (unsigned long long)seed, text, (unsigned)address);
        }
        addr_set_done(&set);
    }
}

static void the_fewest_ranges_are_added(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t ranges;
    } cases[] = {
        {"198.18.0.0-255", 1}, {"198.18.0,2.*", 2}, {"198.*.*.*", 1},    {"198.18.0-1.1,3", 4},
        {"*.*.*.*", 1},        {"1,3,5.*.*.*", 3},  {"198.18.*.7", 256},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct octets octets;
        struct addr_set set = {0};
        assert_int_equal(octets_parse(cases[i].text, cases[i].text, strlen(cases[i].text), &octets, NULL), 0);
        assert_int_equal(octets_add(&octets, UINT32_MAX, &set), 0);
        assert_int_equal(set.v4_count, cases[i].ranges);
        addr_set_done(&set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octet_ranges_and_prefixes_agree_with_a_model),
        cmocka_unit_test(the_fewest_ranges_are_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
