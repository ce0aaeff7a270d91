#include "cli/rejects.h"

#include <assert.h>

static_assert(PACKET_FAULT_COUNT <= REPORT_REJECTS_MAX && PACKET_FAULT_COUNT <= STORE_REJECTS_MAX,
              "there is room for every kind");

static const char *name_of(enum packet_fault kind)
{
    return kind == PACKET_OK ? "not proved" : packet_fault_name(kind);
}

struct rejects rejects_of(uint64_t rejected, const struct packet_totals *packets)
{
    struct rejects rejects = {.count = {0}};
    uint64_t left = rejected;
    for (unsigned i = PACKET_OK + 1; i < PACKET_FAULT_COUNT; i++) {
        uint64_t count = packets->faults[i];
        rejects.count[i] = count < left ? count : left;
        left -= rejects.count[i];
    }
    rejects.count[PACKET_OK] = left;
    return rejects;
}

struct rejects rejects_stored(const struct stored_scan *scan)
{
    struct rejects rejects;
    for (unsigned i = 0; i < PACKET_FAULT_COUNT; i++)
        rejects.count[i] = stored_scan_rejects(scan, name_of((enum packet_fault)i));
    return rejects;
}

void rejects_add(struct rejects *rejects, const struct rejects *more)
{
    for (unsigned i = 0; i < PACKET_FAULT_COUNT; i++)
        rejects->count[i] += more->count[i];
}

void rejects_keep(const struct rejects *rejects, struct batch *batch)
{
    for (unsigned i = 0; i < PACKET_FAULT_COUNT; i++) {
        if (rejects->count[i] > 0)
            rows_reject(batch, name_of((enum packet_fault)i), rejects->count[i]);
    }
}

void rejects_report(const struct rejects *rejects, struct report_end *end)
{
    for (unsigned i = 1; i <= PACKET_FAULT_COUNT; i++) {
        unsigned kind = i % PACKET_FAULT_COUNT; /* those that could be read come last */
        uint64_t count = rejects->count[kind];
        if (count > 0)
            end->rejects[end->reject_count++] =
                (struct report_reject){name_of((enum packet_fault)kind), count};
    }
}
