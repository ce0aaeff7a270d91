/* Packets that came and proved nothing, by kind: as a scan counts them, as a store keeps them, as a report
 * names them. */
#pragma once

#include <stdint.h>

#include "cli/channel.h"
#include "report/report.h"
#include "store/load.h"

struct rejects {
    uint64_t count[PACKET_FAULT_COUNT]; /* by enum packet_fault; PACKET_OK: of those that could be read */
};

/* Of `rejected` packets in all. What is counted in `packets` may be ahead of it. */
struct rejects rejects_of(uint64_t rejected, const struct packet_totals *packets);

/* Those that the store of a scan has. */
struct rejects rejects_stored(const struct stored_scan *scan);
void rejects_add(struct rejects *rejects, const struct rejects *more);

/* Write them to a store, those that there are; or have a report name them. */
void rejects_keep(const struct rejects *rejects, struct batch *batch);
void rejects_report(const struct rejects *rejects, struct report_end *end);
