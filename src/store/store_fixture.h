/* What the tests and the benchmark make stores of: a little scan, SYNs to the TCP ports from 1 on of
 * addresses from 198.18.0.0 on; and where the tests make them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "store/database.h"
#include "store/rows.h"

#define FIXTURE_FIRST_HOST 0xc6120000u /* 198.18.0.0 */
#define FIXTURE_START_NS   (INT64_C(1767323045) * SEC)

/* Its plan. False without memory.
 *   ret  to be ended with plan_done */
bool store_fixture_plan(uint32_t hosts, uint16_t ports, uint64_t seed, struct plan *ret);

/* Its rows, as a scan begins a store with them. */
void store_fixture_scan(struct batch *batch, const struct plan *plan);

/* An event with this name; NULL: one that no store takes. And how many there are. */
void store_fixture_event(struct batch *batch, const char *what);
int64_t store_fixture_count_events(struct database *database);

/* A directory of its own for one store. */
struct store_place {
    char directory[64];
    char file[96]; /* of the store, which is not there yet */
};

bool store_place_make(struct store_place *ret);

/* With the store, and what SQLite may have left beside it. False: something else is in it. */
bool store_place_remove(const struct store_place *place);
