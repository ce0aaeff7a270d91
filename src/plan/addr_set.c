#include "plan/addr_set.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define TOO_MANY (UINT64_C(1) << 63)

/* One IPv6 range, as the algebra sees it. */
struct range {
    struct addr first;
    struct addr last;
};

static struct range range_of(const struct addr_range_v6 *v6)
{
    return (struct range){addr_v6(v6->first, v6->scope), addr_v6(v6->last, v6->scope)};
}

/* Not addr_compare: ranges with different zones lie apart here, not interleaved. */
static int compare(const struct addr *a, const struct addr *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    if (a->scope != b->scope)
        return a->scope < b->scope ? -1 : 1;
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* addr + 1; the last address of a family becomes its first. */
static struct addr next(struct addr addr)
{
    for (size_t i = addr_len(&addr); i-- > 0;)
        if (++addr.bytes[i] != 0)
            break;
    return addr;
}

static struct addr previous(struct addr addr)
{
    for (size_t i = addr_len(&addr); i-- > 0;)
        if (addr.bytes[i]-- != 0)
            break;
    return addr;
}

/* IPv6 addresses from first to last; UINT64_MAX for that many or more. */
static uint64_t range_size(const struct addr *first, const struct addr *last)
{
    uint64_t low = get_be64(last->bytes + 8) - get_be64(first->bytes + 8);
    uint64_t borrow = get_be64(last->bytes + 8) < get_be64(first->bytes + 8);
    uint64_t high = get_be64(last->bytes) - get_be64(first->bytes) - borrow;
    return high || low == UINT64_MAX ? UINT64_MAX : low + 1;
}

static uint64_t saturating_add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Room for one more element; arrays double. */
static int grow(void **array, size_t count, size_t *capacity, size_t element_len)
{
    if (count < *capacity)
        return 0;
    size_t wanted = *capacity ? *capacity * 2 : 16;
    void *larger = wanted > SIZE_MAX / element_len ? NULL : realloc(*array, wanted * element_len);
    if (!larger)
        return -ENOMEM;
    *array = larger;
    *capacity = wanted;
    return 0;
}

static int append_v4(struct addr_set *set, uint32_t first, uint32_t last)
{
    struct addr_range_v4 *tail = set->v4_count ? &set->v4[set->v4_count - 1] : NULL;
    if (tail && tail->last != UINT32_MAX && first == tail->last + 1) { /* a list in order stays one range */
        tail->last = last;
        return 0;
    }
    void *array = set->v4;
    int error = grow(&array, set->v4_count, &set->v4_capacity, sizeof *set->v4);
    set->v4 = array;
    if (error)
        return error;
    assert(set->v4);
    set->v4[set->v4_count++] = (struct addr_range_v4){.first = first, .last = last};
    return 0;
}

static int append_v6(struct addr_set *set, const struct addr *first, const struct addr *last)
{
    void *array = set->v6;
    int error = grow(&array, set->v6_count, &set->v6_capacity, sizeof *set->v6);
    set->v6 = array;
    if (error)
        return error;
    struct addr_range_v6 *range = &set->v6[set->v6_count++];
    memcpy(range->first, first->bytes, sizeof range->first);
    memcpy(range->last, last->bytes, sizeof range->last);
    range->before = 0;
    range->scope = first->scope;
    return 0;
}

int addr_set_add(struct addr_set *set, struct addr first, struct addr last)
{
    if (first.family != last.family || first.scope != last.scope || compare(&first, &last) > 0)
        return -EINVAL;
    if (first.family != ADDR_V4 && first.family != ADDR_V6)
        return -EINVAL;
    set->dirty = true;
    if (first.family == ADDR_V4)
        return append_v4(set, addr_to_v4(&first), addr_to_v4(&last));
    return append_v6(set, &first, &last);
}

static int order_v4(const void *a, const void *b)
{
    const struct addr_range_v4 *x = a;
    const struct addr_range_v4 *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

static int order_v6(const void *a, const void *b)
{
    const struct addr_range_v6 *x = a;
    const struct addr_range_v6 *y = b;
    if (x->scope != y->scope)
        return x->scope < y->scope ? -1 : 1;
    return memcmp(x->first, y->first, sizeof x->first);
}

/* Both merges: what overlaps or touches the range before it becomes part of that. */
static void merge_v4(struct addr_set *set)
{
    size_t kept = 0;
    for (size_t i = 1; i < set->v4_count; i++) {
        struct addr_range_v4 *into = &set->v4[kept];
        const struct addr_range_v4 *from = &set->v4[i];
        if (into->last == UINT32_MAX || from->first <= into->last + 1)
            into->last = from->last > into->last ? from->last : into->last;
        else
            set->v4[++kept] = *from;
    }
    set->v4_count = set->v4_count ? kept + 1 : 0;
}

static bool touches(const struct addr_range_v6 *into, const struct addr_range_v6 *from)
{
    if (into->scope != from->scope)
        return false;
    if (memcmp(from->first, into->last, sizeof from->first) <= 0)
        return true;
    struct addr after = next(addr_v6(into->last, into->scope));
    return memcmp(from->first, after.bytes, sizeof from->first) == 0;
}

static void merge_v6(struct addr_set *set)
{
    size_t kept = 0;
    for (size_t i = 1; i < set->v6_count; i++) {
        struct addr_range_v6 *into = &set->v6[kept];
        const struct addr_range_v6 *from = &set->v6[i];
        if (!touches(into, from))
            set->v6[++kept] = *from;
        else if (memcmp(from->last, into->last, sizeof into->last) > 0)
            memcpy(into->last, from->last, sizeof into->last);
    }
    set->v6_count = set->v6_count ? kept + 1 : 0;
}

static void count_before(struct addr_set *set)
{
    uint64_t total = 0;
    for (size_t i = 0; i < set->v4_count; i++) {
        set->v4[i].before = (uint32_t)total; /* disjoint ranges: what lies before one is fewer than 2^32 */
        total += (uint64_t)set->v4[i].last - set->v4[i].first + 1;
    }
    for (size_t i = 0; i < set->v6_count; i++) {
        struct range range = range_of(&set->v6[i]);
        set->v6[i].before = total;
        total = saturating_add(total, range_size(&range.first, &range.last));
    }
    set->addr_count = total;
}

int addr_set_normalize(struct addr_set *set)
{
    if (set->dirty) {
        if (set->v4_count)
            qsort(set->v4, set->v4_count, sizeof *set->v4, order_v4);
        if (set->v6_count)
            qsort(set->v6, set->v6_count, sizeof *set->v6, order_v6);
        merge_v4(set);
        merge_v6(set);
        count_before(set);
        set->dirty = false;
    }
    if (set->addr_count < TOO_MANY)
        return 0;
    set->addr_count = UINT64_MAX;
    return -EOVERFLOW;
}

/* Index of the first range that ends at or after an address. */
static size_t first_from_v4(const struct addr_set *set, uint32_t addr)
{
    size_t low = 0;
    size_t high = set->v4_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->v4[middle].last < addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t first_from_v6(const struct addr_set *set, const struct addr *addr)
{
    size_t low = 0;
    size_t high = set->v6_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct range range = range_of(&set->v6[middle]);
        if (compare(&range.last, addr) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Append to `out` what `remove`, from its range `at` on, leaves of one range. */
static int add_remainder_v4(struct addr_set *out, struct addr_range_v4 range, const struct addr_set *remove,
                            size_t at, uint64_t *removed)
{
    for (; at < remove->v4_count && remove->v4[at].first <= range.last; at++) {
        const struct addr_range_v4 *cut = &remove->v4[at];
        uint32_t cut_first = cut->first > range.first ? cut->first : range.first;
        uint32_t cut_last = cut->last < range.last ? cut->last : range.last;
        *removed += (uint64_t)cut_last - cut_first + 1;
        int error = cut_first > range.first ? append_v4(out, range.first, cut_first - 1) : 0;
        if (error || cut_last == range.last)
            return error;
        range.first = cut_last + 1;
    }
    return append_v4(out, range.first, range.last);
}

static int subtract_v4(const struct addr_set *set, const struct addr_set *remove, struct addr_set *out,
                       uint64_t *removed)
{
    size_t at = 0;
    int error = 0;
    for (size_t i = 0; i < set->v4_count && !error; i++) {
        while (at < remove->v4_count && remove->v4[at].last < set->v4[i].first)
            at++;
        error = add_remainder_v4(out, set->v4[i], remove, at, removed);
    }
    return error;
}

/* The same for IPv6; `scope` says which zone of `remove` counts. */
static int add_remainder_v6(struct addr_set *out, struct range range, const struct addr_set *remove,
                            uint32_t scope, uint64_t *removed)
{
    struct addr key = range.first;
    key.scope = scope;
    for (size_t i = first_from_v6(remove, &key); i < remove->v6_count; i++) {
        struct range cut = range_of(&remove->v6[i]);
        if (cut.first.scope != scope)
            break;
        cut.first.scope = cut.last.scope = range.first.scope;
        if (compare(&cut.first, &range.last) > 0)
            break;
        if (compare(&cut.first, &range.first) < 0)
            cut.first = range.first;
        bool to_the_end = compare(&cut.last, &range.last) >= 0;
        *removed = saturating_add(*removed, range_size(&cut.first, to_the_end ? &range.last : &cut.last));
        struct addr before = previous(cut.first);
        int error = compare(&cut.first, &range.first) > 0 ? append_v6(out, &range.first, &before) : 0;
        if (error || to_the_end)
            return error;
        range.first = next(cut.last);
    }
    return append_v6(out, &range.first, &range.last);
}

/* With `without_zone` false each range meets those of its own zone, otherwise those that have a zone meet
 * those that have none. */
static int subtract_v6(const struct addr_set *set, const struct addr_set *remove, bool without_zone,
                       struct addr_set *out, uint64_t *removed)
{
    int error = 0;
    for (size_t i = 0; i < set->v6_count && !error; i++) {
        struct range range = range_of(&set->v6[i]);
        uint32_t scope = without_zone ? 0 : range.first.scope;
        if (without_zone && !range.first.scope)
            error = append_v6(out, &range.first, &range.last);
        else
            error = add_remainder_v6(out, range, remove, scope, removed);
    }
    return error;
}

int addr_set_subtract(struct addr_set *set, const struct addr_set *remove, uint64_t *ret_removed)
{
    assert(!set->dirty && !remove->dirty);
    struct addr_set own_zones = {0};
    struct addr_set out = {0};
    uint64_t removed = 0;
    int error = subtract_v4(set, remove, &out, &removed);
    if (!error)
        error = subtract_v6(set, remove, false, &own_zones, &removed);
    if (!error)
        error = subtract_v6(&own_zones, remove, true, &out, &removed);
    addr_set_done(&own_zones);
    if (error) {
        addr_set_done(&out);
        return error;
    }

    count_before(&out); /* the order was kept, so there is nothing to sort or merge */
    addr_set_done(set);
    *set = out;
    *ret_removed = removed;
    return 0;
}

static struct addr at_v4(const struct addr_set *set, uint64_t index)
{
    size_t low = 0;
    size_t high = set->v4_count - 1;
    while (low < high) {
        size_t middle = high - (high - low) / 2;
        if (set->v4[middle].before <= index)
            low = middle;
        else
            high = middle - 1;
    }
    return addr_v4(set->v4[low].first + (uint32_t)(index - set->v4[low].before));
}

static struct addr at_v6(const struct addr_set *set, uint64_t index)
{
    size_t low = 0;
    size_t high = set->v6_count - 1;
    while (low < high) {
        size_t middle = high - (high - low) / 2;
        if (set->v6[middle].before <= index)
            low = middle;
        else
            high = middle - 1;
    }
    const struct addr_range_v6 *range = &set->v6[low];
    struct addr addr = addr_v6(range->first, range->scope);
    uint64_t offset = index - range->before;
    uint64_t low_half = get_be64(addr.bytes + 8) + offset;
    if (low_half < offset)
        put_be64(addr.bytes, get_be64(addr.bytes) + 1);
    put_be64(addr.bytes + 8, low_half);
    return addr;
}

struct addr addr_set_at(const struct addr_set *set, uint64_t index)
{
    assert(!set->dirty && index < set->addr_count);
    if (set->v6_count == 0 || index < set->v6[0].before)
        return at_v4(set, index);
    return at_v6(set, index);
}

static bool find_v4(const struct addr_set *set, uint32_t addr, uint64_t *ret_index)
{
    size_t i = first_from_v4(set, addr);
    if (i == set->v4_count || set->v4[i].first > addr)
        return false;
    *ret_index = (uint64_t)set->v4[i].before + (addr - set->v4[i].first);
    return true;
}

static bool find_v6(const struct addr_set *set, const struct addr *addr, uint64_t *ret_index)
{
    size_t i = first_from_v6(set, addr);
    if (i == set->v6_count)
        return false;
    struct range range = range_of(&set->v6[i]);
    if (compare(&range.first, addr) > 0)
        return false;
    *ret_index = set->v6[i].before + range_size(&range.first, addr) - 1;
    return true;
}

bool addr_set_find(const struct addr_set *set, const struct addr *addr, uint64_t *ret_index)
{
    assert(!set->dirty);
    if (addr->family == ADDR_V4)
        return find_v4(set, addr_to_v4(addr), ret_index);
    return addr->family == ADDR_V6 && find_v6(set, addr, ret_index);
}

void addr_set_done(struct addr_set *set)
{
    if (!set)
        return;
    free(set->v4);
    free(set->v6);
    *set = (struct addr_set){0};
}
