#include "results/results_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/time.h"

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

struct plan *make_plan(uint32_t host_count, struct port_set *ports)
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

struct results_config config_of(struct fixture *fixture)
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

int set_up(void **state)
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

int tear_down(void **state)
{
    struct fixture *fixture = *state;
    results_free(fixture->results);
    plan_done(fixture->plan);
    free(fixture->plan);
    free(fixture);
    return 0;
}

struct record up(struct addr host)
{
    return (struct record){.type = RECORD_HOST_UP,
                           .host = host,
                           .reason = REASON_ECHO_REPLY,
                           .ttl = 63,
                           .time_ns = SEC,
                           .rtt_ns = MSEC};
}

struct record port(struct addr host, uint16_t number, enum port_state state, enum reason reason)
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

struct record done(struct addr host)
{
    return (struct record){.type = RECORD_HOST_DONE, .host = host, .tries = 2, .time_ns = 3 * SEC};
}

bool give(struct fixture *fixture, struct record record)
{
    return results_record(fixture->results, &record);
}
