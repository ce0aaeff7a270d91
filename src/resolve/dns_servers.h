/* The user's list of DNS servers. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

#define DNS_SERVERS_MAX 4 /* with more, the time that one look-up may take would leave too little for each */
#define DNS_PORT        53

struct dns_server {
    struct addr addr;
    uint16_t port;
};

struct dns_servers {
    struct dns_server list[DNS_SERVERS_MAX];
    size_t count; /* 0: the system's */
};

/* Read "address[:port],..."; an IPv6 address with a port is written "[address]:port". EX_USAGE names the
 * wrong piece. */
int dns_servers_parse(const char *text, struct dns_servers *ret, struct error *err);
