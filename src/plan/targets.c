#include "plan/targets.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "plan/octets.h"
#include "plan/words.h"

#define NAME_ADDRESSES_MAX 128 /* of one name */
#define NO_PREFIX          UINT_MAX
#define V6_PREFIX_MIN      66 /* 2^62 addresses; a set holds fewer than 2^63 */

/* One target on its way: what the user wrote, and the part of it before the prefix length. */
struct target {
    const char *text;
    char host[TARGET_TEXT_MAX + 1];
    unsigned prefix_len; /* NO_PREFIX: none given */
};

static int no_memory(struct error *err)
{
    return error_set(err, EX_OSERR, "out of memory for the targets");
}

/* How many ranges the set may have for a while; half of them is what must be left once it is normalized. */
static uint32_t ranges_max(const struct targets *targets)
{
    return targets->ranges_max ? targets->ranges_max : TARGETS_RANGES_MAX;
}

static int read_prefix(struct target *target, const char *digits, struct error *err)
{
    size_t len = strspn(digits, "0123456789");
    if (!*digits)
        return error_set(err, EX_USAGE, "target '%.128s': the prefix length is missing", target->text);
    if (digits[len])
        return error_set(err, EX_USAGE, "target '%.128s': prefix length '%.64s' is not a number",
                         target->text, digits);
    unsigned long value = strtoul(digits, NULL, 10); /* ULONG_MAX when there are too many digits */
    if (value > 128)
        return error_set(err, EX_USAGE, "target '%.128s': prefix length %.64s is above 128", target->text,
                         digits);
    target->prefix_len = (unsigned)value;
    return 0;
}

/* Fill *ret, all zeros before, from the text. */
static int split(const char *text, struct target *ret, struct error *err)
{
    ret->text = text;
    ret->prefix_len = NO_PREFIX;
    size_t len = strnlen(text, TARGET_TEXT_MAX + 1);
    if (len == 0)
        return error_set(err, EX_USAGE, "empty target");
    if (len > TARGET_TEXT_MAX)
        return error_set(err, EX_USAGE, "target longer than %d bytes, starting '%.40s'", TARGET_TEXT_MAX,
                         text);
    const char *slash = strchr(text, '/');
    size_t host_len = slash ? (size_t)(slash - text) : len;
    memcpy(ret->host, text, host_len);
    ret->host[host_len] = '\0';
    if (strstr(text, "://"))
        return error_set(err, EX_USAGE, "target '%.128s' is a URL; give the host alone", text);
    return slash ? read_prefix(ret, slash + 1, err) : 0;
}

static int check_v4_prefix(const struct target *target, struct error *err)
{
    if (target->prefix_len != NO_PREFIX && target->prefix_len > 32)
        return error_set(err, EX_USAGE, "target '%.128s': prefix length %u is above 32", target->text,
                         target->prefix_len);
    return 0;
}

static int add_v4(struct targets *targets, const struct target *target, const char *host, struct error *err)
{
    struct octets octets;
    int error = check_v4_prefix(target, err);
    if (!error)
        error = octets_parse(target->text, host, strlen(host), &octets, err);
    if (error)
        return error;
    if (target->prefix_len != NO_PREFIX)
        octets_widen(&octets, target->prefix_len);
    error = octets_add(&octets, ranges_max(targets) / 2, &targets->set);
    if (error == -E2BIG)
        return error_set(err, EX_USAGE,
                         "target '%.128s': too scattered, it takes more than %u ranges of addresses",
                         target->text, ranges_max(targets) / 2);
    return error ? no_memory(err) : 0;
}

static int add_v6(struct targets *targets, const struct target *target, struct addr addr, struct error *err)
{
    unsigned prefix_len = target->prefix_len == NO_PREFIX ? 128 : target->prefix_len;
    if (prefix_len < V6_PREFIX_MIN && !targets->excluded)
        return error_set(
            err, EX_USAGE,
            "target '%.128s': 2^%u addresses are too many to scan; the shortest IPv6 prefix is /%d",
            target->text, 128 - prefix_len, V6_PREFIX_MIN);
    struct addr last = addr;
    for (unsigned bit = prefix_len; bit < 128; bit++) {
        uint8_t mask = (uint8_t)(0x80u >> (bit & 7));
        addr.bytes[bit >> 3] = (uint8_t)(addr.bytes[bit >> 3] & ~mask);
        last.bytes[bit >> 3] |= mask;
    }
    return addr_set_add(&targets->set, addr, last) ? no_memory(err) : 0;
}

