/* What several reports say in the same words. Text goes to a buffer of the caller's and is returned. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "report/report.h"

#define PHRASE_TIME_MAX    64
#define PHRASE_SUMMARY_MAX 128
#define PHRASE_TRUST_MAX   256

/* Local time, as ctime() writes it: "Fri Jan  2 03:04:05 2026". */
const char *phrase_time(int64_t time_ns, char text[static PHRASE_TIME_MAX]);

/* Local time with its zone: "2026-01-02 03:04:05 UTC". */
const char *phrase_time_zone(int64_t time_ns, char text[static PHRASE_TIME_MAX]);

/* UTC to the second and to the microsecond, RFC 3339: "2026-01-02T03:04:05Z",
 * "2026-01-02T03:04:05.000001Z". */
const char *phrase_time_utc(int64_t time_ns, char text[static PHRASE_TIME_MAX]);
const char *phrase_time_utc_us(int64_t time_ns, char text[static PHRASE_TIME_MAX]);

/* How long the run took, in seconds with two places: "0.25". */
const char *phrase_elapsed(const struct report_run *run, const struct report_end *end,
                           char text[static PHRASE_TIME_MAX]);

/* "1 IP address (1 host up) scanned in 0.25 seconds" */
const char *phrase_summary(const struct report_run *run, const struct report_end *end,
                           char text[static PHRASE_SUMMARY_MAX]);

/* How far the results can be trusted: "Probes: 1000 | Answers: 999 | Lost on the way: 0.1% | Lost by us: 0 |
 * ..." */
const char *phrase_trust(const struct report_run *run, const struct report_end *end,
                         char text[static PHRASE_TRUST_MAX]);

/* "" or "s" */
const char *phrase_plural(uint64_t count);

/* The service table's name of a port, or NULL. */
const char *phrase_service(const struct report_run *run, const struct port_result *port);
