/* Do the ways to the destinations still hold? The kernel tells when links, addresses, routes or rules change;
 * the routes are then read anew, and the ways to the last destinations, a sample of them, are looked up in
 * both. What changes nothing for them is no news. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "netio/route/netlink_watch.h"
#include "netio/route/route.h"

#define WAY_SAMPLES 64 /* destinations; a power of two */

enum way_news {
    WAY_SAME,    /* no way that was looked at is another, */
    WAY_GONE,    /* one has no link, no route or no source any more */
    WAY_BACK,    /* every one is there again */
    WAY_SOURCE,  /* one begins at another address of ours */
    WAY_REROUTED /* one leads through another link or gateway */
};

struct way_watch {
    struct netlink_watch *netlink;    /* owned */
    const struct route_table *routes; /* in force: the borrowed ones of the start, or `loaded` */
    struct route_table *loaded;       /* owned; NULL: none was needed yet */
    struct addr samples[WAY_SAMPLES]; /* ADDR_NONE: free */
    struct addr missing[WAY_SAMPLES]; /* had a way, and have none now */
    bool stale;                       /* something changed since the routes were read */
    int64_t next_look_ns;             /* not before: reading them takes time */
    int64_t gone_since_ns;            /* 0: every way is there */
};

/* In zeroed memory. -EX_OSERR. */
int way_watch_open(struct way_watch *watch, const struct route_table *routes, struct error *err);
void way_watch_close(struct way_watch *watch);

/* A probe goes to dst. */
void way_watch_note(struct way_watch *watch, const struct addr *dst);

/* What has changed; watch->routes may be another table afterwards, and the one before is gone. Never
 * waits. */
enum way_news way_watch_look(struct way_watch *watch, int64_t now_ns);
