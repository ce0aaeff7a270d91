/* Whatever is thrown at the results, and however much: nothing breaks, and memory stays bounded. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rand.h"
#include "base/time.h"
#include "results/results_fixture.h"

#define WITH_RESULTS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static void of_many_foreign_senders_the_first_255_are_kept(void **state)
{
    struct fixture *fixture = *state;
    for (uint32_t i = 0; i < 10000; i++) {
        struct record record = port(HOST, 80, PORT_FILTERED, REASON_HOST_UNREACH);
        record.source = addr_v4(0xcb000000 + i);
        assert_true(give(fixture, record));
        record.port = 22;
        record.source = addr_v4(0xcb000000 + i % 255);
        assert_true(give(fixture, record));
    }
    assert_true(give(fixture, done(HOST)));
    assert_int_equal(fixture->ports[1].state, PORT_FILTERED);
    assert_int_equal(fixture->ports[1].source.family, ADDR_NONE);
    assert_int_equal(addr_to_v4(&fixture->ports[0].source), 0xcb000000 + 9999 % 255);
}

/* Any bytes in shared memory: nothing crashes, and no more hosts are open than the plan has. */
static void random_records_neither_crash_nor_grow(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t seed = 1; seed <= 100000; seed++) {
        struct rand rand = {.state = seed};
        struct record record;
        uint8_t *bytes = (uint8_t *)&record;
        for (size_t i = 0; i < sizeof record; i++)
            bytes[i] = (uint8_t)rand_next(&rand);
        if (seed % 2) { /* nearly right: only numbers are random */
            record.type %= RECORD_TYPE_COUNT;
            record.protocol %= PROTOCOL_COUNT;
            record.state %= PORT_STATE_COUNT;
            record.reason %= REASON_COUNT;
            record.note %= NOTE_COUNT;
            record.port = record.port % 2 ? 80 : 53;
            record.host = addr_v4(NETWORK + record.host.scope % 512);
            record.source = addr_v4(record.source.scope);
            record.time_ns &= INT64_MAX;
            record.rtt_ns &= INT64_MAX;
            record.rttvar_ns &= INT64_MAX;
            record.rto_ns &= INT64_MAX;
        }
        results_record(fixture->results, &record);
    }
    const struct results_totals *totals = results_totals(fixture->results);
    assert_true(totals->records_refused > 50000);
    assert_true(fixture->host_calls > 1000);
    uint64_t before = fixture->host_calls;
    results_flush(fixture->results, INT64_MAX);
    assert_true(fixture->host_calls - before <= fixture->plan->host_count);
    assert_int_equal(totals->hosts_up + totals->hosts_down, fixture->host_calls);
}

/* A /15 with 10 ports, every host open and every port answered at the same time. */
static void a_slash_15_with_all_hosts_open_takes_less_than_40_mb(void **state)
{
    (void)state;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct port_set *ports = calloc(1, sizeof *ports);
    assert_non_null(fixture);
    assert_non_null(ports);
    for (uint16_t i = 1; i <= 10; i++)
        port_set_add(ports, PORTS_TCP, i);
    fixture->plan = make_plan(131072, ports);
    struct results_config config = config_of(fixture);
    struct error err;
    assert_int_equal(results_new(&config, &fixture->results, &err), 0);

    size_t before = mallinfo2().uordblks;
    for (uint32_t i = 0; i < 131072; i++)
        assert_true(give(fixture, up(addr_v4(NETWORK + i))));
    assert_true(mallinfo2().uordblks - before < 14u << 20);
    for (uint16_t number = 1; number <= 10; number++)
        for (uint32_t i = 0; i < 131072; i++)
            assert_true(give(fixture, port(addr_v4(NETWORK + i), number, PORT_CLOSED, REASON_RESET)));
    assert_true(mallinfo2().uordblks - before < 40u << 20);
    results_flush(fixture->results, 9 * SEC);
    assert_int_equal(fixture->host_calls, 131072);
    assert_int_equal(results_totals(fixture->results)->ports[PORT_CLOSED], 1310720);

    void *context = fixture;
    free(ports);
    assert_int_equal(tear_down(&context), 0);
}

static void protocols_and_port_sets_are_numbered_alike(void **state)
{
    (void)state;
    assert_int_equal(PROTOCOL_TCP, PORTS_TCP);
    assert_int_equal(PROTOCOL_UDP, PORTS_UDP);
    assert_int_equal(PROTOCOL_SCTP, PORTS_SCTP);
    assert_int_equal(PROTOCOL_IP, PORTS_IP);
    assert_int_equal(PROTOCOL_COUNT, PORTS_PROTOCOL_COUNT);
}

/* Is a host with so many of 200 TCP ports open, by SYN/ACK, taken for one that answers everything? */
static bool answers_all_with(unsigned open)
{
    struct fixture fixture = {.plan = NULL};
    struct port_set *ports = calloc(1, sizeof *ports);
    struct error err;
    assert_non_null(ports);
    for (uint16_t port = 1; port <= 200; port++)
        port_set_add(ports, PORTS_TCP, port);
    fixture.plan = make_plan(1, ports);
    free(ports);
    struct results_config config = config_of(&fixture);
    assert_int_equal(results_new(&config, &fixture.results, &err), 0);
    give(&fixture, up(addr_v4(NETWORK)));
    for (unsigned port = 1; port <= open; port++)
        give(&fixture, (struct record){.type = RECORD_PORT,
                                       .host = addr_v4(NETWORK),
                                       .protocol = PROTOCOL_TCP,
                                       .port = (uint16_t)port,
                                       .state = PORT_OPEN,
                                       .reason = REASON_SYN_ACK});
    give(&fixture, (struct record){.type = RECORD_HOST_DONE, .host = addr_v4(NETWORK), .tries = 2});
    assert_int_equal(fixture.host_calls, 1);
    results_free(fixture.results);
    plan_done(fixture.plan);
    free(fixture.plan);
    return fixture.host.answers_all;
}

static void a_host_with_nearly_all_of_many_ports_open_answers_everything(void **state)
{
    (void)state;
    assert_true(answers_all_with(200));
    assert_true(answers_all_with(190));
    assert_false(answers_all_with(189));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RESULTS(of_many_foreign_senders_the_first_255_are_kept),
        WITH_RESULTS(random_records_neither_crash_nor_grow),
        cmocka_unit_test(a_slash_15_with_all_hosts_open_takes_less_than_40_mb),
        cmocka_unit_test(protocols_and_port_sets_are_numbered_alike),
        cmocka_unit_test(a_host_with_nearly_all_of_many_ports_open_answers_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
