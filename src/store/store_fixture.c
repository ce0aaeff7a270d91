#include "store/store_fixture.h"

#include <stdlib.h>

bool store_fixture_plan(uint32_t hosts, uint16_t ports, uint64_t seed, struct plan *ret)
{
    struct port_set *set = calloc(1, sizeof *set);
    struct addr_set targets = {.v4 = NULL};
    struct plan_options options = {.seed = seed, .shard_count = 1};
    struct addr first = addr_v4(FIXTURE_FIRST_HOST);
    if (!set || addr_set_add(&targets, first, addr_v4(FIXTURE_FIRST_HOST + hosts - 1)) < 0) {
        free(set);
        return false;
    }
    for (uint32_t port = 1; port <= ports; port++)
        port_set_add(set, PORTS_TCP, (uint16_t)port);
    int r = plan_init(ret, &targets, NULL, NULL, set, &options, NULL);
    free(set);
    return r == 0;
}

void store_fixture_scan(struct batch *batch, const struct plan *plan)
{
    struct results_config config = {
        .plan = plan, .scanned = {[PROTOCOL_TCP] = true}, .silent_state = {[PROTOCOL_TCP] = PORT_FILTERED}};
    struct store_scan scan = {.portolan = "0",
                              .command = "portolan",
                              .words = "portolan",
                              .words_len = sizeof "portolan",
                              .scans = "syn",
                              .digest = "0",
                              .plan = plan,
                              .results = &config,
                              .started_ns = FIXTURE_START_NS};
    rows_scan(batch, &scan);
}
