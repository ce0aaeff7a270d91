#include "plan/ports.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

#define DEFAULT_TOP 1000
#define FAST_TOP    100

/* The list being read. */
struct list {
    const char *option;
    const char *text;
    const char *at;     /* next byte of text */
    unsigned active;    /* PORTS_BIT of the protocols that items are for now */
    unsigned protocols; /* PORTS_BIT of those asked for */
    unsigned dropped;   /* PORTS_BIT of those named but not asked for */
    bool in_brackets;
    const struct service_table *services;
    struct port_set *set;
};

static void skip_blanks(struct list *list)
{
    while (*list->at == ' ' || *list->at == '\t')
        list->at++;
}

/* Where in the text an error is, counted from 1. */
static size_t column(const struct list *list)
{
    return (size_t)(list->at - list->text) + 1;
}

static void add(struct list *list, enum port_protocol protocol, uint16_t port)
{
    if (!(list->protocols & PORTS_BIT(protocol)))
        list->dropped |= PORTS_BIT(protocol);
    else if (!list->in_brackets || services_name(list->services, protocol, port))
        port_set_add(list->set, protocol, port);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Whether a mask of mask_len bytes, with wildcards * and ?, fits a name, in either case. */
static bool fits(const char *mask, size_t mask_len, const char *name)
{
    const char *end = mask + mask_len;
    const char *star = NULL; /* behind the last star: where to go on when what follows does not fit */
    const char *star_name = NULL;
    while (*name) {
        if (mask < end && *mask == '*') {
            star = ++mask;
            star_name = name;
        } else if (mask < end && (*mask == '?' || lower(*mask) == lower(*name))) {
            mask++;
            name++;
        } else if (star) {
            mask = star;
            name = ++star_name;
        } else {
            return false;
        }
    }
    while (mask < end && *mask == '*')
        mask++;
    return mask == end;
}

static int add_named(struct list *list, const char *mask, size_t len, struct error *err)
{
    bool found = false;
    for (enum port_protocol protocol = 0; protocol < PORTS_PROTOCOL_COUNT; protocol++) {
        const struct service_list *services = &list->services->lists[protocol];
        if (!(list->active & PORTS_BIT(protocol)))
            continue;
        for (size_t i = 0; i < services->service_count; i++) {
            if (!fits(mask, len, services->names + services->services[i].name))
                continue;
            found = true;
            add(list, protocol, services->services[i].port);
        }
    }
    if (!found)
        return error_set(err, EX_USAGE, "%s: no %s is called '%.*s'", list->option,
                         list->active == PORTS_BIT(PORTS_IP) ? "protocol" : "port", len < 64 ? (int)len : 64,
                         mask);
    return 0;
}

/* One end of a range. */
static int read_number(const struct list *list, const char *digits, size_t len, uint32_t *ret,
                       struct error *err)
{
    bool numbers = list->active & PORTS_BIT(PORTS_IP);
    uint32_t highest = numbers ? 255 : 65535;
    uint32_t value = 0;
    for (size_t i = 0; i < len; i++) {
        value = value * 10 + (uint32_t)(digits[i] - '0');
        if (value > highest)
            return error_set(err, EX_USAGE, "%s: %s %.*s is above %" PRIu32, list->option,
                             numbers ? "protocol number" : "port", len < 64 ? (int)len : 64, digits, highest);
    }
    *ret = value;
    return 0;
}

static int add_range(struct list *list, const char *item, size_t len, struct error *err)
{
    const char *dash = memchr(item, '-', len);
    size_t first_len = dash ? (size_t)(dash - item) : len;
    const char *last_text = dash ? dash + 1 : item;
    size_t last_len = dash ? len - first_len - 1 : len;
    uint32_t first = list->active == PORTS_BIT(PORTS_IP) ? 0 : 1;
    uint32_t last = list->active & PORTS_BIT(PORTS_IP) ? 255 : 65535;
    if (memchr(last_text, '-', last_len))
        return error_set(err, EX_USAGE, "%s: '%.*s' is not a range", list->option, len < 64 ? (int)len : 64,
                         item);
    int error = first_len ? read_number(list, item, first_len, &first, err) : 0;
    if (!error && last_len)
        error = read_number(list, last_text, last_len, &last, err);
    if (error)
        return error;
    if (first > last)
        return error_set(err, EX_USAGE,
                         "%s: backwards range %" PRIu32 "-%" PRIu32 "; did you mean %" PRIu32 "-%" PRIu32 "?",
                         list->option, first, last, last, first);
    for (enum port_protocol protocol = 0; protocol < PORTS_PROTOCOL_COUNT; protocol++)
        for (uint32_t port = first; list->active & PORTS_BIT(protocol) && port <= last; port++)
            add(list, protocol, (uint16_t)port);
    return 0;
}

/* "T:" and its like, as many as there are; the last counts. */
static int read_qualifiers(struct list *list, struct error *err)
{
    static const char letters[] = "TUSP"; /* in the order of enum port_protocol */
    while (*list->at && list->at[1] == ':') {
        const char *letter = strchr(letters, *list->at);
        if (!letter)
            return error_set(
                err, EX_USAGE,
                "%s: unknown protocol '%c:'; there are T: (TCP), U: (UDP), S: (SCTP) and P: (IP protocol)",
                list->option, *list->at);
        list->active = 1u << (letter - letters);
        list->at += 2;
        skip_blanks(list);
    }
    return 0;
}

static int read_list(struct list *list, struct error *err);

static int read_brackets(struct list *list, struct error *err)
{
    unsigned outside = list->active;
    size_t opened = column(list);
    if (list->in_brackets)
        return error_set(err, EX_USAGE, "%s: '[' inside brackets at character %zu", list->option, opened);
    list->at++;
    list->in_brackets = true;
    int error = read_list(list, err);
    if (!error && *list->at != ']')
        error = error_set(err, EX_USAGE, "%s: the '[' at character %zu is not closed", list->option, opened);
    if (error)
        return error;
    list->at++;
    list->in_brackets = false;
    list->active = outside;
    return 0;
}

static int read_item(struct list *list, struct error *err)
{
    skip_blanks(list);
    int error = read_qualifiers(list, err);
    if (error)
        return error;
    if (*list->at == '[')
        return read_brackets(list, err);
    const char *item = list->at;
    size_t len = strcspn(item, ",[] \t");
    if (*item == ']' && !list->in_brackets)
        return error_set(err, EX_USAGE, "%s: ']' without '[' at character %zu", list->option, column(list));
    if (len == 0)
        return error_set(err, EX_USAGE, "%s: a port is missing at character %zu", list->option, column(list));
    list->at += len;
    if (strspn(item, "0123456789-") >= len)
        return add_range(list, item, len, err);
    return add_named(list, item, len, err);
}

/* Items up to the end of the text or of the brackets. A comma may end them. */
static int read_list(struct list *list, struct error *err)
{
    for (;;) {
        int error = read_item(list, err);
        if (error)
            return error;
        skip_blanks(list);
        if (*list->at != ',')
            break;
        list->at++;
        skip_blanks(list);
        if (!*list->at || (list->in_brackets && *list->at == ']'))
            break;
    }
    if (!*list->at || (list->in_brackets && *list->at == ']'))
        return 0;
    if (*list->at == ']')
        return error_set(err, EX_USAGE, "%s: ']' without '[' at character %zu", list->option, column(list));
    return error_set(err, EX_USAGE, "%s: a comma is missing at character %zu", list->option, column(list));
}

int ports_parse(const char *option, const char *text, unsigned protocols,
                const struct service_table *services, struct port_set *set, unsigned *ret_dropped,
                struct error *err)
{
    struct list list = {
        .option = option,
        .text = text,
        .at = text,
        .active = protocols,
        .protocols = protocols,
        .services = services,
        .set = set,
    };
    int error = read_list(&list, err);
    if (!error && ret_dropped)
        *ret_dropped = list.dropped;
    return error;
}

/* Add the `count` most common ports of a protocol that are not excluded. */
static int add_top(const struct service_table *services, enum port_protocol protocol, size_t count,
                   const struct port_set *excluded, struct port_set *set)
{
    size_t capacity = count + port_set_count(excluded, protocol);
    own(free_ptr) uint16_t *top = calloc(capacity, sizeof *top);
    if (!top)
        return -1;
    size_t top_count = services_top(services, protocol, capacity, top);
    for (size_t i = 0; i < top_count && count > 0; i++) {
        if (port_set_has(excluded, protocol, top[i]))
            continue;
        port_set_add(set, protocol, top[i]);
        count--;
    }
    return 0;
}

static void add_all_named(const struct service_table *services, enum port_protocol protocol,
                          struct port_set *set)
{
    const struct service_list *list = &services->lists[protocol];
    for (size_t i = 0; i < list->service_count; i++)
        if (list->services[i].port != 0 || protocol == PORTS_IP)
            port_set_add(set, protocol, list->services[i].port);
}

/* What is scanned of a protocol without -p. */
static int add_common(const struct ports_options *options, const struct service_table *services,
                      enum port_protocol protocol, const struct port_set *excluded, struct port_set *set)
{
    if (options->top_count)
        return add_top(services, protocol, options->top_count, excluded, set);
    if (protocol == PORTS_TCP || protocol == PORTS_UDP)
        return add_top(services, protocol, options->fast ? FAST_TOP : DEFAULT_TOP, excluded, set);
    if (protocol == PORTS_SCTP || options->fast)
        add_all_named(services, protocol, set);
    else
        memset(set->bits[protocol], 0xff, 256 / 8);
    return 0;
}

/* Take the excluded away, and count what is left. */
static size_t without(struct port_set *set, const struct port_set *excluded)
{
    size_t count = 0;
    for (enum port_protocol protocol = 0; protocol < PORTS_PROTOCOL_COUNT; protocol++) {
        for (size_t word = 0; word < sizeof set->bits[0] / sizeof set->bits[0][0]; word++)
            set->bits[protocol][word] &= ~excluded->bits[protocol][word];
        count += port_set_count(set, protocol);
    }
    return count;
}

/* The sets are 32 KiB each: the caller puts them on the heap. */
static int select_into(const struct ports_options *options, const struct service_table *services,
                       struct port_set *set, struct port_set *excluded, unsigned *ret_dropped,
                       struct error *err)
{
    unsigned dropped = 0;
    int error = 0;
    if (options->excluded)
        error = ports_parse("--exclude-ports", options->excluded, options->protocols, services, excluded,
                            NULL, err);
    if (!error && options->spec)
        error = ports_parse("-p", options->spec, options->protocols, services, set, &dropped, err);
    if (error)
        return error;
    for (enum port_protocol protocol = 0; !options->spec && protocol < PORTS_PROTOCOL_COUNT; protocol++)
        if (options->protocols & PORTS_BIT(protocol) &&
            add_common(options, services, protocol, excluded, set))
            return error_set(err, EX_OSERR, "out of memory for the ports");
    size_t count = without(set, excluded);
    if (count == 0 && options->excluded)
        return error_set(err, EX_USAGE, "--exclude-ports leaves no port to scan");
    if (count == 0)
        return error_set(err, EX_USAGE, "-p: '%.128s' selects no port to scan", options->spec);
    *ret_dropped = dropped;
    return 0;
}

int ports_select(const struct ports_options *options, const struct service_table *services,
                 struct port_set *ret, unsigned *ret_dropped, struct error *err)
{
    assert(options->protocols);
    if (!!options->spec + options->fast + (options->top_count > 0) > 1)
        return error_set(err, EX_USAGE, "only one of -p, -F and --top-ports can choose the ports");
    if (options->top_count > 65535)
        return error_set(err, EX_USAGE, "--top-ports: %" PRIu32 " is above 65535", options->top_count);
    struct port_set *sets = calloc(2, sizeof *sets); /* chosen, excluded */
    if (!sets)
        return error_set(err, EX_OSERR, "out of memory for the ports");
    unsigned dropped = 0;
    int error = select_into(options, services, &sets[0], &sets[1], &dropped, err);
    if (!error) {
        *ret = sets[0];
        if (ret_dropped)
            *ret_dropped = dropped;
    }
    free(sets);
    return error;
}
