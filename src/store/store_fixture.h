/* The little scan of which the tests and the benchmark make stores: SYNs to the TCP ports from 1 on of addresses from
 * 198.18.0.0 on. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "store/rows.h"

#define FIXTURE_FIRST_HOST 0xc6120000u /* 198.18.0.0 */
#define FIXTURE_START_NS   (INT64_C(1767323045) * SEC)

/* Its plan. False without memory.
 *   ret  to be ended with plan_done */
bool store_fixture_plan(uint32_t hosts, uint16_t ports, uint64_t seed, struct plan *ret);

/* Its rows, as a scan begins a store with them. */
void store_fixture_scan(struct batch *batch, const struct plan *plan);