/* fe80::/10, and ff?2::/16: only what is bound to a link is another address on another link (RFC 4007 section
 * 6). */
static bool is_bound_to_link(const struct addr *addr)
{
    return addr_is_link_local(addr) || (addr->bytes[0] == 0xff && (addr->bytes[1] & 0x0f) <= 2);
}

static int not_v6(const struct target *target, struct error *err)
{
    char address[TARGET_TEXT_MAX + 1];
    struct addr addr;
    memcpy(address, target->host, sizeof address);
    char *zone = strchr(address, '%');
    if (zone) {
        *zone++ = '\0';
        if (addr_parse(address, &addr))
            return error_set(err, EX_USAGE, "target '%.128s': there is no interface '%.64s'", target->text,
                             zone);
    }
    if (target->host[0] == '[')
        return error_set(err, EX_USAGE, "target '%.128s': an IPv6 address is written without brackets",
                         target->text);
    if (strchr(target->host, ':') == strrchr(target->host, ':'))
        return error_set(err, EX_USAGE, "target '%.128s' is not an IPv6 address; ports go to -p",
                         target->text);
    return error_set(err, EX_USAGE, "target '%.128s' is not an IPv6 address", target->text);
}

static int read_v6(struct targets *targets, const struct target *target, struct error *err)
{
    struct addr addr;
    if (!addr_parse(target->host, &addr))
        return not_v6(target, err);
    if (addr.scope && !is_bound_to_link(&addr))
        return error_set(err, EX_USAGE, "target '%.128s': only a link-local address has a zone",
                         target->text);
    return add_v6(targets, target, addr, err);
}

/* LDH labels (RFC 1123 section 2.1) with the underscore that real names have. A dot may end the name. */
static int check_name(const struct target *target, struct error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    const char *name = target->host;
    if (name[strspn(name, allowed)])
        return error_set(err, EX_USAGE, "target '%.128s' is neither an address nor a host name",
                         target->text);
    if (strlen(name) > TARGET_NAME_MAX)
        return error_set(err, EX_USAGE, "target '%.40s...' is not a host name: longer than %d bytes",
                         target->text, TARGET_NAME_MAX);
    const char *label = name;
    size_t len = strcspn(label, ".");
    for (;; label += len + 1, len = strcspn(label, ".")) {
        if (len < 1 || len > 63 || label[0] == '-' || label[len - 1] == '-')
            return error_set(
                err, EX_USAGE,
                "target '%.128s' is not a host name: its parts have 1 to 63 characters and no hyphen "
                "at either end",
                target->text);
        if (!label[len] || !label[len + 1])
            break;
    }
    if (strspn(label, "0123456789") == len)
        return error_set(err, EX_USAGE, "target '%.128s' is not a host name: its last part is a number",
                         target->text);
    return 0;
}

int targets_add_name(struct targets *targets, const struct addr *addr, const char *name)
{
    if (targets->name_count == targets->name_capacity) {
        size_t wanted = targets->name_capacity ? targets->name_capacity * 2 : 16;
        struct target_name *larger = reallocarray(targets->names, wanted, sizeof *larger);
        if (!larger)
            return -ENOMEM;
        targets->names = larger;
        targets->name_capacity = wanted;
    }
    char *copy = strdup(name);
    if (!copy)
        return -ENOMEM;
    targets->names[targets->name_count] =
        (struct target_name){.addr = *addr, .order = targets->name_count, .name = copy};
    targets->name_count++;
    targets->names_sorted = false;
    return 0;
}

static int add_resolved(struct targets *targets, const struct target *target, const struct addr *addr,
                        struct error *err)
{
    int error = 0;
    if (addr->family == ADDR_V6) {
        error = add_v6(targets, target, *addr, err);
    } else {
        char text[ADDR_TEXT_MAX];
        error = add_v4(targets, target, addr_format(addr, text), err);
    }
    if (!error && targets_add_name(targets, addr, target->host))
        error = no_memory(err);
    return error;
}

static const struct addr *best(const struct addr *addrs, size_t count, enum addr_family prefer)
{
    for (size_t i = 0; i < count; i++)
        if (addrs[i].family == prefer)
            return &addrs[i];
    return &addrs[0];
}

