#include "results/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define PORTS_MAX 2000

struct fixture {
    struct port_result ports[PORTS_MAX];
    struct host_result host;
    struct fold fold;
};

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static void clear(struct fixture *fixture)
{
    fixture->host = (struct host_result){.up = true, .ports = fixture->ports};
}

static void add(struct fixture *fixture, uint32_t count, enum port_state state, enum reason reason,
                enum protocol protocol)
{
    for (uint32_t i = 0; i < count; i++)
        fixture->ports[fixture->host.port_count++] = (struct port_result){
            .protocol = (uint8_t)protocol, .state = (uint8_t)state, .reason = (uint8_t)reason};
}

/* Whether `count` ports of a host in one state are folded. */
static bool folds(struct fixture *fixture, uint32_t count, enum port_state state, struct fold_options options)
{
    clear(fixture);
    add(fixture, count, state, REASON_NO_RESPONSE, PROTOCOL_TCP);
    fold_host(&fixture->host, &options, &fixture->fold);
    assert_int_equal(fixture->fold.listed_count, fixture->fold.folded[state] ? 0 : count);
    assert_int_equal(fixture->fold.counts[state], count);
    return fixture->fold.folded[state];
}

static void more_than_25_ports_of_a_state_are_folded(void **state)
{
    struct fold_options options = {0};
    assert_false(folds(*state, 25, PORT_CLOSED, options));
    assert_true(folds(*state, 26, PORT_CLOSED, options));
    assert_true(folds(*state, 26, PORT_FILTERED, options));
    assert_true(folds(*state, 26, PORT_UNFILTERED, options));
    assert_true(folds(*state, 26, PORT_OPEN_FILTERED, options));
    assert_true(folds(*state, 26, PORT_CLOSED_FILTERED, options));
}

static void verbosity_and_debugging_raise_the_limit(void **state)
{
    assert_false(folds(*state, 50, PORT_CLOSED, (struct fold_options){.verbosity = 1}));
    assert_true(folds(*state, 51, PORT_CLOSED, (struct fold_options){.verbosity = 1}));
    struct fold_options debugging = {.verbosity = 1, .debugging = 1}; /* 25 * (1 + 1 + 20) */
    assert_false(folds(*state, 550, PORT_CLOSED, debugging));
    assert_true(folds(*state, 551, PORT_CLOSED, debugging));
}

static void debugging_raises_the_limit_less_in_an_ip_protocol_scan(void **state)
{
    struct fold_options options = {.verbosity = 1, .debugging = 1, .ip_protocols = true};
    assert_false(folds(*state, 125, PORT_OPEN_FILTERED, options)); /* 25 * (1 + 1 + 3) */
    assert_true(folds(*state, 126, PORT_OPEN_FILTERED, options));
}

static void open_is_never_folded(void **state)
{
    assert_false(folds(*state, 2000, PORT_OPEN, (struct fold_options){0}));
    assert_false(folds(*state, 2000, PORT_OPEN, (struct fold_options){.open_only = true}));
}

static void open_is_folded_where_everything_answers(void **state)
{
    struct fixture *fixture = *state;
    struct fold_options options = {0};
    clear(fixture);
    add(fixture, 1000, PORT_OPEN, REASON_SYN_ACK, PROTOCOL_TCP);
    fixture->host.answers_all = true;
    fold_host(&fixture->host, &options, &fixture->fold);
    assert_true(fixture->fold.folded[PORT_OPEN]);
    options.debugging = 3;
    fold_host(&fixture->host, &options, &fixture->fold);
    assert_false(fixture->fold.folded[PORT_OPEN]);
}

static void unknown_is_always_folded(void **state)
{
    assert_true(folds(*state, 1, PORT_UNKNOWN, (struct fold_options){0}));
    assert_true(folds(*state, 1, PORT_UNKNOWN, (struct fold_options){.debugging = 3}));
}

static void open_filtered_is_listed_from_verbosity_3_on(void **state)
{
    assert_true(folds(*state, 2000, PORT_OPEN_FILTERED, (struct fold_options){.verbosity = 2}));
    assert_false(folds(*state, 2000, PORT_OPEN_FILTERED, (struct fold_options){.verbosity = 3}));
}

static void everything_is_listed_from_debugging_3_on(void **state)
{
    assert_true(folds(*state, 2000, PORT_CLOSED, (struct fold_options){.verbosity = 2, .debugging = 2}));
    assert_false(folds(*state, 2000, PORT_CLOSED, (struct fold_options){.verbosity = 3, .debugging = 3}));
}

static void open_only_folds_what_is_not_open(void **state)
{
    struct fold_options options = {.open_only = true};
    assert_true(folds(*state, 1, PORT_CLOSED, options));
    assert_true(folds(*state, 1, PORT_FILTERED, options));
    assert_true(folds(*state, 1, PORT_CLOSED_FILTERED, options));
    assert_false(folds(*state, 1, PORT_UNFILTERED, options));
    assert_false(folds(*state, 1, PORT_OPEN_FILTERED, options));
}

