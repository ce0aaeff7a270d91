/* Source address selection: for IPv4 as the kernel's inet_select_addr does, for IPv6 as RFC 6724 section 5
 * says. */
#include "netio/route/route.h"

#include <linux/rtnetlink.h>

static unsigned common_prefix_len(const struct addr *a, const struct addr *b)
{
    unsigned len = 0;
    for (size_t i = 0; i < addr_len(a); i++) {
        unsigned difference = a->bytes[i] ^ b->bytes[i];
        if (!difference) {
            len += 8;
            continue;
        }
        while (!(difference & 0x80)) {
            difference <<= 1;
            len++;
        }
        return len;
    }
    return len;
}

static bool is_unique_local(const struct addr *addr)
{
    return (addr->bytes[0] & 0xfe) == 0xfc; /* RFC 4193 */
}

/* RFC 4291 section 2.7 scopes, as far as unicast source addresses differ in them. */
static unsigned scope_of(const struct addr *addr)
{
    if (addr->bytes[0] == 0xff)
        return addr->bytes[1] & 0x0f;
    return addr_is_link_local(addr) ? 0x2 : 0xe;
}

/* Points by the rules of RFC 6724 section 5, the earlier the heavier; the rules of mobility and of temporary
 * addresses are left out. 0: not to be used. */
static unsigned score6(const struct link_address *candidate, const struct link *link, const struct addr *dst)
{
    const struct addr *addr = &candidate->addr;
    unsigned scope = scope_of(addr), wanted = scope_of(dst);
    if (scope < wanted && scope == 0x2)
        return 0; /* a link-local source never leaves its link */
    if (scope == 0x2 && candidate->index != link->index)
        return 0;
    unsigned prefix = common_prefix_len(addr, dst);
    if (prefix > candidate->prefix_len)
        prefix = candidate->prefix_len;
    return 1 + ((unsigned)addr_equal(addr, dst) << 12) + ((unsigned)(scope == wanted) << 11) +
           ((unsigned)!candidate->deprecated << 10) + ((unsigned)(candidate->index == link->index) << 9) +
           ((unsigned)(is_unique_local(addr) == is_unique_local(dst)) << 8) + prefix;
}

/* The kernel prefers the address whose network holds the next hop, then the first of the link, then the first
 * of any link. */
static unsigned score4(const struct link_address *candidate, const struct link *link,
                       const struct addr *towards)
{
    if (candidate->index != link->index)
        return candidate->scope < RT_SCOPE_LINK ? 1 : 0;
    if (common_prefix_len(&candidate->addr, towards) >= candidate->prefix_len)
        return 3;
    return candidate->scope < RT_SCOPE_HOST ? 2 : 0;
}

struct addr route_choose_source(const struct route_table *table, const struct link *link,
                                const struct addr *towards)
{
    struct addr best = {.family = ADDR_NONE};
    unsigned best_score = 0;
    for (size_t i = 0; i < table->address_count; i++) {
        const struct link_address *candidate = &table->addresses[i];
        if (candidate->addr.family != towards->family || !candidate->usable)
            continue;
        unsigned score =
            towards->family == ADDR_V4 ? score4(candidate, link, towards) : score6(candidate, link, towards);
        if (score > best_score) {
            best_score = score;
            best = candidate->addr;
        }
    }
    return best;
}
