#include "results/results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "results/results_fixture.h"

#define WITH_RESULTS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static void a_host_is_handed_over_when_it_is_done(void **state)
{
    struct fixture *fixture = *state;
    assert_true(give(fixture, up(HOST)));
    assert_true(give(fixture, port(HOST, 80, PORT_OPEN, REASON_SYN_ACK)));
    assert_int_equal(fixture->host_calls, 0);
    struct record last = done(HOST);
    last.rtt_ns = 3 * MSEC;
    last.rttvar_ns = 4 * MSEC;
    last.rto_ns = 19 * MSEC;
    assert_true(give(fixture, last));

    assert_int_equal(fixture->host_calls, 1);
    struct addr host = HOST;
    assert_true(addr_equal(&fixture->host.addr, &host));
    assert_true(fixture->host.up);
    assert_int_equal(fixture->host.reason, REASON_ECHO_REPLY);
    assert_int_equal(fixture->host.ttl, 63);
    assert_int_equal(fixture->host.start_ns, SEC);
    assert_int_equal(fixture->host.end_ns, 3 * SEC);
    assert_int_equal(fixture->host.srtt_ns, 3 * MSEC);
    assert_int_equal(fixture->host.rttvar_ns, 4 * MSEC);
    assert_int_equal(fixture->host.rto_ns, 19 * MSEC);
    assert_false(fixture->host.unfinished);
    assert_int_equal(fixture->host.port_count, 4);
}

static void an_answer_keeps_all_that_its_record_says(void **state)
{
    struct fixture *fixture = *state;
    struct record record = port(HOST, 80, PORT_FILTERED, REASON_ADMIN_PROHIBITED);
    record.source = ROUTER;
    record.flags = RECORD_WEAK;
    assert_true(give(fixture, up(HOST)));
    assert_true(give(fixture, record));
    assert_true(give(fixture, done(HOST)));
    const struct port_result *result = &fixture->ports[1];
    assert_int_equal(result->port, 80);
    assert_int_equal(result->protocol, PROTOCOL_TCP);
    assert_int_equal(result->state, PORT_FILTERED);
    assert_int_equal(result->reason, REASON_ADMIN_PROHIBITED);
    assert_int_equal(result->ttl, 64);
    assert_int_equal(result->tries, 1);
    assert_int_equal(result->flags, RECORD_WEAK);
    assert_int_equal(result->time_ns, 2 * SEC);
    assert_int_equal(result->rtt_ns, 2 * MSEC);
    struct addr router = ROUTER;
    assert_true(addr_equal(&result->source, &router));
}

static void ports_come_by_protocol_and_number(void **state)
{
    struct fixture *fixture = *state;
    assert_true(give(fixture, port(HOST, 443, PORT_OPEN, REASON_SYN_ACK)));
    assert_true(give(fixture, done(HOST)));
    static const uint16_t expected[] = {22, 80, 443, 53};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(fixture->ports[i].port, expected[i]);
    assert_int_equal(fixture->ports[3].protocol, PROTOCOL_UDP);
}

static void a_silent_port_has_the_silent_state_of_its_protocol(void **state)
{
    struct fixture *fixture = *state;
    assert_true(give(fixture, up(HOST)));
    assert_true(give(fixture, done(HOST)));
    assert_int_equal(fixture->ports[0].state, PORT_FILTERED);
    assert_int_equal(fixture->ports[0].reason, REASON_NO_RESPONSE);
    assert_int_equal(fixture->ports[0].tries, 2);
    assert_int_equal(fixture->ports[0].time_ns, 3 * SEC);
    assert_int_equal(fixture->ports[3].state, PORT_OPEN_FILTERED);
}

static void a_host_done_for_a_reason_gives_it_to_its_silent_ports(void **state)
{
    struct fixture *fixture = *state;
    struct record unreachable = done(HOST);
    unreachable.state = PORT_CLOSED_FILTERED;
    unreachable.reason = REASON_HOST_UNREACH;
    unreachable.source = addr_v4(0xcb007101);
    assert_true(give(fixture, up(HOST)));
    assert_true(give(fixture, port(HOST, 22, PORT_OPEN, REASON_SYN_ACK)));
    assert_true(give(fixture, unreachable));
    assert_int_equal(fixture->ports[0].state, PORT_OPEN);
    assert_int_equal(fixture->ports[1].state, PORT_CLOSED_FILTERED);
    assert_int_equal(fixture->ports[1].reason, REASON_HOST_UNREACH);
    assert_true(addr_equal(&fixture->ports[1].source, &unreachable.source));
}

