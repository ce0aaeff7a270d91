#include "results/results.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "base/time.h"

#define NETWORK    0xc6120000 /* 198.18.0.0 */
#define HOST       addr_v4(NETWORK + 1)
#define OTHER_HOST addr_v4(NETWORK + 2)
#define ROUTER     addr_v4(0xcb007101) /* 203.0.113.1 */

/* What the callbacks were told last, and how often. */
struct fixture {
    struct plan *plan;
    struct results *results;
    unsigned host_calls;
    unsigned port_calls;
    struct host_result host;
    char names[2][64]; /* user's, PTR's */
    struct port_result ports[16];
    struct port_result told;
};

static void on_host(void *context, const struct host_result *host)
{
    struct fixture *fixture = context;
    fixture->host_calls++;
    fixture->host = *host;
    snprintf(fixture->names[0], sizeof fixture->names[0], "%s", host->user_name ? host->user_name : "");
    snprintf(fixture->names[1], sizeof fixture->names[1], "%s", host->ptr_name ? host->ptr_name : "");
    for (uint32_t i = 0; i < host->port_count && i < 16; i++)
        fixture->ports[i] = host->ports[i];
}

static void on_port(void *context, const struct addr *host, const struct port_result *port)
{
    (void)host;
    struct fixture *fixture = context;
    fixture->port_calls++;
    fixture->told = *port;
}

/* A plan over 198.18.0.0 and host_count - 1 addresses more. */
static struct plan *make_plan(uint32_t host_count, struct port_set *ports)
{
    struct plan *plan = calloc(1, sizeof *plan);
    assert_non_null(plan);
    struct addr_set targets = {0};
    assert_int_equal(addr_set_add(&targets, addr_v4(NETWORK), addr_v4(NETWORK + host_count - 1)), 0);
    struct plan_options options = {.seed = 1, .shard_count = 1};
    struct error err;
    assert_int_equal(plan_init(plan, &targets, NULL, NULL, ports, &options, &err), 0);
    return plan;
}

static struct results_config config_of(struct fixture *fixture)
{
    return (struct results_config){
        .plan = fixture->plan,
        .scanned = {[PROTOCOL_TCP] = true, [PROTOCOL_UDP] = true},
        .silent_state = {[PROTOCOL_TCP] = PORT_FILTERED, [PROTOCOL_UDP] = PORT_OPEN_FILTERED},
        .context = fixture,
        .host = on_host,
        .port = on_port,
    };
}

/* Ports: tcp 22, 80, 443, udp 53; sctp 5 is in the plan but not scanned. */
static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct port_set *ports = calloc(1, sizeof *ports);
    assert_non_null(fixture);
    assert_non_null(ports);
    port_set_add(ports, PORTS_TCP, 22);
    port_set_add(ports, PORTS_TCP, 80);
    port_set_add(ports, PORTS_TCP, 443);
    port_set_add(ports, PORTS_UDP, 53);
    port_set_add(ports, PORTS_SCTP, 5);
    fixture->plan = make_plan(256, ports);
    free(ports);
    struct results_config config = config_of(fixture);
    struct error err;
    assert_int_equal(results_new(&config, &fixture->results, &err), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    results_free(fixture->results);
    plan_done(fixture->plan);
    free(fixture->plan);
    free(fixture);
    return 0;
}

static struct record up(struct addr host)
{
    return (struct record){.type = RECORD_HOST_UP,
                           .host = host,
                           .reason = REASON_ECHO_REPLY,
                           .ttl = 63,
                           .time_ns = SEC,
                           .rtt_ns = MSEC};
}

static struct record port(struct addr host, uint16_t number, enum port_state state, enum reason reason)
{
    return (struct record){.type = RECORD_PORT,
                           .host = host,
                           .protocol = PROTOCOL_TCP,
                           .port = number,
                           .state = (uint8_t)state,
                           .reason = (uint8_t)reason,
                           .ttl = 64,
                           .tries = 1,
                           .time_ns = 2 * SEC,
                           .rtt_ns = 2 * MSEC};
}

static struct record done(struct addr host)
{
    return (struct record){.type = RECORD_HOST_DONE, .host = host, .tries = 2, .time_ns = 3 * SEC};
}

static bool give(struct fixture *fixture, struct record record)
{
    return results_record(fixture->results, &record);
}

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

/* A path may answer from as many addresses as it likes: what is kept of a host stays bounded, and the states right. */
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
            record.flags &= RECORD_FLAGS_ALL;
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

#define WITH_RESULTS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

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
        WITH_RESULTS(of_many_foreign_senders_the_first_255_are_kept),
        WITH_RESULTS(random_records_neither_crash_nor_grow),
        cmocka_unit_test(a_slash_15_with_all_hosts_open_takes_less_than_40_mb),
        cmocka_unit_test(protocols_and_port_sets_are_numbered_alike),
        cmocka_unit_test(a_host_with_nearly_all_of_many_ports_open_answers_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
