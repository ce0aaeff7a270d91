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

int netio_live_open(struct sockets *sockets, const struct route_table *routes,
                    const struct netio_live_options *options, struct netio **ret, struct error *err)
{
    const char *name = options->backend ? options->backend : has_ethernet(routes) ? "packet" : "raw";
    if (strcmp(name, "packet") == 0)
        return packet_open(sockets, routes, options, ret, err);
    if (strcmp(name, "raw") == 0)
        return raw_open(sockets, routes, options, ret, err);
    if (wire_is_backend(name))
        return wire_io_open(sockets, routes, options, strcmp(name, "kernel") == 0, ret, err);
    return error_set(err, EX_USAGE, "there is no backend '%s' (packet, xdp, kernel and raw are)", name);
}
