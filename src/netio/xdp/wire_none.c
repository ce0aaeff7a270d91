/* In place of wire_load.c, wire_io.c and what they use, in a build without libbpf. */
#include "netio/live/live_core.h"
#include "netio/xdp/wire.h"

int wire_open(struct wire **ret, struct error *err)
{
    (void)ret;
    return error_set(err, EX_UNAVAILABLE, "this program was built without XDP (the Meson option xdp)");
}

bool wire_link_is_taken(uint32_t link)
{
    (void)link;
    return false;
}

void answers_close(struct answers *answers)
{
    *answers = (struct answers){.fd = -1, .link_fd = -1};
}

unsigned answers_read(struct answers *answers)
{
    (void)answers;
    return 0;
}

void answers_wait(struct answers *answers, bool waits)
{
    (void)answers;
    (void)waits;
}

int wire_io_open(struct sockets *sockets, const struct route_table *routes,
                 const struct netio_live_options *options, bool kernel, struct netio **ret, struct error *err)
{
    (void)sockets;
    (void)routes;
    (void)options;
    (void)ret;
    return error_set(err, EX_UNAVAILABLE, "the backend '%s' is not part of this build (the Meson option xdp)",
                     kernel ? "kernel" : "xdp");
}
