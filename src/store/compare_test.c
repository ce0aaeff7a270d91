#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/compare.h"

static struct port_result port(enum port_state state, enum reason reason, uint8_t tries)
{
    return (struct port_result){.state = (uint8_t)state, .reason = (uint8_t)reason, .tries = tries};
}

static const struct port_result *answered(enum port_state state, struct port_result *ret)
{
    *ret = port(state, state == PORT_OPEN ? REASON_SYN_ACK : REASON_RESET, 1);
    return ret;
}

static enum change change_of(const struct port_result *before, const struct port_result *after, bool down)
{
    return compare_ports((struct compare_port){before, false}, (struct compare_port){after, false}, down);
}

static void what_is_open_now_has_opened(void **state)
{
    (void)state;
    struct port_result open, closed, unknown = port(PORT_UNKNOWN, REASON_UNFINISHED, 0);
    answered(PORT_OPEN, &open);
    assert_int_equal(change_of(answered(PORT_CLOSED, &closed), &open, false), CHANGE_OPENED);
    assert_int_equal(change_of(NULL, &open, false), CHANGE_OPENED);
    assert_int_equal(change_of(&unknown, &open, false), CHANGE_OPENED);
}

static void what_was_open_and_is_not_has_closed(void **state)
{
    (void)state;
    struct port_result open, closed, silent = port(PORT_FILTERED, REASON_NO_RESPONSE, 2);
    answered(PORT_OPEN, &open);
    assert_int_equal(change_of(&open, answered(PORT_CLOSED, &closed), false), CHANGE_CLOSED);
    assert_int_equal(change_of(&open, &silent, false), CHANGE_CLOSED);
    assert_int_equal(change_of(&open, NULL, true), CHANGE_CLOSED);
}

static void any_other_two_states_have_changed(void **state)
{
    (void)state;
    struct port_result closed, silent = port(PORT_FILTERED, REASON_NO_RESPONSE, 2);
    answered(PORT_CLOSED, &closed);
    assert_int_equal(change_of(&closed, &silent, false), CHANGE_STATE);
    assert_int_equal(change_of(&silent, &closed, false), CHANGE_STATE);
}

static void what_is_not_asked_any_more_is_not_covered(void **state)
{
    (void)state;
    struct port_result open, closed, unknown = port(PORT_UNKNOWN, REASON_UNFINISHED, 0);
    answered(PORT_OPEN, &open);
    answered(PORT_CLOSED, &closed);
    assert_int_equal(change_of(&open, NULL, false), CHANGE_UNCOVERED);
    assert_int_equal(change_of(&closed, NULL, false), CHANGE_UNCOVERED);
    assert_int_equal(change_of(&open, &unknown, false), CHANGE_UNCOVERED);
}

/* Silence after one try may be the loss of a packet. */
static void what_rests_on_silence_after_one_try_is_uncertain(void **state)
{
    (void)state;
    struct port_result open, closed, once = port(PORT_FILTERED, REASON_NO_RESPONSE, 1);
    answered(PORT_OPEN, &open);
    answered(PORT_CLOSED, &closed);
    assert_int_equal(change_of(&open, &once, false), CHANGE_UNCERTAIN);
    assert_int_equal(change_of(&once, &open, false), CHANGE_UNCERTAIN);
    assert_int_equal(change_of(&closed, &once, false), CHANGE_UNCERTAIN);
}

/* --max-retries ended the tries before they were enough. */
static void what_rests_on_silence_that_was_believed_early_is_uncertain(void **state)
{
    (void)state;
    struct port_result open, silent = port(PORT_FILTERED, REASON_NO_RESPONSE, 3);
    struct port_result refused = port(PORT_FILTERED, REASON_ADMIN_PROHIBITED, 1);
    const struct compare_port early = {&silent, true};
    const struct compare_port told = {&refused, true};
    const struct compare_port answer = {answered(PORT_OPEN, &open), true};
    assert_int_equal(compare_ports(answer, early, false), CHANGE_UNCERTAIN);
    assert_int_equal(compare_ports(early, answer, false), CHANGE_UNCERTAIN);
    assert_int_equal(compare_ports(early, told, false), CHANGE_NONE);
    assert_int_equal(compare_ports(answer, told, false), CHANGE_CLOSED);
}

static void the_same_state_is_no_change_whatever_it_rests_on(void **state)
{
    (void)state;
    struct port_result once = port(PORT_FILTERED, REASON_NO_RESPONSE, 1);
    struct port_result refused = port(PORT_FILTERED, REASON_ADMIN_PROHIBITED, 1);
    struct port_result closed;
    assert_int_equal(change_of(&once, &refused, false), CHANGE_NONE);
    assert_int_equal(change_of(NULL, &once, false), CHANGE_NONE);
    assert_int_equal(change_of(answered(PORT_CLOSED, &closed), NULL, true), CHANGE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_open_now_has_opened),
        cmocka_unit_test(what_was_open_and_is_not_has_closed),
        cmocka_unit_test(any_other_two_states_have_changed),
        cmocka_unit_test(what_is_not_asked_any_more_is_not_covered),
        cmocka_unit_test(what_rests_on_silence_after_one_try_is_uncertain),
        cmocka_unit_test(what_rests_on_silence_that_was_believed_early_is_uncertain),
        cmocka_unit_test(the_same_state_is_no_change_whatever_it_rests_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
