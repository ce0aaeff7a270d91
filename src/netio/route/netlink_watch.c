#include "netio/route/netlink_watch.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct netlink_watch {
    struct mnl_socket *news; /* both owned */
    struct mnl_socket *questions;
};

static struct mnl_socket *open_socket(unsigned groups)
{
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (socket && mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID) < 0) {
        mnl_socket_close(socket);
        return NULL;
    }
    return socket;
}

int netlink_watch_open(struct netlink_watch **ret, struct error *err)
{
    const unsigned groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
                            RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_RULE;
    struct netlink_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return error_set(err, EX_OSERR, "out of memory");
    watch->news = open_socket(groups);
    watch->questions = open_socket(0);
    if (!watch->news || !watch->questions) {
        error_set(err, EX_OSERR, "cannot watch the kernel's routes: %s", strerror(errno));
        netlink_watch_close(watch);
        return -EX_OSERR;
    }
    *ret = watch;
    return 0;
}

void netlink_watch_close(struct netlink_watch *watch)
{
    if (!watch)
        return;
    if (watch->news)
        mnl_socket_close(watch->news);
    if (watch->questions)
        mnl_socket_close(watch->questions);
    free(watch);
}

int netlink_watch_fd(const struct netlink_watch *watch)
{
    return mnl_socket_get_fd(watch->news);
}

/* What it is does not matter: everything is read anew. ENOBUFS says that some news were lost, so there were
 * some. */
bool netlink_watch_changed(struct netlink_watch *watch)
{
    char buffer[8192];
    bool changed = false;
    for (;;) {
        ssize_t len = recv(mnl_socket_get_fd(watch->news), buffer, sizeof buffer, MSG_DONTWAIT);
        if (len <= 0 && (len == 0 || (errno != ENOBUFS && errno != EINTR)))
            return changed;
        changed = true;
    }
}

int netlink_watch_visit(struct netlink_watch *watch, const struct netlink_visitor *visitor, struct error *err)
{
    return netlink_visit_through(watch->questions, visitor, err);
}