static void a_silent_port_of_an_unfinished_host_is_unknown(void **state)
{
    struct fixture *fixture = *state;
    struct record last = done(HOST);
    last.flags = RECORD_UNFINISHED | RECORD_TIMED_OUT;
    assert_true(give(fixture, port(HOST, 22, PORT_OPEN, REASON_SYN_ACK)));
    assert_true(give(fixture, last));
    assert_true(fixture->host.unfinished);
    assert_true(fixture->host.timed_out);
    assert_int_equal(fixture->ports[0].state, PORT_OPEN);
    assert_int_equal(fixture->ports[1].state, PORT_UNKNOWN);
    assert_int_equal(fixture->ports[1].reason, REASON_UNFINISHED);
}

static void a_later_record_of_a_port_replaces_the_earlier(void **state)
{
    struct fixture *fixture = *state;
    struct record soft = port(HOST, 80, PORT_FILTERED, REASON_HOST_UNREACH);
    soft.source = ROUTER;
    assert_true(give(fixture, soft));
    assert_true(give(fixture, port(HOST, 80, PORT_OPEN, REASON_SYN_ACK)));
    assert_true(give(fixture, done(HOST)));
    assert_int_equal(fixture->ports[1].state, PORT_OPEN);
    assert_int_equal(fixture->ports[1].source.family, ADDR_NONE);
}

static void each_port_is_told_at_once(void **state)
{
    struct fixture *fixture = *state;
    assert_true(give(fixture, port(HOST, 80, PORT_OPEN, REASON_SYN_ACK)));
    assert_int_equal(fixture->port_calls, 1);
    assert_int_equal(fixture->told.port, 80);
    assert_int_equal(fixture->told.state, PORT_OPEN);
    assert_int_equal(fixture->told.flags, 0);
}

static void a_late_record_goes_to_the_port_callback_alone(void **state)
{
    struct fixture *fixture = *state;
    assert_true(give(fixture, up(HOST)));
    assert_true(give(fixture, done(HOST)));
    struct record late = port(HOST, 80, PORT_OPEN, REASON_SYN_ACK);
    late.flags = RECORD_LATE;
    assert_true(give(fixture, late));
    assert_int_equal(fixture->told.flags, RECORD_LATE);
    results_flush(fixture->results, 9 * SEC);
    assert_int_equal(fixture->host_calls, 1);
}

static void a_late_record_of_a_host_that_is_still_open_counts_as_any(void **state)
{
    struct fixture *fixture = *state;
    struct record late = port(HOST, 80, PORT_OPEN, REASON_SYN_ACK);
    late.flags = RECORD_LATE;
    assert_true(give(fixture, up(HOST)));
    assert_true(give(fixture, late));
    assert_true(give(fixture, done(HOST)));
    assert_int_equal(fixture->ports[1].state, PORT_OPEN);
}

static void what_is_not_of_the_plan_is_refused_and_counted(void **state)
{
    struct fixture *fixture = *state;
    assert_false(give(fixture, up(addr_v4(NETWORK + 256))));
    assert_false(give(fixture, port(HOST, 81, PORT_OPEN, REASON_SYN_ACK)));
    struct record sctp = port(HOST, 5, PORT_OPEN, REASON_INIT_ACK);
    sctp.protocol = PROTOCOL_SCTP;
    assert_false(give(fixture, sctp));
    struct record late = port(HOST, 81, PORT_OPEN, REASON_SYN_ACK);
    late.flags = RECORD_LATE;
    assert_false(give(fixture, late));
    struct record broken = up(HOST);
    broken.state = PORT_STATE_COUNT;
    assert_false(give(fixture, broken));
    assert_int_equal(results_totals(fixture->results)->records_refused, 5);
    assert_int_equal(fixture->port_calls, 0);
    results_flush(fixture->results, 9 * SEC);
    assert_int_equal(fixture->host_calls, 0);
}

static void notes_and_progress_are_taken_and_ignored(void **state)
{
    struct fixture *fixture = *state;
    assert_true(give(fixture, (struct record){.type = RECORD_NOTE}));
    assert_true(give(fixture, (struct record){.type = RECORD_PROGRESS, .value = {UINT64_MAX}}));
    assert_true(give(fixture, (struct record){.type = RECORD_END}));
    assert_int_equal(results_totals(fixture->results)->records_refused, 0);
}

