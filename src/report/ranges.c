#include "report/ranges.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define RANGE_TEXT_MAX sizeof ",65535-65535"

/* Text that grows by one range at a time. */
struct ranges {
    char *text; /* owned */
    size_t len;
    size_t capacity;
    bool failed;  /* no memory */
    bool pending; /* first .. last is not written yet */
    uint16_t first;
    uint16_t last;
};

static void write_pending(struct ranges *ranges)
{
    if (!ranges->pending || ranges->failed)
        return;
    if (ranges->capacity - ranges->len < RANGE_TEXT_MAX) {
        size_t capacity = 2 * ranges->capacity + RANGE_TEXT_MAX;
        char *text = realloc(ranges->text, capacity);
        if (!text) {
            ranges->failed = true;
            return;
        }
        ranges->text = text;
        ranges->capacity = capacity;
    }
    char *at = ranges->text + ranges->len;
    size_t room = ranges->capacity - ranges->len;
    const char *comma = ranges->len ? "," : "";
    int written = ranges->first == ranges->last
                      ? snprintf(at, room, "%s%u", comma, ranges->first)
                      : snprintf(at, room, "%s%u-%u", comma, ranges->first, ranges->last);
    ranges->len += (size_t)written;
    ranges->pending = false;
}

/* Ports come in ascending order. */
static void add_port(struct ranges *ranges, uint16_t port)
{
    if (ranges->pending && port == ranges->last + 1) {
        ranges->last = port;
        return;
    }
    write_pending(ranges);
    ranges->first = port;
    ranges->last = port;
    ranges->pending = true;
}

static char *take_text(struct ranges *ranges)
{
    write_pending(ranges);
    if (ranges->failed) {
        free(ranges->text);
        return NULL;
    }
    return ranges->text ? ranges->text : calloc(1, 1);
}

char *ranges_of_reason(const struct host_result *host, const struct fold_reason *reason)
{
    struct ranges ranges = {0};
    for (uint32_t i = 0; i < host->port_count; i++) {
        const struct port_result *port = &host->ports[i];
        if (port->state == reason->state && port->reason == reason->reason &&
            port->protocol == reason->protocol && port->confirmation != CONFIRMATION_ACKNOWLEDGED)
            add_port(&ranges, port->port);
    }
    return take_text(&ranges);
}

char *ranges_of_foreign(const struct host_result *host, enum protocol protocol)
{
    struct ranges ranges = {0};
    for (uint32_t i = 0; i < host->port_count; i++)
        if (host->ports[i].foreign && host->ports[i].protocol == protocol)
            add_port(&ranges, host->ports[i].port);
    return take_text(&ranges);
}

char *ranges_of_silent(const struct host_result *host, enum protocol protocol)
{
    struct ranges ranges = {0};
    for (uint32_t i = 0; i < host->port_count; i++)
        if (host->ports[i].reason == REASON_NO_RESPONSE && host->ports[i].protocol == protocol)
            add_port(&ranges, host->ports[i].port);
    return take_text(&ranges);
}

char *ranges_of_set(const struct port_set *set, enum port_protocol protocol)
{
    struct ranges ranges = {0};
    for (uint32_t port = 0; port <= UINT16_MAX; port++)
        if (port_set_has(set, protocol, (uint16_t)port))
            add_port(&ranges, (uint16_t)port);
    return take_text(&ranges);
}
