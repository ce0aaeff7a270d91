#include "results/answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/bitset.h"
#include "base/rand.h"
#include "base/time.h"

#define PORTS_MAX 65535

static struct answer_space space_of(uint32_t port_count)
{
    uint64_t *seen = calloc(bitset_words(port_count), sizeof *seen);
    assert_non_null(seen);
    return (struct answer_space){.port_count = port_count, .seen = seen};
}

static struct answer answer_of(uint32_t index, uint8_t ttl)
{
    struct record record = {.type = RECORD_PORT, .ttl = ttl};
    return answer_pack(&record, index, 0, 0);
}

/* The TTL of the last answer of a port, or -1: how these tests tell answers apart. */
static int ttl_of(const struct answers *answers, uint32_t index)
{
    int ttl = -1;
    for (uint32_t i = 0; i < answers->count; i++)
        if (answers->list[i].present && answers->list[i].index == index)
            ttl = (int)answers->list[i].ttl;
    return ttl;
}

static void packing_keeps_every_field(void **state)
{
    (void)state;
    struct record record = {
        .flags = RECORD_WEAK,
        .state = PORT_CLOSED_FILTERED,
        .reason = REASON_COUNT - 1,
        .ttl = 255,
        .tries = 254,
        .time_ns = 5 * SEC + 1234567 * USEC,
        .rtt_ns = 987654 * USEC,
    };
    struct answer answer = answer_pack(&record, (1u << ANSWER_INDEX_BITS) - 1, 5 * SEC, 255);
    struct port_result port = {0};
    answer_unpack(&answer, 5 * SEC, &port);
    assert_int_equal(answer.index, (1u << ANSWER_INDEX_BITS) - 1);
    assert_int_equal(answer.source, 255);
    assert_int_equal(port.flags, RECORD_WEAK);
    assert_int_equal(port.state, PORT_CLOSED_FILTERED);
    assert_int_equal(port.reason, REASON_COUNT - 1);
    assert_int_equal(port.ttl, 255);
    assert_int_equal(port.tries, 254);
    assert_int_equal(port.time_ns, record.time_ns);
    assert_int_equal(port.rtt_ns, record.rtt_ns);
}

static void a_known_rtt_never_becomes_unknown(void **state)
{
    (void)state;
    struct record record = {.rtt_ns = 1};
    struct answer answer = answer_pack(&record, 0, 0, 0);
    struct port_result port = {0};
    answer_unpack(&answer, 0, &port);
    assert_int_equal(port.rtt_ns, 1 * USEC);
}

static void times_that_do_not_fit_stop_at_the_largest(void **state)
{
    (void)state;
    struct record record = {.time_ns = INT64_MAX, .rtt_ns = INT64_MAX};
    struct answer answer = answer_pack(&record, 0, 0, 0);
    struct port_result port = {0};
    answer_unpack(&answer, 0, &port);
    assert_int_equal(port.rtt_ns, ((INT64_C(1) << ANSWER_RTT_BITS) - 1) * USEC);
    assert_true(port.time_ns >= 365 * 24 * 3600 * SEC);
}

static void a_time_before_the_hosts_first_record_counts_as_that(void **state)
{
    (void)state;
    struct record record = {.time_ns = 1 * SEC};
    struct answer answer = answer_pack(&record, 0, 2 * SEC, 0);
    assert_int_equal(answer.time_us, 0);
}

/* Against an array that simply holds the last answer of each port; with few ports, many, and many
 * repetitions. */
static void the_last_answer_of_a_port_counts(void **state)
{
    (void)state;
    static const uint32_t port_counts[] = {1, 2, 16, 17, 100, 1000, 2048};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rand rand = {.state = seed};
        uint32_t port_count = port_counts[rand_below(&rand, 7)];
        uint32_t used = 1 + (uint32_t)rand_below(&rand, port_count);
        struct answer_space space = space_of(port_count);
        struct answers answers = {0};
        int expected[2048];
        for (uint32_t i = 0; i < port_count; i++)
            expected[i] = -1;
        for (uint32_t i = 0; i < 3 * used; i++) {
            uint32_t index = (uint32_t)rand_below(&rand, used);
            uint8_t ttl = (uint8_t)rand_next(&rand);
            assert_int_equal(answers_put(&answers, &space, answer_of(index, ttl)), 0);
            expected[index] = ttl;
        }
        for (uint32_t i = 0; i < port_count; i += 1 + port_count / 100)
            if (ttl_of(&answers, i) != expected[i])
                fail_msg("seed %u: port %u of %u", (unsigned)seed, i, port_count);
        answers_done(&answers);
        free(space.seen);
    }
}

static void the_same_answer_over_and_over_takes_no_more_room(void **state)
{
    (void)state;
    struct answer_space space = space_of(PORTS_MAX);
    struct answers answers = {0};
    for (uint32_t i = 0; i < 1000000; i++)
        assert_int_equal(answers_put(&answers, &space, answer_of(i % 10, 1)), 0);
    assert_true(answers.capacity <= 32);
    answers_done(&answers);
    free(space.seen);
}

static void all_ports_of_a_host_take_16_bytes_each(void **state)
{
    (void)state;
    struct answer_space space = space_of(PORTS_MAX);
    struct answers answers = {0};
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t i = 0; i < PORTS_MAX; i++)
            assert_int_equal(answers_put(&answers, &space, answer_of(i, 1)), 0);
    assert_int_equal(answers.capacity, PORTS_MAX);
    answers_done(&answers);
    free(space.seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packing_keeps_every_field),
        cmocka_unit_test(a_known_rtt_never_becomes_unknown),
        cmocka_unit_test(times_that_do_not_fit_stop_at_the_largest),
        cmocka_unit_test(a_time_before_the_hosts_first_record_counts_as_that),
        cmocka_unit_test(the_last_answer_of_a_port_counts),
        cmocka_unit_test(the_same_answer_over_and_over_takes_no_more_room),
        cmocka_unit_test(all_ports_of_a_host_take_16_bytes_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