static void a_host_that_is_down_has_no_ports(void **state)
{
    struct fixture *fixture = *state;
    struct record down = {
        .type = RECORD_HOST_DOWN, .host = HOST, .reason = REASON_HOST_UNREACH, .source = ROUTER};
    assert_true(give(fixture, down));
    assert_int_equal(fixture->host_calls, 1);
    assert_false(fixture->host.up);
    assert_int_equal(fixture->host.port_count, 0);
    assert_int_equal(fixture->host.reason, REASON_HOST_UNREACH);
    struct addr router = ROUTER;
    assert_true(addr_equal(&fixture->host.source, &router));
    assert_int_equal(results_totals(fixture->results)->hosts_down, 1);
}

static void a_host_that_is_up_cannot_be_down_as_well(void **state)
{
    struct fixture *fixture = *state;
    assert_true(give(fixture, up(HOST)));
    assert_false(give(fixture, (struct record){.type = RECORD_HOST_DOWN, .host = HOST}));
    assert_int_equal(fixture->host_calls, 0);
}

static void a_host_scanned_without_being_asked_first_is_up_by_the_user(void **state)
{
    struct fixture *fixture = *state;
    assert_true(give(fixture, done(HOST)));
    assert_true(fixture->host.up);
    assert_int_equal(fixture->host.reason, REASON_USER_SET);
}

static void a_hardware_address_is_kept(void **state)
{
    struct fixture *fixture = *state;
    struct record mac = {.type = RECORD_MAC, .host = HOST, .mac = {0, 0, 0x5e, 0, 0x53, 1}};
    assert_true(give(fixture, mac));
    assert_true(give(fixture, done(HOST)));
    assert_true(fixture->host.has_mac);
    assert_memory_equal(fixture->host.mac, mac.mac, 6);
}

static void hosts_are_kept_apart(void **state)
{
    struct fixture *fixture = *state;
    assert_true(give(fixture, port(HOST, 22, PORT_OPEN, REASON_SYN_ACK)));
    assert_true(give(fixture, port(OTHER_HOST, 22, PORT_CLOSED, REASON_RESET)));
    assert_true(give(fixture, done(HOST)));
    assert_int_equal(fixture->ports[0].state, PORT_OPEN);
    assert_true(give(fixture, done(OTHER_HOST)));
    assert_int_equal(fixture->ports[0].state, PORT_CLOSED);
    assert_int_equal(results_totals(fixture->results)->ports[PORT_OPEN], 1);
    assert_int_equal(results_totals(fixture->results)->ports[PORT_FILTERED], 4);
}

static void names_are_handed_over_with_the_host(void **state)
{
    struct fixture *fixture = *state;
    struct addr host = HOST;
    assert_true(results_set_user_name(fixture->results, &host, "www.example"));
    assert_true(give(fixture, up(HOST)));
    assert_true(results_set_ptr_name(fixture->results, &host, "h1.example"));
    assert_true(give(fixture, done(HOST)));
    assert_string_equal(fixture->names[0], "www.example");
    assert_string_equal(fixture->names[1], "h1.example");
}

static void a_name_for_an_address_outside_the_plan_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct addr stranger = ROUTER;
    assert_false(results_set_user_name(fixture->results, &stranger, "a"));
    assert_false(results_await_ptr_name(fixture->results, &stranger));
    assert_false(results_set_ptr_name(fixture->results, &stranger, "a"));
}

static void a_host_waits_for_the_name_that_was_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct addr host = HOST;
    struct record last = done(HOST);
    last.rto_ns = 19 * MSEC;
    assert_true(give(fixture, up(HOST)));
    assert_true(results_await_ptr_name(fixture->results, &host));
    assert_true(give(fixture, last));
    assert_int_equal(fixture->host_calls, 0);
    assert_true(results_set_ptr_name(fixture->results, &host, "h1.example"));
    assert_int_equal(fixture->host_calls, 1);
    assert_string_equal(fixture->names[1], "h1.example");
    assert_int_equal(fixture->host.rto_ns, 19 * MSEC);
}

