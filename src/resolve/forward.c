#include "resolve/forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int system_family(enum addr_family family)
{
    return family == ADDR_V4 ? AF_INET : family == ADDR_V6 ? AF_INET6 : AF_UNSPEC;
}

bool forward_is_name(const char *name)
{
    size_t len = strlen(name);
    if (len && name[len - 1] == '.') /* the root label at the end */
        len--;
    size_t label = len;
    while (label && name[label - 1] != '.')
        label--;
    const char *last = name + label;
    size_t last_len = len - label;
    if (last_len == 0)
        return false;

    bool hexadecimal = last_len >= 2 && last[0] == '0' && (last[1] == 'x' || last[1] == 'X');
    return !hexadecimal && strspn(last, "0123456789") < last_len;
}

void forward_add(struct forward *forward, const struct sockaddr *address, enum addr_family family)
{
    struct addr addr = {.family = ADDR_NONE};
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        addr.family = ADDR_V4;
        memcpy(addr.bytes, &in.sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        addr = addr_v6(in6.sin6_addr.s6_addr, in6.sin6_scope_id);
    }
    if (addr.family == ADDR_NONE || (family != ADDR_NONE && addr.family != family))
        return;

    for (size_t i = 0; i < forward->count; i++)
        if (addr_equal(&forward->addrs[i], &addr))
            return;
    if (forward->count < FORWARD_ADDRS_MAX)
        forward->addrs[forward->count++] = addr;
}

static int look_up(const char *name, enum addr_family family, struct forward *ret)
{
    const struct addrinfo hints = {.ai_family = system_family(family), .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(name, NULL, &hints, &found);
    if (error)
        return error;
    for (const struct addrinfo *at = found; at; at = at->ai_next)
        forward_add(ret, at->ai_addr, family);
    freeaddrinfo(found);
    return ret->count ? 0 : EAI_NONAME;
}

/* The name exists, but not in the family that was asked for? */
static const char *other_family(const char *name, enum addr_family family)
{
    struct forward other = {.count = 0};
    if (family == ADDR_NONE || look_up(name, family == ADDR_V4 ? ADDR_V6 : ADDR_V4, &other))
        return NULL;
    return family == ADDR_V4 ? "it has only IPv6 addresses" : "it has only IPv4 addresses";
}

void forward_system(const char *name, enum addr_family family, struct forward *ret)
{
    *ret = (struct forward){.count = 0};
    int error = look_up(name, family, ret);
    if (!error)
        return;
    const char *reason = error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
    const char *better = error == EAI_NONAME || error == EAI_NODATA ? other_family(name, family) : NULL;
    snprintf(ret->reason, sizeof ret->reason, "%s", better ? better : reason);
}
