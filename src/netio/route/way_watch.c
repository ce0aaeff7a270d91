#include "netio/route/way_watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "netio/clock.h"

/* Where routes come and go all the time, reading them takes a twentieth of the time at most. */
#define SHARE_OF_TIME  20
#define LOOK_PERIOD_NS (5 * MSEC)

int way_watch_open(struct way_watch *watch, const struct route_table *routes, struct error *err)
{
    watch->routes = routes;
    return netlink_watch_open(&watch->netlink, err);
}

static void drop_loaded(struct way_watch *watch)
{
    if (watch->loaded)
        route_table_done(watch->loaded);
    free(watch->loaded);
    watch->loaded = NULL;
}

void way_watch_close(struct way_watch *watch)
{
    netlink_watch_close(watch->netlink);
    drop_loaded(watch);
    *watch = (struct way_watch){.netlink = NULL};
}

void way_watch_note(struct way_watch *watch, const struct addr *dst)
{
    /* Networks rather than hosts: the last byte but one, and the next, tell IPv4 networks and IPv6 ones
     * apart. */
    unsigned hash = dst->bytes[1] * 7u + dst->bytes[2] * 5u + dst->bytes[3] / 16u + dst->bytes[7] * 3u;
    watch->samples[hash % WAY_SAMPLES] = *dst;
}

static bool same_link(const struct link *a, const struct link *b)
{
    return (!a && !b) || (a && b && a->index == b->index);
}

/* From the way before to the way now. */
static enum way_news compare(const struct route *before, const struct route *now)
{
    if (now->kind == ROUTE_NONE)
        return before->kind == ROUTE_NONE ? WAY_SAME : WAY_GONE;
    if (before->kind == ROUTE_NONE)
        return WAY_SAME; /* a way that appears was not used */
    if (!addr_equal(&before->source, &now->source))
        return WAY_SOURCE;
    bool same = before->kind == now->kind && same_link(before->link, now->link) &&
                addr_equal(&before->next_hop, &now->next_hop);
    return same ? WAY_SAME : WAY_REROUTED;
}

/* Is a destination that lost its way still without? */
static bool any_is_missing(struct way_watch *watch, const struct route_table *table)
{
    bool missing = false;
    for (unsigned i = 0; i < WAY_SAMPLES; i++) {
        struct route route = {.kind = ROUTE_NONE};
        if (watch->missing[i].family == ADDR_NONE)
            continue;
        route_find(table, &watch->missing[i], &route);
        if (route.kind != ROUTE_NONE)
            watch->missing[i].family = ADDR_NONE;
        else
            missing = true;
    }
    return missing;
}

static enum way_news judge(struct way_watch *watch, const struct route_table *fresh, int64_t now_ns)
{
    enum way_news news = WAY_SAME;
    for (unsigned i = 0; i < WAY_SAMPLES; i++) {
        struct route before, now;
        if (watch->samples[i].family == ADDR_NONE)
            continue;
        route_find(watch->routes, &watch->samples[i], &before);
        route_find(fresh, &watch->samples[i], &now);
        enum way_news one = compare(&before, &now);
        if (one == WAY_GONE)
            watch->missing[i] = watch->samples[i];
        if (one != WAY_SAME && (news == WAY_SAME || one < news))
            news = one;
    }
    bool missing = any_is_missing(watch, fresh);
    if (missing && !watch->gone_since_ns) {
        watch->gone_since_ns = now_ns;
        return WAY_GONE;
    }
    if (!missing && watch->gone_since_ns) {
        watch->gone_since_ns = 0;
        return WAY_BACK;
    }
    return news == WAY_GONE ? WAY_SAME : news;
}

enum way_news way_watch_look(struct way_watch *watch, int64_t now_ns)
{
    if (netlink_watch_changed(watch->netlink))
        watch->stale = true;
    if (!watch->stale || now_ns < watch->next_look_ns)
        return WAY_SAME;
    struct error err;
    struct route_table *fresh = calloc(1, sizeof *fresh);
    int result =
        fresh ? route_table_load_again(fresh, watch->netlink, &watch->routes->options, &err) : -EX_OSERR;
    int64_t took_ns = clock_monotonic_ns() - now_ns;
    watch->next_look_ns = now_ns + LOOK_PERIOD_NS + SHARE_OF_TIME * took_ns;
    if (result <
        0) { /* they changed meanwhile, or the interface that the user named is gone: look again later */
        free(fresh);
        return WAY_SAME;
    }
    watch->stale = false;
    enum way_news news = judge(watch, fresh, now_ns);
    drop_loaded(watch);
    watch->loaded = fresh;
    watch->routes = fresh;
    return news;
}
