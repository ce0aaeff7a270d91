#include "netio/live/live.h"

#include <string.h>

#include "netio/live/live_core.h"
#include "netio/xdp/wire.h"

static bool has_ethernet(const struct route_table *routes)
{
    for (size_t i = 0; i < routes->link_count; i++) {
        const struct link *link = &routes->links[i];
        if (link->kind == LINK_ETHERNET && link->up &&
            (!routes->interface || link->index == routes->interface))
            return true;
    }
    return false;
}

static const char *usual(const struct route_table *routes)
{
    return has_ethernet(routes) ? "packet" : "raw";
}

/* The kernel backend proves itself: it takes its place at the interface here, and watches what becomes of its
 * frames. */
static int open_best(struct sockets *sockets, const struct route_table *routes,
                     const struct netio_live_options *options, struct netio **ret, struct error *ret_why_not,
                     struct error *err)
{
    struct error why_not = {.status = 0};
    if (!sockets->wire)
        why_not = sockets->why_no_wire;
    else if (options->why_not_kernel)
        error_set(&why_not, EX_UNAVAILABLE, "%s", options->why_not_kernel);
    else if (wire_io_open(sockets, routes, options, true, ret, &why_not) == 0)
        return 0;
    *ret_why_not = why_not;
    struct netio_live_options without = *options;
    without.backend = usual(routes);
    return netio_live_open(sockets, routes, &without, ret, ret_why_not, err);
}

int netio_live_open(struct sockets *sockets, const struct route_table *routes,
                    const struct netio_live_options *options, struct netio **ret, struct error *ret_why_not,
                    struct error *err)
{
    const char *name = options->backend ? options->backend : usual(routes);
    if (strcmp(name, "packet") == 0)
        return packet_open(sockets, routes, options, ret, err);
    if (strcmp(name, "raw") == 0)
        return raw_open(sockets, routes, options, ret, err);
    if (wire_is_backend(name))
        return wire_io_open(sockets, routes, options, strcmp(name, "kernel") == 0, ret, err);
    if (strcmp(name, WIRE_BEST) == 0)
        return open_best(sockets, routes, options, ret, ret_why_not, err);
    return error_set(err, EX_USAGE, "there is no backend '%s' (best, packet, xdp, kernel and raw are)", name);
}
