/* What happened while a host was scanned, from the events of a store: to the way to it, to our own side, to
 * its limits. */
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "store/database.h"

struct story {
    struct addr host;
    uint16_t port;
    int64_t from_ns, until_ns; /* CLOCK_REALTIME; both are part of it */
};

/* "2026-01-02 15:04:05.123456", in local time; returns text. */
#define STORY_TIME_MAX 48
const char *story_time(int64_t time_ns, char text[static STORY_TIME_MAX]);

/* Print a line for each event of that time which concerns the host, and for each of the host's own at any
 * time. Beyond STORY_LINES lines those that concern others too are only counted. 0, or what reading the store
 * came to. */
#define STORY_LINES 40
int story_tell(struct database *database, const struct story *story, struct error *err);
