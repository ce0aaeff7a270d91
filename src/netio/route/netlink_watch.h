/* Tells that links, addresses, routes or rules have changed (rtnetlink(7)), and reads them anew, through
 * sockets that were opened at the start: later a process may open none. Needs no privilege. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "netio/route/netlink.h"

struct netlink_watch;

/* *ret is to be released with netlink_watch_close. -EX_OSERR. */
int netlink_watch_open(struct netlink_watch **ret, struct error *err);
void netlink_watch_close(struct netlink_watch *watch); /* NULL is allowed */

/* Readable when there may be news. */
int netlink_watch_fd(const struct netlink_watch *watch);

/* Has anything changed since the last call? Never waits. */
bool netlink_watch_changed(struct netlink_watch *watch);

/* As netlink_visit, with the same errors. */
int netlink_watch_visit(struct netlink_watch *watch, const struct netlink_visitor *visitor,
                        struct error *err);
