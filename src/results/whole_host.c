#include "results/whole_host.h"

#include <stdlib.h>

/* Hops. A stack may begin resets and errors at another TTL than the rest (64, 128, 255), but those differ by
 * more than any way is long. */
#define WAY_MAX 32

/* From how many ports, and what share of those scanned, on. */
#define EVERYTHING_PORTS_MIN 100
#define EVERYTHING_SHARE     0.95

static uint8_t ttl_of_pings(const struct host_result *host)
{
    bool replied = host->reason == REASON_ECHO_REPLY || host->reason == REASON_TIMESTAMP_REPLY;
    return replied && host->source.family == ADDR_NONE ? host->ttl : 0;
}

static bool is_service(const struct port_result *port)
{
    return port->state == PORT_OPEN && port->source.family == ADDR_NONE && port->ttl &&
           (port->reason == REASON_SYN_ACK || port->reason == REASON_UDP_RESPONSE ||
            port->reason == REASON_INIT_ACK);
}

/* 0: no service answered, or they do not agree. */
static uint8_t ttl_of_services(const struct port_result *ports, uint32_t count)
{
    uint8_t ttl = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_service(&ports[i]))
            continue;
        if (ttl && ports[i].ttl != ttl)
            return 0;
        ttl = ports[i].ttl;
    }
    return ttl;
}

static bool may_be_forged(const struct port_result *port)
{
    switch ((enum reason)port->reason) {
    case REASON_RESET:
    case REASON_ABORT:
    case REASON_NET_UNREACH:
    case REASON_HOST_UNREACH:
    case REASON_PROTO_UNREACH:
    case REASON_PORT_UNREACH:
    case REASON_DEST_UNREACH:
    case REASON_NET_PROHIBITED:
    case REASON_HOST_PROHIBITED:
    case REASON_ADMIN_PROHIBITED:
        return port->source.family == ADDR_NONE && port->ttl;
    case REASON_NO_RESPONSE:
    case REASON_SYN_ACK:
    case REASON_SPLIT_HANDSHAKE_SYN:
    case REASON_CONN_REFUSED:
    case REASON_UDP_RESPONSE:
    case REASON_PROTO_RESPONSE:
    case REASON_INIT_ACK:
    case REASON_ERROR_CHUNK:
    case REASON_TIME_EXCEEDED:
    case REASON_PARAM_PROBLEM:
    case REASON_NO_ROUTE:
    case REASON_BEYOND_SCOPE:
    case REASON_REJECT_ROUTE:
    case REASON_ECHO_REPLY:
    case REASON_TIMESTAMP_REPLY:
    case REASON_ARP_RESPONSE:
    case REASON_ND_RESPONSE:
    case REASON_LOCALHOST_RESPONSE:
    case REASON_USER_SET:
    case REASON_IPID_CHANGE:
    case REASON_NO_IPID_CHANGE:
    case REASON_FTP_OPEN:
    case REASON_FTP_REFUSED:
    case REASON_RELAY_REFUSED:
    case REASON_UNFINISHED:
    case REASON_PROBE_RETURNED:
    case REASON_COUNT:
        break;
    }
    return false;
}

static bool another_way(int ttl, int own)
{
    return own && ttl != own && abs(ttl - own) < WAY_MAX;
}

static bool answers_everything(const struct port_result *ports, uint32_t count)
{
    uint32_t asked = 0, answered = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (ports[i].protocol != PROTOCOL_TCP)
            continue;
        asked++;
        answered += ports[i].state == PORT_OPEN && ports[i].reason == REASON_SYN_ACK;
    }
    return answered >= EVERYTHING_PORTS_MIN && (double)answered >= EVERYTHING_SHARE * (double)asked;
}

/* Behind address translation pings are answered one hop before the services: either TTL is the host's own. */
static void mark_foreign(struct host_result *host, struct port_result *ports)
{
    uint8_t pings = ttl_of_pings(host), services = ttl_of_services(ports, host->port_count);
    host->own_ttl = services ? services : pings;
    for (uint32_t i = 0; i < host->port_count; i++) {
        uint8_t ttl = ports[i].ttl;
        ports[i].foreign = may_be_forged(&ports[i]) && ttl != pings && ttl != services &&
                           (another_way(ttl, pings) || another_way(ttl, services));
    }
}

void whole_host_derive(struct host_result *host, struct port_result *ports)
{
    host->answers_all = host->answers_all || answers_everything(ports, host->port_count);
    mark_foreign(host, ports);
}
