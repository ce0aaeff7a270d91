/* Short words for scenarios; includes cmocka's assertions, so cmocka.h goes first. */
#pragma once

#include "scenario.h"
#include "technique/rows.h"
#include "technique/tcp_probe.h"

/* One host 1 ms away. ports is borrowed. */
static inline struct sim_host host_with(const char *address, const struct sim_port *ports, size_t port_count)
{
    struct sim_host host = {.rtt_ns = MSEC, .ports = ports, .port_count = port_count};
    assert_true(addr_parse(address, &host.first));
    host.last = host.first;
    return host;
}

#define OPEN_COUNT 20

/* Every 50th port is open; the last is 951. */
static inline void open_some(struct sim_port ports[static OPEN_COUNT])
{
    for (unsigned i = 0; i < OPEN_COUNT; i++) {
        uint16_t port = (uint16_t)(1 + 50 * i);
        ports[i] = (struct sim_port){IP_PROTO_TCP, port, port, SIM_OPEN, 0, 0, false};
    }
}

/* With such ports; all others drop everything. */
static inline struct sim_host firewalled_but_some(struct sim_port ports[static OPEN_COUNT])
{
    open_some(ports);
    struct sim_host host = host_with("198.18.0.2", ports, OPEN_COUNT);
    host.otherwise = SIM_DROP;
    return host;
}

/* Such a host's 1,000 ports: without a wait that its silence does not need. */
static inline void assert_firewalled_host_was_asked_twice(const struct scenario *scenario)
{
    assert_int_equal(scenario_count_wrong(scenario), 0);
    assert_true(scenario->stats.packets_sent < 2 * 1000 + 200);
    assert_true(scenario->took_ns < SEC / 2);
}

/* A SYN scan of ports 1 .. ports, without discovery. */
static inline struct scenario scan_of(const struct sim_host *hosts, size_t host_count, const char *first,
                                      const char *last, uint16_t ports)
{
    return (struct scenario){
        .sim = {.hosts = hosts, .host_count = host_count},
        .targets_first = first,
        .targets_last = last,
        .first_port = 1,
        .last_port = ports,
        .technique = &technique_syn,
        .timing = scenario_timing(),
        .seed = 1,
    };
}
