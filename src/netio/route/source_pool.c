#include "netio/route/source_pool.h"

#include <stdlib.h>
#include <string.h>

#include "netio/route/route.h"

/* An address that ends in 64 zero bits names the routers of its network. */
static bool is_of_routers(const struct addr *addr)
{
    static const uint8_t zero[8] = {0};
    return addr->family == ADDR_V6 && memcmp(addr->bytes + 8, zero, sizeof zero) == 0;
}

static uint32_t take_v4(const struct addr_set *set, struct addr *ret)
{
    uint32_t count = 0;
    for (size_t i = 0; i < set->v4_count; i++)
        for (uint64_t addr = set->v4[i].first; addr <= set->v4[i].last && count < SOURCE_POOL_MAX; addr++)
            ret[count++] = addr_v4((uint32_t)addr);
    return count;
}

/* The address behind this one. */
static void step(struct addr *addr)
{
    for (size_t i = sizeof addr->bytes; i-- > 0;)
        if (++addr->bytes[i])
            return;
}

/* Ranges may hold more addresses than can be counted. */
static uint32_t take_v6(const struct addr_set *set, struct addr *ret)
{
    uint32_t count = 0;
    for (size_t i = 0; i < set->v6_count; i++) {
        struct addr addr = addr_v6(set->v6[i].first, set->v6[i].scope);
        struct addr last = addr_v6(set->v6[i].last, set->v6[i].scope);
        if (is_of_routers(&addr) && !addr_equal(&addr, &last))
            step(&addr);
        for (bool more = true; more && count < SOURCE_POOL_MAX; step(&addr)) {
            ret[count++] = addr;
            more = !addr_equal(&addr, &last);
        }
    }
    return count;
}

static int check(const struct source_pool *pool, const struct route_table *routes, bool foreign,
                 struct error *err)
{
    uint32_t count = pool->v4_count + pool->v6_count, missing = 0;
    struct addr first = {.family = ADDR_NONE};
    char text[ADDR_TEXT_MAX];
    for (uint32_t i = 0; i < count; i++) {
        if (pool->addrs[i].scope)
            return error_set(err, EX_USAGE, "--source-pool: '%s' is good for one link only",
                             addr_format(&pool->addrs[i], text));
        if (route_is_local(routes, &pool->addrs[i]))
            continue;
        if (missing++ == 0)
            first = pool->addrs[i];
    }
    if (missing == 0 || foreign)
        return 0;
    return error_set(
        err, EX_UNAVAILABLE,
        "--source-pool: %u of %u addresses are not of this machine, the first: %s; give them to it "
        "(ip address add, or ip route add local PREFIX dev lo), or say --source-pool-foreign",
        missing, count, addr_format(&first, text));
}

int source_pool_make(const struct addr_set *set, const struct route_table *routes, bool foreign,
                     struct source_pool *ret, struct error *err)
{
    struct source_pool pool = {.addrs = calloc((size_t)2 * SOURCE_POOL_MAX, sizeof *pool.addrs)};
    if (!pool.addrs)
        return error_set(err, EX_OSERR, "out of memory");
    pool.v4_count = take_v4(set, pool.addrs);
    pool.v6_count = take_v6(set, pool.addrs + pool.v4_count);
    int result = check(&pool, routes, foreign, err);
    if (result < 0)
        source_pool_done(&pool);
    else
        *ret = pool;
    return result;
}

void source_pool_done(struct source_pool *pool)
{
    free(pool->addrs);
    *pool = (struct source_pool){0};
}

uint16_t source_pool_find(const struct source_pool *pool, const struct addr *addr)
{
    uint16_t first;
    uint32_t low = 0, high = source_pool_of(pool, addr->family, &first);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = addr_compare(&pool->addrs[first - 1 + middle], addr);
        if (order == 0)
            return (uint16_t)(first + middle);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

uint32_t source_pool_of(const struct source_pool *pool, uint8_t family, uint16_t *ret_first)
{
    *ret_first = (uint16_t)(family == ADDR_V6 ? pool->v4_count + 1 : 1);
    return family == ADDR_V6 ? pool->v6_count : family == ADDR_V4 ? pool->v4_count : 0;
}

struct addr source_pool_at(const struct source_pool *pool, uint16_t number)
{
    return pool->addrs[number - 1];
}