static int add_name(struct targets *targets, const struct target *target,
                    const struct target_resolver *resolver, struct error *err)
{
    int error = check_name(target, err);
    if (error)
        return error;
    if (!resolver)
        return error_set(err, EX_USAGE, "target '%.128s' is not an address, and names are not looked up here",
                         target->text);
    struct addr addrs[NAME_ADDRESSES_MAX];
    size_t count = 0;
    error = resolver->resolve(resolver->context, target->host, addrs, NAME_ADDRESSES_MAX, &count, err);
    if (error)
        return error;
    assert(count <= NAME_ADDRESSES_MAX);
    if (count == 0) {
        targets->unresolved_count++;
        return 0;
    }
    if (!resolver->all)
        return add_resolved(targets, target, best(addrs, count, resolver->prefer), err);
    for (size_t i = 0; i < count && !error; i++)
        error = add_resolved(targets, target, &addrs[i], err);
    return error;
}

static int add_one(struct targets *targets, const char *text, const struct target_resolver *resolver,
                   struct error *err)
{
    struct addr addr;
    if (addr_parse(text, &addr) && addr.family == ADDR_V4) { /* by far the most frequent in long lists */
        if (addr_set_add(&targets->set, addr, addr))
            return no_memory(err);
        return 0;
    }
    struct target target = {0};
    int error = split(text, &target, err);
    if (error)
        return error;
    if (strchr(target.host, ':') || target.host[0] == '[')
        return read_v6(targets, &target, err);
    if (target.host[strspn(target.host, "0123456789.,-*")] == '\0')
        return add_v4(targets, &target, target.host, err);
    return add_name(targets, &target, resolver, err);
}

static size_t range_count(const struct targets *targets)
{
    return targets->set.v4_count + targets->set.v6_count;
}

int targets_add(struct targets *targets, const char *text, const struct target_resolver *resolver,
                struct error *err)
{
    int error = add_one(targets, text, resolver, err);
    if (error || range_count(targets) <= ranges_max(targets))
        return error;
    (void)addr_set_normalize(&targets->set);
    uint32_t kept_max =
        ranges_max(targets) / 2; /* with more, the next targets would sort it all again and again */
    if (range_count(targets) <= kept_max)
        return 0;
    return error_set(err, EX_USAGE,
                     "target '%.128s': too scattered, with those before it more than %u ranges", text,
                     kept_max);
}

/* Whether the text is one IPv4 target with commas between its octets, rather than a list. */
static bool is_octets(const char *text)
{
    struct octets octets;
    return text[strspn(text, "0123456789.,-*/")] == '\0' &&
           octets_parse(text, text, strcspn(text, "/"), &octets, NULL) == 0;
}

int targets_add_list(struct targets *targets, const char *text, const struct target_resolver *resolver,
                     struct error *err)
{
    if (is_octets(text))
        return targets_add(targets, text, resolver, err);
    for (const char *at = text;; at++) {
        char item[TARGET_TEXT_MAX + 2];
        size_t len = strcspn(at, ",");
        size_t kept =
            len <= TARGET_TEXT_MAX ? len : TARGET_TEXT_MAX + 1; /* enough to be refused for its length */
        memcpy(item, at, kept);
        item[kept] = '\0';
        int error = targets_add(targets, item, resolver, err);
        at += len;
        if (error || !*at)
            return error;
    }
}

int targets_read(struct targets *targets, const char *path, const struct target_resolver *resolver,
                 struct error *err)
{
    struct words words;
    struct word word;
    int status = words_open(&words, path, true, err);
    if (status)
        return status;
    while ((status = words_next(&words, &word, err)) > 0) {
        struct error inner;
        status = targets_add(targets, word.text, resolver, &inner);
        if (status) {
            int exit_status = inner.status == EX_USAGE ? EX_DATAERR : inner.status;
            status = error_set(err, exit_status, "%s:%" PRIu64 ": %s", words.path, word.line, inner.text);
            break;
        }
    }
    words_close(&words);
    return status;
}

static int order_names(const void *a, const void *b)
{
    const struct target_name *x = a;
    const struct target_name *y = b;
    int order = addr_compare(&x->addr, &y->addr);
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

const char *targets_name(struct targets *targets, const struct addr *addr)
{
    if (!targets->names_sorted && targets->name_count)
        qsort(targets->names, targets->name_count, sizeof *targets->names, order_names);
    targets->names_sorted = true;

    size_t low = 0;
    size_t high = targets->name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (addr_compare(&targets->names[middle].addr, addr) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < targets->name_count && addr_equal(&targets->names[low].addr, addr);
    return found ? targets->names[low].name : NULL;
}

void targets_done(struct targets *targets)
{
    if (!targets)
        return;
    addr_set_done(&targets->set);
    for (size_t i = 0; i < targets->name_count; i++)
        free(targets->names[i].name);
    free(targets->names);
    *targets = (struct targets){0};
}
