#include "plan/octets.h"

#include <errno.h>
#include <string.h>

/* A piece of the user's text. */
struct piece {
    const char *text;
    size_t len;
};

#define PIECE(piece) (int)(piece).len, (piece).text /* for "%.*s" */

/* Cut off what comes before the first `separator`; false once there is nothing left to cut. */
static bool next_piece(struct piece *rest, char separator, struct piece *ret)
{
    if (!rest->text)
        return false;
    const char *end = memchr(rest->text, separator, rest->len);
    *ret = (struct piece){rest->text, end ? (size_t)(end - rest->text) : rest->len};
    if (end)
        *rest = (struct piece){end + 1, rest->len - ret->len - 1};
    else
        *rest = (struct piece){NULL, 0};
    return true;
}

/* One end of a range; `open_end` is its value when nothing is written there. */
static int read_value(const char *target, struct piece piece, unsigned open_end, unsigned *ret,
                      struct error *err)
{
    unsigned value = 0;
    if (piece.len == 0) {
        *ret = open_end;
        return 0;
    }
    for (size_t i = 0; i < piece.len; i++) {
        if (piece.text[i] < '0' || piece.text[i] > '9')
            return error_set(err, EX_USAGE, "target '%.128s': '%.*s' is not an octet", target, PIECE(piece));
        value = value * 10 + (unsigned)(piece.text[i] - '0');
        if (value > 255)
            return error_set(err, EX_USAGE, "target '%.128s': octet %.*s is above 255", target, PIECE(piece));
    }
    if (piece.len > 1 && piece.text[0] == '0') /* octal to some, decimal to others */
        return error_set(err, EX_USAGE, "target '%.128s': octet %.*s has a leading zero", target,
                         PIECE(piece));
    *ret = value;
    return 0;
}

static int read_range(const char *target, struct piece item, bool has[static 256], struct error *err)
{
    unsigned first = 0;
    unsigned last = 255;
    if (item.len == 0)
        return error_set(err, EX_USAGE, "target '%.128s': empty octet", target);
    if (item.len > 1 || item.text[0] != '*') {
        struct piece rest = item;
        struct piece low;
        struct piece high;
        (void)next_piece(&rest, '-', &low);
        if (!rest.text)
            high = low;
        else
            high = rest;
        int error = read_value(target, low, 0, &first, err);
        if (!error)
            error = read_value(target, high, 255, &last, err);
        if (error)
            return error;
    }
    if (first > last)
        return error_set(err, EX_USAGE, "target '%.128s': backwards range %u-%u; did you mean %u-%u?", target,
                         first, last, last, first);
    memset(has + first, true, last - first + 1);
    return 0;
}

int octets_parse(const char *target, const char *text, size_t len, struct octets *ret, struct error *err)
{
    struct octets octets = {0};
    struct piece rest = {text, len};
    struct piece octet;
    unsigned count = 0;
    for (; next_piece(&rest, '.', &octet); count++) {
        struct piece item;
        while (count < 4 && next_piece(&octet, ',', &item)) {
            int error = read_range(target, item, octets.has[count], err);
            if (error)
                return error;
        }
    }
    if (count != 4)
        return error_set(err, EX_USAGE, "target '%.128s': an IPv4 address has 4 octets, not %u", target,
                         count);
    *ret = octets;
    return 0;
}

void octets_widen(struct octets *octets, unsigned prefix_len)
{
    for (unsigned i = 0; i < 4; i++) {
        unsigned fixed =
            prefix_len <= 8 * i ? 0 : prefix_len - 8 * i; /* leading bits of this octet that stay */
        if (fixed >= 8)
            continue;
        unsigned block_len = 256u >> fixed;
        for (unsigned block = 0; block < 256; block += block_len)
            if (memchr(octets->has[i] + block, true, block_len))
                memset(octets->has[i] + block, true, block_len);
    }
}

/* The next run of values at or after *at; *at goes behind it. False: there is none. */
static bool next_run(const bool has[static 256], unsigned *at, unsigned *ret_first, unsigned *ret_last)
{
    while (*at < 256 && !has[*at])
        ++*at;
    if (*at == 256)
        return false;
    *ret_first = *at;
    while (*at < 256 && has[*at])
        ++*at;
    *ret_last = *at - 1;
    return true;
}

static unsigned run_count(const bool has[static 256])
{
    unsigned at = 0;
    unsigned first;
    unsigned last;
    unsigned count = 0;
    while (next_run(has, &at, &first, &last))
        count++;
    return count;
}

static unsigned value_count(const bool has[static 256])
{
    unsigned count = 0;
    for (unsigned value = 0; value < 256; value++)
        count += has[value];
    return count;
}

/* Add the addresses that start with the octets in `base`, all above `level`, down to the last octet that is
 * not full: a run of values there is one range. */
static int add_level(const struct octets *octets, unsigned level, unsigned last_level, uint32_t base,
                     struct addr_set *set)
{
    unsigned shift = 24 - 8 * level;
    unsigned at = 0;
    unsigned first;
    unsigned last;
    while (next_run(octets->has[level], &at, &first, &last)) {
        int error = 0;
        if (level == last_level)
            error = addr_set_add(set, addr_v4(base | first << shift),
                                 addr_v4(base | last << shift | ((UINT32_C(1) << shift) - 1)));
        for (unsigned value = first; level < last_level && value <= last && !error; value++)
            error = add_level(octets, level + 1, last_level, base | value << shift, set);
        if (error)
            return error;
    }
    return 0;
}

int octets_add(const struct octets *octets, uint32_t ranges_max, struct addr_set *set)
{
    unsigned last_level = 3;
    while (last_level > 0 && value_count(octets->has[last_level]) == 256)
        last_level--;
    uint64_t ranges = run_count(octets->has[last_level]);
    for (unsigned level = 0; level < last_level; level++)
        ranges *= value_count(octets->has[level]);
    if (ranges > ranges_max)
        return -E2BIG;
    return add_level(octets, 0, last_level, 0, set);
}
