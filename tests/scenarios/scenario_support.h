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
