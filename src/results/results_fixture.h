/* What the tests of results share: results of a small plan, and what their callbacks were told. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "results/results.h"

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

/* A plan over 198.18.0.0 and host_count - 1 addresses more. To be released with plan_done and free. */
struct plan *make_plan(uint32_t host_count, struct port_set *ports);

/* TCP and UDP are scanned; the callbacks note what they are told in the fixture. */
struct results_config config_of(struct fixture *fixture);

/* Results of 256 hosts; ports: tcp 22, 80, 443, udp 53; sctp 5 is in the plan but not scanned. */
int set_up(void **state);
int tear_down(void **state);

/* Records, and how they are given to the results: false, they were refused. */
struct record up(struct addr host);
struct record port(struct addr host, uint16_t number, enum port_state state, enum reason reason);
struct record done(struct addr host);
bool give(struct fixture *fixture, struct record record);
