#include "netio/route/prefix_map.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"

#define NO_VALUE  UINT32_MAX
#define DEPTH_MAX 129 /* prefixes inside one another: one of each length, 0 to 128 */

/* An address of either family as a number; IPv4 in `low`. */
struct address_key {
    uint64_t high, low;
};

/* From `start` on, up to the next span, this is the longest prefix. */
struct prefix_span {
    struct address_key start;
    uint32_t value; /* or NO_VALUE */
};

static struct address_key key_of(const struct addr *addr)
{
    if (addr->family == ADDR_V4)
        return (struct address_key){.low = addr_to_v4(addr)};
    return (struct address_key){.high = get_be64(addr->bytes), .low = get_be64(addr->bytes + 8)};
}

static int key_compare(struct address_key a, struct address_key b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return a.low < b.low ? -1 : a.low > b.low;
}

static struct address_key key_next(struct address_key key)
{
    key.low++;
    key.high += key.low == 0;
    return key;
}

static uint64_t low_bits(unsigned count)
{
    return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

/* Ones where the prefix leaves the address open. */
static struct address_key host_mask(uint8_t family, uint8_t prefix_len)
{
    unsigned host_bits = (family == ADDR_V4 ? 32u : 128u) - prefix_len;
    return (struct address_key){.high = host_bits > 64 ? low_bits(host_bits - 64) : 0,
                                .low = low_bits(host_bits)};
}

bool prefix_holds(const struct addr *start, uint8_t prefix_len, const struct addr *addr)
{
    if (start->family != addr->family)
        return false;
    struct address_key mask = host_mask(addr->family, prefix_len), a = key_of(start), b = key_of(addr);
    return !((a.high ^ b.high) & ~mask.high) && !((a.low ^ b.low) & ~mask.low);
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
    int order = key_compare(key_of(&a->start), key_of(&b->start));
    if (order)
        return order;
    if (a->prefix_len != b->prefix_len)
        return a->prefix_len < b->prefix_len ? -1 : 1;
    return a->value < b->value ? -1 : a->value > b->value;
}

/* The prefixes around the place that the sweep has reached, outermost first. */
struct sweep {
    struct prefix_map *map;
    struct {
        struct address_key end;
        uint32_t value;
    } open[DEPTH_MAX];
    unsigned depth;
};

/* A span starts here; an empty one that started at the same place gives way. */
static void emit(struct prefix_map *map, struct address_key start, uint32_t value)
{
    if (map->count && key_compare(map->spans[map->count - 1].start, start) == 0)
        map->count--;
    map->spans[map->count++] = (struct prefix_span){.start = start, .value = value};
}

/* Close the innermost prefix: behind its end the one around it goes on, unless that ends there too. */
static void close_one(struct sweep *sweep)
{
    struct address_key end = sweep->open[--sweep->depth].end;
    uint32_t around = sweep->depth ? sweep->open[sweep->depth - 1].value : NO_VALUE;
    if (end.high != UINT64_MAX || end.low != UINT64_MAX)
        emit(sweep->map, key_next(end), around);
}

int prefix_map_init(struct prefix_map *ret, const struct prefix *prefixes, size_t count)
{
    struct prefix_map map = {0};
    if (count) {
        map.spans = calloc(count, 2 * sizeof *map.spans); /* a start and an end each */
        if (!map.spans)
            return -ENOMEM;
    }
    struct sweep sweep = {.map = &map};
    for (size_t i = 0; i < count; i++) {
        const struct prefix *prefix = &prefixes[i];
        struct address_key start = key_of(&prefix->start);
        struct address_key mask = host_mask(prefix->start.family, prefix->prefix_len);
        struct address_key end = {.high = start.high | mask.high, .low = start.low | mask.low};
        if (i && key_compare(key_of(&prefixes[i - 1].start), start) == 0 &&
            prefixes[i - 1].prefix_len == prefix->prefix_len)
            continue;
        while (sweep.depth && key_compare(sweep.open[sweep.depth - 1].end, start) < 0)
            close_one(&sweep);
        assert(sweep.depth < DEPTH_MAX);
        emit(&map, start, prefix->value);
        sweep.open[sweep.depth].end = end;
        sweep.open[sweep.depth++].value = prefix->value;
    }
    while (sweep.depth)
        close_one(&sweep);
    *ret = map;
    return 0;
}

void prefix_map_done(struct prefix_map *map)
{
    free(map->spans);
    *map = (struct prefix_map){0};
}

bool prefix_map_find(const struct prefix_map *map, const struct addr *addr, uint32_t *ret_value)
{
    struct address_key key = key_of(addr);
    size_t low = 0, high = map->count; /* spans before low start at or before the key */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (key_compare(map->spans[middle].start, key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || map->spans[low - 1].value == NO_VALUE)
        return false;
    *ret_value = map->spans[low - 1].value;
    return true;
}
