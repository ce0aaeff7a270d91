/* How far the scan is, in words. */
#pragma once

#include <stdint.h>

#include "verdict/record.h"

#define PROGRESS_TEXT_MAX 192

struct progress {
    int64_t start_ns;                /* any clock, the same for both functions */
    uint64_t values[PROGRESS_COUNT]; /* the latest, by enum progress_value */
    uint64_t found;                  /* open ports, or hosts that are up when no ports are scanned */
};

/* For the line that is drawn again and again: "12.3 kpps   42.1% done   0:03:12 left   found 120   drops
 * 0". */
void progress_line(const struct progress *progress, int64_t now_ns, char ret[static PROGRESS_TEXT_MAX]);

/* For a line that stays: "0:00:07 elapsed, 20 hosts completed (1 up), 33.3% done, 0:00:12 left, ...". */
void progress_status(const struct progress *progress, int64_t now_ns, char ret[static PROGRESS_TEXT_MAX]);
