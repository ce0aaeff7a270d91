#include "store/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/query.h"

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

void store_fixture_event(struct batch *batch, const char *what)
{
    batch_row(batch, STORE_EVENT);
    batch_int(batch, 1);
    batch_text(batch, what);
    batch_null(batch);
    batch_int(batch, 2);
    batch_int(batch, 3);
}

int64_t store_fixture_count_events(struct database *database)
{
    int64_t count = -1;
    query_number(database, "SELECT count(*) FROM event", &count, NULL);
    return count;
}

bool store_place_make(struct store_place *ret)
{
    strcpy(ret->directory, "/tmp/portolan-XXXXXX");
    if (!mkdtemp(ret->directory))
        return false;
    snprintf(ret->file, sizeof ret->file, "%s/store", ret->directory);
    return true;
}

bool store_place_remove(const struct store_place *place)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    for (unsigned i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char path[sizeof place->file + 16];
        snprintf(path, sizeof path, "%s%s", place->file, endings[i]);
        unlink(path);
    }
    return rmdir(place->directory) == 0;
}
