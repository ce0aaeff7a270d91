/* Two scans of a host, port by port. Absence is never taken for an answer: a port that only one scan covered
 * is said to be that, and a difference that rests on a doubtful silence is uncertain. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "results/results.h"
#include "store/load.h"

enum change {
    CHANGE_NONE,
    CHANGE_OPENED,    /* open now, and was something else, or was not covered */
    CHANGE_CLOSED,    /* was open, and is something else now */
    CHANGE_STATE,     /* any other two states */
    CHANGE_UNCOVERED, /* the second scan did not cover it, or did not come to it */
    CHANGE_UNCERTAIN, /* one of the two rests on silence after a single try, or that was believed early */
    CHANGE_COUNT
};

const char *change_name(enum change change);

/* A port as one of the scans left it. */
struct compare_port {
    const struct port_result *port; /* NULL: that scan did not ask it */
    bool capped;                    /* silence of its host was believed early: host_result.capped */
};

/* A port of a host in both scans; one of them must have asked it.
 *   down  the scan that did not found the host down; else it did not cover the port */
enum change compare_ports(struct compare_port before, struct compare_port after, bool down);

/* Neighbouring ports of a host that changed alike. */
struct compare_run {
    const char *address;
    enum change change;
    const char *before, *after; /* names of states, "down" or "not covered" */
    uint8_t protocol;           /* enum protocol */
    uint16_t first, last;
};

/* Goes through the hosts of both stores, in the order of their addresses. */
struct compare_sink {
    int (*ports)(void *context, const struct compare_run *run);
    void *context;
};

/* 0, an error of reading, or what the sink returned. */
int compare_stores(struct database *before, const struct stored_scan *before_scan, struct database *after,
                   const struct stored_scan *after_scan, const struct compare_sink *sink, struct error *err);
