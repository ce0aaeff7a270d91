/* Single questions to the kernel's tables (rtnetlink(7)), for who left neighbours to the kernel. Needs no
 * privilege. */
#pragma once

#include <stdbool.h>

#include "base/addr.h"
#include "base/error.h"

struct mnl_socket;

/* *ret is to be released with netlink_ask_close. -EX_OSERR without descriptors. */
int netlink_ask_open(struct mnl_socket **ret, struct error *err);
void netlink_ask_close(struct mnl_socket *socket); /* NULL is allowed */

/* Has the kernel asked (ARP, RFC 826; neighbour solicitation, RFC 4861 section 7.2) who has the next hop
 * towards dst, and has nobody answered, so far or at all? False also when it has not asked, has forgotten, or
 * there is no route.
 *   interface  index of the one that packets leave through; 0: as routes say */
bool netlink_next_hop_is_missing(struct mnl_socket *socket, const struct addr *dst, unsigned interface);
