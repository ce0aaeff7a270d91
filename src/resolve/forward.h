/* From a name to its addresses, by the system's name service: /etc/nsswitch.conf, the hosts file, DNS,
 * whatever there is. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/addr.h"

#define FORWARD_ADDRS_MAX  256 /* more are left out */
#define FORWARD_REASON_MAX 128

/* What came of one look-up. */
struct forward {
    struct addr addrs[FORWARD_ADDRS_MAX]; /* in the order in which they should be tried, each once */
    size_t count;
    char reason[FORWARD_REASON_MAX]; /* when there is none: why; else empty */
};

/* Can it be a name at all? False for what getaddrinfo would take for an odd way to write an IPv4 address
 * ("10.1", "0x7f.1", "192.168.1"): nobody who writes that means the address it stands for. */
bool forward_is_name(const char *name);

/* Add an address as the socket calls give it, unless it is there, or of another family than the one
 * wanted. */
void forward_add(struct forward *forward, const struct sockaddr *address, enum addr_family family);

/* Blocks as long as the name service does.
 *   family  ADDR_NONE: both */
void forward_system(const char *name, enum addr_family family, struct forward *ret);
