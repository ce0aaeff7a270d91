#include "technique/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "technique/rows.h"

#define SEEDS 200

static struct token_key key_of(struct rand *rand)
{
    struct token_key key = {.first_port = 61000, .port_count = 4096};
    key.secret.half[0] = rand_next(rand);
    key.secret.half[1] = rand_next(rand);
    return key;
}

static struct token_subject subject_of(struct rand *rand, bool has_ports)
{
    return (struct token_subject){
        .dst = addr_v4((uint32_t)rand_next(rand)),
        .ip_proto = IP_PROTO_TCP,
        .port = (uint16_t)rand_next(rand),
        .has_ports = has_ports,
    };
}

static void assert_proves(const struct token_key *key, const struct token_subject *subject, int64_t sent_ns,
                          int64_t rtt_ns)
{
    for (uint8_t try_number = 0; try_number < TOKEN_TRIES_MAX; try_number++) {
        struct token token = token_make(key, subject, try_number, sent_ns);
        uint8_t try_found;
        int64_t sent_found_ns;
        assert_true(token_check(key, subject, token.source_port, token.number, sent_ns + rtt_ns, &try_found,
                                &sent_found_ns));
        assert_int_equal(try_found, try_number);
        assert_true(sent_found_ns <= sent_ns);
        assert_true(sent_ns - sent_found_ns < TOKEN_TIME_STEP_NS);
    }
}

static void an_answer_names_its_try_and_when_it_left(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rand rand = {.state = seed};
        struct token_key key = key_of(&rand);
        struct token_subject subject = subject_of(&rand, true);
        int64_t sent_ns = (int64_t)rand_below(&rand, (uint64_t)(1000 * SEC));
        assert_proves(&key, &subject, sent_ns, (int64_t)rand_below(&rand, (uint64_t)(4 * SEC)));
    }
}

static void every_try_has_a_source_port_of_its_own_in_the_range(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rand rand = {.state = seed};
        struct token_key key = key_of(&rand);
        struct token_subject subject = subject_of(&rand, true);
        uint16_t ports[TOKEN_TRIES_MAX];
        for (uint8_t i = 0; i < TOKEN_TRIES_MAX; i++) {
            ports[i] = token_make(&key, &subject, i, 0).source_port;
            assert_in_range(ports[i], 61000, 65095);
            uint8_t try_found;
            assert_true(token_try_of_port(&key, &subject, ports[i], &try_found));
            assert_int_equal(try_found, i);
            for (uint8_t j = 0; j < i; j++)
                assert_int_not_equal(ports[i], ports[j]);
        }
    }
}

/* 15 bits of a number are proof: of a million guesses at the right port about 30 fit at any time at all. */
static void guessed_numbers_hardly_ever_fit(void **state)
{
    (void)state;
    struct rand rand = {.state = 1};
    struct token_key key = key_of(&rand);
    struct token_subject subject = subject_of(&rand, true);
    struct token token = token_make(&key, &subject, 0, SEC);
    unsigned accepted = 0;
    for (unsigned i = 0; i < 1000000; i++) {
        uint8_t try_found;
        int64_t sent_ns;
        accepted += token_check(&key, &subject, token.source_port, (uint32_t)rand_next(&rand), SEC,
                                &try_found, &sent_ns);
    }
    assert_in_range(accepted, 5, 80);
}

static void a_token_is_good_for_its_subject_only(void **state)
{
    (void)state;
    unsigned accepted = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rand rand = {.state = seed};
        struct token_key key = key_of(&rand);
        struct token_subject subject = subject_of(&rand, true);
        struct token token = token_make(&key, &subject, 0, SEC);
        struct token_subject others[4] = {subject, subject, subject, subject};
        others[0].dst.bytes[3] ^= 1;
        others[1].port ^= 1;
        others[2].ip_proto = IP_PROTO_UDP;
        others[3].pings = true;
        for (unsigned i = 0; i < 4; i++) {
            uint8_t try_found;
            int64_t sent_ns;
            accepted +=
                token_check(&key, &others[i], token.source_port, token.number, SEC, &try_found, &sent_ns);
        }
    }
    assert_int_equal(accepted, 0);
}

static void without_ports_the_number_alone_names_the_try(void **state)
{
    (void)state;
    struct rand rand = {.state = 1};
    struct token_key key = key_of(&rand);
    for (unsigned i = 0; i < SEEDS; i++) {
        struct token_subject subject = subject_of(&rand, false);
        struct token token = token_make(&key, &subject, 0, SEC);
        uint8_t try_found;
        int64_t sent_ns;
        assert_true(token_check(&key, &subject, 0, token.number, SEC, &try_found, &sent_ns));
        assert_false(token_try_of_port(&key, &subject, 61000, &try_found));
    }
}

static void a_fixed_source_port_still_proves(void **state)
{
    (void)state;
    struct rand rand = {.state = 1};
    struct token_key key = key_of(&rand);
    key.first_port = 53;
    key.port_count = 1;
    struct token_subject subject = subject_of(&rand, true);
    for (uint8_t i = 0; i < TOKEN_TRIES_MAX; i++) {
        struct token token = token_make(&key, &subject, i, SEC);
        uint8_t try_found;
        int64_t sent_ns;
        assert_int_equal(token.source_port, 53);
        assert_true(token_check(&key, &subject, 53, token.number, SEC, &try_found, &sent_ns));
        assert_false(token_check(&key, &subject, 54, token.number, SEC, &try_found, &sent_ns));
        assert_false(token_try_of_port(&key, &subject, 53, &try_found));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_names_its_try_and_when_it_left),
        cmocka_unit_test(every_try_has_a_source_port_of_its_own_in_the_range),
        cmocka_unit_test(guessed_numbers_hardly_ever_fit),
        cmocka_unit_test(a_token_is_good_for_its_subject_only),
        cmocka_unit_test(without_ports_the_number_alone_names_the_try),
        cmocka_unit_test(a_fixed_source_port_still_proves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