static void the_limit_counts_all_protocols_of_a_state(void **state)
{
    struct fixture *fixture = *state;
    clear(fixture);
    add(fixture, 13, PORT_CLOSED, REASON_RESET, PROTOCOL_TCP);
    add(fixture, 13, PORT_CLOSED, REASON_PORT_UNREACH, PROTOCOL_UDP);
    fold_host(&fixture->host, &(struct fold_options){0}, &fixture->fold);
    assert_true(fixture->fold.folded[PORT_CLOSED]);
    assert_int_equal(fixture->fold.listed_count, 0);
}

static void states_and_reasons_come_by_decreasing_count(void **state)
{
    struct fixture *fixture = *state;
    struct fold *fold = &fixture->fold;
    clear(fixture);
    add(fixture, 30, PORT_CLOSED, REASON_RESET, PROTOCOL_TCP);
    add(fixture, 10, PORT_FILTERED, REASON_NO_RESPONSE, PROTOCOL_TCP);
    add(fixture, 40, PORT_FILTERED, REASON_ADMIN_PROHIBITED, PROTOCOL_TCP);
    add(fixture, 10, PORT_FILTERED, REASON_ADMIN_PROHIBITED, PROTOCOL_UDP);
    add(fixture, 3, PORT_OPEN, REASON_SYN_ACK, PROTOCOL_TCP);
    fold_host(&fixture->host, &(struct fold_options){0}, fold);

    assert_int_equal(fold->group_count, 2);
    assert_int_equal(fold->groups[0].state, PORT_FILTERED);
    assert_int_equal(fold->groups[0].count, 60);
    assert_int_equal(fold->groups[0].reason_count, 3);
    const struct fold_reason *reasons = &fold->reasons[fold->groups[0].first];
    assert_int_equal(reasons[0].reason, REASON_ADMIN_PROHIBITED);
    assert_int_equal(reasons[0].count, 40);
    assert_int_equal(reasons[1].protocol, PROTOCOL_TCP); /* equal counts: TCP before UDP */
    assert_int_equal(reasons[2].protocol, PROTOCOL_UDP);
    assert_int_equal(fold->groups[1].state, PORT_CLOSED);
    assert_int_equal(fold->listed_count, 3);
}

static void hosts_that_are_down_are_shown_from_verbosity_1_on(void **state)
{
    (void)state;
    struct host_result host = {.up = false};
    assert_false(fold_host_shown(&host, &(struct fold_options){0}));
    assert_true(fold_host_shown(&host, &(struct fold_options){.verbosity = 1}));
}

static void open_only_shows_hosts_with_a_port_that_may_be_open(void **state)
{
    struct fixture *fixture = *state;
    struct fold_options options = {.open_only = true};
    static const bool shown[PORT_STATE_COUNT] = {
        [PORT_OPEN] = true, [PORT_OPEN_FILTERED] = true, [PORT_UNFILTERED] = true};
    for (unsigned i = 0; i < PORT_STATE_COUNT; i++) {
        clear(fixture);
        add(fixture, 5, PORT_CLOSED, REASON_RESET, PROTOCOL_TCP);
        add(fixture, 1, (enum port_state)i, REASON_NO_RESPONSE, PROTOCOL_TCP);
        assert_int_equal(fold_host_shown(&fixture->host, &options), shown[i]);
    }
}

static void open_only_shows_every_host_that_is_up_when_no_port_is_scanned(void **state)
{
    (void)state;
    struct host_result host = {.up = true};
    assert_true(fold_host_shown(&host, &(struct fold_options){.open_only = true}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_than_25_ports_of_a_state_are_folded),
        cmocka_unit_test(verbosity_and_debugging_raise_the_limit),
        cmocka_unit_test(debugging_raises_the_limit_less_in_an_ip_protocol_scan),
        cmocka_unit_test(open_is_never_folded),
        cmocka_unit_test(open_is_folded_where_everything_answers),
        cmocka_unit_test(unknown_is_always_folded),
        cmocka_unit_test(open_filtered_is_listed_from_verbosity_3_on),
        cmocka_unit_test(everything_is_listed_from_debugging_3_on),
        cmocka_unit_test(open_only_folds_what_is_not_open),
        cmocka_unit_test(the_limit_counts_all_protocols_of_a_state),
        cmocka_unit_test(states_and_reasons_come_by_decreasing_count),
        cmocka_unit_test(hosts_that_are_down_are_shown_from_verbosity_1_on),
        cmocka_unit_test(open_only_shows_hosts_with_a_port_that_may_be_open),
        cmocka_unit_test(open_only_shows_every_host_that_is_up_when_no_port_is_scanned),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
