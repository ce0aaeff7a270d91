/* The raw backend: IP packets through raw sockets; the kernel routes them and finds neighbours. For loopback,
 * tun and whatever has no frames of ours; works everywhere, at half the speed of `packet`. */
#include <stdlib.h>

#include "netio/live/live_core.h"

static enum reach raw_reach(struct netio *io, const struct addr *dst)
{
    struct route route;
    live_find_way((struct live *)io, dst, &route);
    if (route.kind == ROUTE_NONE)
        return REACH_NONE;
    return route.kind == ROUTE_LOCAL ? REACH_LOCAL : REACH_ROUTED;
}

static enum stage raw_stage(struct live *live, const struct staging *at, struct probe *probe, int *ret_error)
{
    struct route route;
    live_find_way(live, &probe->dst, &route);
    if (route.kind == ROUTE_NONE)
        return live_refuse(live, route.error, at->now_ns, ret_error);
    return live_keep_raw(live, at, probe, &route, ret_error);
}

static bool raw_can(const struct netio *io, enum request_kind kind)
{
    (void)io;
    return kind == REQUEST_PACKET;
}

static void raw_close(struct netio *io)
{
    struct live *live = (struct live *)io;
    live_close(live);
    free(live);
}

int raw_open(struct sockets *sockets, const struct route_table *routes,
             const struct netio_live_options *options, struct netio **ret, struct error *err)
{
    static const struct netio_ops ops = {
        .name = "raw",
        .slice_ns = MSEC,
        .now = live_now,
        .reach = raw_reach,
        .source = live_source,
        .work = live_work,
        .can = raw_can,
        .close = raw_close,
    };
    static const struct live_ops live_ops = {.stage = raw_stage};

    struct live *live = calloc(1, sizeof *live);
    if (!live)
        return error_set(err, EX_OSERR, "no memory for the raw backend");
    /* The kernel looks up its own route for each packet: it has to know the interface that the user wants. */
    int result = live_bind_raw(sockets, routes->options.interface, err);
    if (result == 0)
        result = live_open(live, sockets, routes, options, err);
    if (result < 0) {
        free(live);
        return result;
    }
    live->io.ops = &ops;
    live->ops = &live_ops;
    *ret = &live->io;
    return 0;
}
