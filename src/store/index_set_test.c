#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/rand.h"
#include "store/index_set.h"

#define NUMBERS 3000
#define SEEDS   200

/* Members by number, as an index_reader tells them. False: not a set. */
static bool read_all(const uint8_t *bytes, size_t len, bool members[static NUMBERS])
{
    struct index_reader reader = index_reader_over(bytes, len);
    uint64_t first;
    uint64_t count;
    while (index_next(&reader, NUMBERS, &first, &count)) {
        for (uint64_t i = first; i < first + count; i++)
            members[i] = true;
    }
    return reader.at == reader.stop;
}

static void any_set_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rand random = {.state = seed};
        uint64_t density = 1 + rand_below(&random, 20);
        bool wanted[NUMBERS] = {false};
        bool got[NUMBERS] = {false};
        struct index_writer writer = {.bytes = NULL};
        for (uint64_t i = 0; i < NUMBERS; i++) {
            wanted[i] = rand_below(&random, 20) < density;
            if (wanted[i])
                index_add(&writer, i);
        }
        index_end(&writer);
        if (!read_all(writer.bytes, writer.len, got))
            fail_msg("seed %u: not a set", (unsigned)seed);
        for (uint64_t i = 0; i < NUMBERS; i++)
            if (wanted[i] != got[i])
                fail_msg("seed %u: number %u", (unsigned)seed, (unsigned)i);
        index_done(&writer);
    }
}

static void a_run_takes_a_few_bytes_however_long_it_is(void **state)
{
    (void)state;
    struct index_writer writer = {.bytes = NULL};
    for (uint64_t i = 0; i < 65536; i++)
        index_add(&writer, i);
    index_end(&writer);
    assert_true(writer.len <= 4);
    index_done(&writer);
}

static void no_number_reaches_the_limit_whatever_the_bytes_are(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rand random = {.state = seed};
        uint8_t bytes[64];
        for (unsigned i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(rand_below(&random, 4) ? rand_below(&random, 256) : 0xff);
        struct index_reader reader = index_reader_over(bytes, sizeof bytes);
        uint64_t first;
        uint64_t count;
        uint64_t before = 0;
        while (index_next(&reader, NUMBERS, &first, &count)) {
            if (first < before || count > NUMBERS || first > NUMBERS - count)
                fail_msg("seed %u", (unsigned)seed);
            before = first + count;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_set_is_read_as_it_was_written),
        cmocka_unit_test(a_run_takes_a_few_bytes_however_long_it_is),
        cmocka_unit_test(no_number_reaches_the_limit_whatever_the_bytes_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
