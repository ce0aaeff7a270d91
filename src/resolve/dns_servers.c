#include "resolve/dns_servers.h"

#include <stdbool.h>
#include <string.h>

#define PIECE_MAX (ADDR_TEXT_MAX + 16) /* an address, brackets, a colon and a port */

static bool parse_port(const char *text, uint16_t *ret)
{
    unsigned value = 0;
    size_t len = strspn(text, "0123456789");
    if (len == 0 || len > 5 || text[len])
        return false;
    for (size_t i = 0; i < len; i++)
        value = value * 10 + (unsigned)(text[i] - '0');
    if (value == 0 || value > UINT16_MAX)
        return false;
    *ret = (uint16_t)value;
    return true;
}

/* One server; `piece` is taken apart in place. */
static bool parse_server(char *piece, struct dns_server *ret)
{
    struct dns_server server = {.port = DNS_PORT};
    char *address = piece, *port = NULL;
    if (piece[0] == '[') {
        char *close = strchr(piece, ']');
        if (!close || (close[1] && close[1] != ':'))
            return false;
        *close = '\0';
        address = piece + 1;
        port = close[1] ? close + 2 : NULL;
    } else {
        char *colon = strchr(piece, ':');
        if (colon && !strchr(colon + 1, ':')) { /* two colons: an IPv6 address */
            *colon = '\0';
            port = colon + 1;
        }
    }
    if (port && !parse_port(port, &server.port))
        return false;
    /* A zone cannot be passed on to the library, and an address without one would not be reached. */
    if (!addr_parse(address, &server.addr) || server.addr.scope)
        return false;
    if (piece[0] == '[' && server.addr.family != ADDR_V6)
        return false;
    *ret = server;
    return true;
}

int dns_servers_parse(const char *text, struct dns_servers *ret, struct error *err)
{
    struct dns_servers servers = {.count = 0};
    for (const char *at = text;; at++) {
        char piece[PIECE_MAX];
        size_t len = strcspn(at, ",");
        if (servers.count == DNS_SERVERS_MAX)
            return error_set(err, EX_USAGE, "more than %d DNS servers: '%.200s'", DNS_SERVERS_MAX, text);
        bool fits = len < sizeof piece;
        if (fits) {
            memcpy(piece, at, len);
            piece[len] = '\0';
        }
        if (!fits || !parse_server(piece, &servers.list[servers.count]))
            return error_set(err, EX_USAGE,
                             "'%.*s' is not a DNS server: an address, or address:port, is wanted",
                             (int)(len < 200 ? len : 200), at);
        servers.count++;
        at += len;
        if (!*at)
            break;
    }
    *ret = servers;
    return 0;
}
