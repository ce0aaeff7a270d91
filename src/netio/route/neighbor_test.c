#include "netio/route/neighbor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#define LINK 2

static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 0xa};
static const uint8_t mac_b[6] = {2, 0, 0, 0, 0, 0xb};

static void an_answer_to_a_question_is_stored(void **state)
{
    (void)state;
    struct neighbor_table *table = neighbor_table_new(64);
    struct addr addr = addr_v4(0xc6120007);
    assert_null(neighbor_find(table, LINK, &addr));
    neighbor_ask(table, LINK, &addr, 0);
    assert_int_equal(neighbor_find(table, LINK, &addr)->state, NEIGHBOR_ASKED);
    assert_true(neighbor_answer(table, LINK, &addr, mac_a, MSEC));
    assert_int_equal(neighbor_find(table, LINK, &addr)->state, NEIGHBOR_KNOWN);
    assert_memory_equal(neighbor_find(table, LINK, &addr)->mac, mac_a, 6);
    neighbor_table_free(table);
}

static void an_answer_nobody_asked_for_changes_nothing(void **state)
{
    (void)state;
    struct neighbor_table *table = neighbor_table_new(64);
    struct addr addr = addr_v4(0xc6120007);
    assert_false(neighbor_answer(table, LINK, &addr, mac_a, 0));
    assert_null(neighbor_find(table, LINK, &addr));

    neighbor_ask(table, LINK, &addr, 0);
    assert_true(neighbor_answer(table, LINK, &addr, mac_a, MSEC));
    assert_false(neighbor_answer(table, LINK, &addr, mac_b, 2 * MSEC)); /* the first one counts */
    assert_memory_equal(neighbor_find(table, LINK, &addr)->mac, mac_a, 6);
    neighbor_table_free(table);
}

static void an_answer_that_comes_too_late_changes_nothing(void **state)
{
    (void)state;
    struct neighbor_table *table = neighbor_table_new(64);
    struct addr addr = addr_v4(0xc6120007);
    neighbor_ask(table, LINK, &addr, 0);
    assert_false(neighbor_answer(table, LINK, &addr, mac_a, NEIGHBOR_ANSWER_NS + 1));
    assert_int_equal(neighbor_find(table, LINK, &addr)->state, NEIGHBOR_ASKED);
    neighbor_table_free(table);
}

static void an_answer_on_another_link_is_another_neighbour(void **state)
{
    (void)state;
    struct neighbor_table *table = neighbor_table_new(64);
    struct addr addr = addr_v4(0xc6120007);
    neighbor_ask(table, LINK, &addr, 0);
    assert_false(neighbor_answer(table, LINK + 1, &addr, mac_a, MSEC));
    neighbor_table_free(table);
}

static void groups_and_nobody_are_no_stations(void **state)
{
    (void)state;
    static const uint8_t group[6] = {1, 0, 0x5e, 0, 0, 1}, nobody[6] = {0};
    struct neighbor_table *table = neighbor_table_new(64);
    struct addr addr = addr_v4(0xc6120007);
    neighbor_ask(table, LINK, &addr, 0);
    assert_false(neighbor_answer(table, LINK, &addr, group, MSEC));
    assert_false(neighbor_answer(table, LINK, &addr, nobody, MSEC));
    assert_true(neighbor_answer(table, LINK, &addr, mac_a, MSEC));
    neighbor_table_free(table);
}

static void a_question_about_a_known_neighbour_keeps_what_is_known(void **state)
{
    (void)state;
    struct neighbor_table *table = neighbor_table_new(64);
    struct kernel_neighbor known = {.index = LINK, .addr = addr_v4(0xc6120007)};
    memcpy(known.mac, mac_a, sizeof known.mac);
    neighbor_learn(table, &known, 0);
    neighbor_ask(table, LINK, &known.addr, SEC);
    assert_int_equal(neighbor_find(table, LINK, &known.addr)->state, NEIGHBOR_KNOWN);
    assert_memory_equal(neighbor_find(table, LINK, &known.addr)->mac, mac_a, 6);
    assert_true(neighbor_answer(table, LINK, &known.addr, mac_b, SEC + MSEC)); /* it has moved */
    assert_memory_equal(neighbor_find(table, LINK, &known.addr)->mac, mac_b, 6);
    neighbor_table_free(table);
}

/* A scan of a large network asks for far more hosts than the table holds. */
static void gateways_and_hosts_that_answered_outlive_those_that_did_not(void **state)
{
    (void)state;
    struct neighbor_table *table = neighbor_table_new(64);
    struct addr gateway = addr_v4(1), host = addr_v4(2);
    neighbor_ask(table, LINK, &gateway, 0)->gateway = true;
    assert_true(neighbor_answer(table, LINK, &gateway, mac_a, 0));
    neighbor_ask(table, LINK, &host, 0);
    assert_true(neighbor_answer(table, LINK, &host, mac_b, 0));
    for (uint32_t i = 0; i < 10000; i++) {
        struct addr silent = addr_v4(0x0a000000 + i);
        neighbor_ask(table, LINK, &silent, i * MSEC);
        assert_non_null(neighbor_find(table, LINK, &silent));
    }
    assert_int_equal(neighbor_find(table, LINK, &gateway)->state, NEIGHBOR_KNOWN);
    assert_int_equal(neighbor_find(table, LINK, &host)->state, NEIGHBOR_KNOWN);
    neighbor_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_to_a_question_is_stored),
        cmocka_unit_test(an_answer_nobody_asked_for_changes_nothing),
        cmocka_unit_test(an_answer_that_comes_too_late_changes_nothing),
        cmocka_unit_test(an_answer_on_another_link_is_another_neighbour),
        cmocka_unit_test(groups_and_nobody_are_no_stations),
        cmocka_unit_test(a_question_about_a_known_neighbour_keeps_what_is_known),
        cmocka_unit_test(gateways_and_hosts_that_answered_outlive_those_that_did_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
