#include "report/remark.h"

#include <stdlib.h>
#include <string.h>

/* Fewer ports may be all alike by chance. */
#define PORTS_MIN 8

/* Hops. Initial TTLs (64, 128, 255) are further apart. */
#define WAY_MAX 32

static const char *tcp_scan(const struct report_run *run)
{
    for (size_t i = 0; i < run->scan_count; i++)
        if (run->scans[i].protocol == PROTOCOL_TCP)
            return run->scans[i].type;
    return "";
}

static void count_tcp(const struct host_result *host, uint32_t counts[static PORT_STATE_COUNT],
                      uint32_t *ret_resets)
{
    *ret_resets = 0;
    for (uint32_t i = 0; i < host->port_count; i++) {
        if (host->ports[i].protocol != PROTOCOL_TCP)
            continue;
        counts[host->ports[i].state]++;
        *ret_resets += host->ports[i].reason == REASON_RESET;
    }
}

static bool asks_closed_ports(const char *scan)
{
    static const char *const scans[] = {"null", "fin", "xmas", "maimon"};
    for (size_t i = 0; i < sizeof scans / sizeof scans[0]; i++)
        if (strcmp(scan, scans[i]) == 0)
            return true;
    return false;
}

/* What an idle scan promises (doc/decisions/008), and what it cannot know. */
static const char *remark_on_idle(const struct host_result *host)
{
    for (uint32_t i = 0; i < host->port_count; i++) {
        if (host->ports[i].state == PORT_OPEN)
            return "Idle scan: a port called open is wrong with a chance of 1 in 1,000,000 at most, one "
                   "called "
                   "closed|filtered is open with a chance of 1 in 1,000 at most.";
    }
    return host->unfinished
               ? NULL
               : "Idle scan: no port moved the zombie's ID. Either none is open, or packets in the "
                 "zombie's name do not reach this host; that cannot be told apart. Else an open "
                 "port was missed with a chance of 1 in 1,000 at most.";
}

/* The TTL that the answers of the host's services have; 0: not known, or not one. */
static uint8_t own_ttl(const struct host_result *host)
{
    uint8_t ttl = 0;
    for (uint32_t i = 0; i < host->port_count; i++) {
        const struct port_result *port = &host->ports[i];
        if (port->reason != REASON_SYN_ACK || port->ttl == 0)
            continue;
        if (ttl && port->ttl != ttl)
            return 0;
        ttl = port->ttl;
    }
    return ttl;
}

/* Did resets come another way than the answers of services? A stack may begin resets at another TTL, but those differ by
 * more than any way is long. */
static bool others_reset(const struct host_result *host)
{
    int own = own_ttl(host);
    for (uint32_t i = 0; own && i < host->port_count; i++) {
        const struct port_result *port = &host->ports[i];
        if (port->reason == REASON_RESET && port->ttl && port->ttl != own && abs(port->ttl - own) < WAY_MAX)
            return true;
    }
    return false;
}

const char *remark_on(const struct report_run *run, const struct host_result *host)
{
    if (others_reset(host))
        return "Some resets have another TTL than the answers of services: a box on the way, not the host, "
               "may have "
               "sent them.";
    if (host->answers_all)
        return "Nearly every port answers as if it were open: a SYN proxy, a tarpit or a firewall speaks for "
               "this "
               "host, and which of its ports are open is not known (low confidence).";
    if (run->idle)
        return remark_on_idle(host);
    const char *scan = tcp_scan(run);
    uint32_t counts[PORT_STATE_COUNT] = {0}, resets;
    count_tcp(host, counts, &resets);
    if (resets < PORTS_MIN)
        return NULL;

    if (asks_closed_ports(scan) && counts[PORT_CLOSED] == resets && counts[PORT_OPEN_FILTERED] == 0)
        return "Every port that answered was reset: some systems (Windows, many Cisco devices, OS/400) reset "
               "these probes "
               "on open ports too, and then this scan tells nothing apart.";
    if (strcmp(scan, "window") != 0)
        return NULL;
    if (counts[PORT_OPEN] == 0)
        return "No reset had a window: on most systems resets from open and closed ports look alike, and "
               "open ports would "
               "show as closed here.";
    if (counts[PORT_CLOSED] == 0)
        return "Every reset had a window: on this system it does not tell open ports from closed ones.";
    if (counts[PORT_OPEN] > counts[PORT_CLOSED])
        return "More ports look open than closed: on some systems it is the other way round, and the few "
               "that look closed "
               "may be the open ones.";
    return NULL;
}