static void no_name_is_an_answer_too(void **state)
{
    struct fixture *fixture = *state;
    struct addr host = HOST;
    assert_true(results_await_ptr_name(fixture->results, &host));
    assert_true(give(fixture, done(HOST)));
    assert_true(results_set_ptr_name(fixture->results, &host, NULL));
    assert_int_equal(fixture->host_calls, 1);
    assert_null(fixture->host.ptr_name);
}

static void a_complete_host_that_waits_for_its_name_takes_nothing_more(void **state)
{
    struct fixture *fixture = *state;
    struct addr host = HOST;
    assert_true(results_await_ptr_name(fixture->results, &host));
    assert_true(give(fixture, done(HOST)));
    assert_false(give(fixture, done(HOST)));
    assert_false(give(fixture, port(HOST, 80, PORT_OPEN, REASON_SYN_ACK)));
    struct record late = port(HOST, 80, PORT_OPEN, REASON_SYN_ACK);
    late.flags = RECORD_LATE;
    assert_true(give(fixture, late));
    assert_int_equal(fixture->told.flags, RECORD_LATE);
    results_flush(fixture->results, 9 * SEC);
    assert_int_equal(fixture->host_calls, 1);
    assert_false(fixture->host.unfinished);
    assert_int_equal(fixture->ports[1].state, PORT_FILTERED);
}

static void flushing_hands_over_open_hosts_as_unfinished(void **state)
{
    struct fixture *fixture = *state;
    assert_true(give(fixture, up(HOST)));
    assert_true(give(fixture, port(HOST, 80, PORT_OPEN, REASON_SYN_ACK)));
    results_flush(fixture->results, 9 * SEC);
    assert_int_equal(fixture->host_calls, 1);
    assert_true(fixture->host.unfinished);
    assert_int_equal(fixture->host.end_ns, 9 * SEC);
    assert_int_equal(fixture->host.srtt_ns, MSEC);
    assert_int_equal(fixture->ports[0].state, PORT_UNKNOWN);
    assert_int_equal(fixture->ports[1].state, PORT_OPEN);
    results_flush(fixture->results, 9 * SEC);
    assert_int_equal(fixture->host_calls, 1);
}

static void flushing_says_nothing_of_hosts_that_only_have_a_name(void **state)
{
    struct fixture *fixture = *state;
    struct addr host = HOST;
    assert_true(results_set_user_name(fixture->results, &host, "www.example"));
    results_flush(fixture->results, 9 * SEC);
    assert_int_equal(fixture->host_calls, 0);
}

/* A path may answer from as many addresses as it likes: what is kept of a host stays bounded, and the states
 * right. */

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RESULTS(a_host_is_handed_over_when_it_is_done),
        WITH_RESULTS(an_answer_keeps_all_that_its_record_says),
        WITH_RESULTS(ports_come_by_protocol_and_number),
        WITH_RESULTS(a_silent_port_has_the_silent_state_of_its_protocol),
        WITH_RESULTS(a_host_done_for_a_reason_gives_it_to_its_silent_ports),
        WITH_RESULTS(a_silent_port_of_an_unfinished_host_is_unknown),
        WITH_RESULTS(a_later_record_of_a_port_replaces_the_earlier),
        WITH_RESULTS(each_port_is_told_at_once),
        WITH_RESULTS(a_late_record_goes_to_the_port_callback_alone),
        WITH_RESULTS(a_late_record_of_a_host_that_is_still_open_counts_as_any),
        WITH_RESULTS(what_is_not_of_the_plan_is_refused_and_counted),
        WITH_RESULTS(notes_and_progress_are_taken_and_ignored),
        WITH_RESULTS(a_host_that_is_down_has_no_ports),
        WITH_RESULTS(a_host_that_is_up_cannot_be_down_as_well),
        WITH_RESULTS(a_host_scanned_without_being_asked_first_is_up_by_the_user),
        WITH_RESULTS(a_hardware_address_is_kept),
        WITH_RESULTS(hosts_are_kept_apart),
        WITH_RESULTS(names_are_handed_over_with_the_host),
        WITH_RESULTS(a_name_for_an_address_outside_the_plan_is_refused),
        WITH_RESULTS(a_host_waits_for_the_name_that_was_asked_for),
        WITH_RESULTS(no_name_is_an_answer_too),
        WITH_RESULTS(a_complete_host_that_waits_for_its_name_takes_nothing_more),
        WITH_RESULTS(flushing_hands_over_open_hosts_as_unfinished),
        WITH_RESULTS(flushing_says_nothing_of_hosts_that_only_have_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
