#include "base/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

struct addr addr_v4(uint32_t host_order)
{
    struct addr addr = {.family = ADDR_V4};
    put_be32(addr.bytes, host_order);
    return addr;
}

struct addr addr_v6(const uint8_t bytes[static 16], uint32_t scope)
{
    struct addr addr = {.family = ADDR_V6, .scope = scope};
    memcpy(addr.bytes, bytes, 16);
    return addr;
}

uint32_t addr_to_v4(const struct addr *addr)
{
    return get_be32(addr->bytes);
}

int addr_compare(const struct addr *a, const struct addr *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    int order = memcmp(a->bytes, b->bytes, sizeof a->bytes);
    if (order)
        return order;
    return a->scope < b->scope ? -1 : a->scope > b->scope;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
    return addr_compare(a, b) == 0;
}

size_t addr_len(const struct addr *addr)
{
    return addr->family == ADDR_V4 ? 4 : addr->family == ADDR_V6 ? 16 : 0;
}

bool addr_is_link_local(const struct addr *addr)
{
    return addr->family == ADDR_V6 && addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80;
}

static bool parse_zone(const char *zone, uint32_t *ret)
{
    unsigned index = if_nametoindex(zone);
    if (!index) {
        char *end;
        unsigned long number = strtoul(zone, &end, 10);
        if (zone[0] < '0' || zone[0] > '9' || *end || number == 0 || number > UINT32_MAX)
            return false;
        index = (unsigned)number;
    }
    *ret = index;
    return true;
}

bool addr_parse(const char *text, struct addr *ret)
{
    uint8_t bytes[16] = {0};
    if (inet_pton(AF_INET, text, bytes) == 1) {
        *ret = addr_v4(get_be32(bytes));
        return true;
    }

    const char *percent = strchr(text, '%');
    size_t len = percent ? (size_t)(percent - text) : strlen(text);
    char digits[INET6_ADDRSTRLEN];
    if (len >= sizeof digits)
        return false;
    memcpy(digits, text, len);
    digits[len] = '\0';

    uint32_t scope = 0;
    if (inet_pton(AF_INET6, digits, bytes) != 1 || (percent && !parse_zone(percent + 1, &scope)))
        return false;
    *ret = addr_v6(bytes, scope);
    return true;
}

const char *addr_format(const struct addr *addr, char text[static ADDR_TEXT_MAX])
{
    if (addr->family == ADDR_NONE) {
        text[0] = '\0';
        return text;
    }
    inet_ntop(addr->family == ADDR_V4 ? AF_INET : AF_INET6, addr->bytes, text, ADDR_TEXT_MAX);
    if (addr->scope) {
        char zone[IF_NAMESIZE];
        size_t len = strlen(text);
        if (if_indextoname(addr->scope, zone))
            snprintf(text + len, ADDR_TEXT_MAX - len, "%%%s", zone);
        else
            snprintf(text + len, ADDR_TEXT_MAX - len, "%%%u", addr->scope);
    }
    return text;
}
