#include "plan/services.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "plan/words.h"

#define SERVICES_MAX (1u << 18) /* of one file; there are 3 * 65536 ports */
#define NOT_RANKED   (-1.0)

/* One line of the file. */
struct entry {
    double frequency; /* or NOT_RANKED */
    uint32_t name;
    uint16_t port;
    uint8_t protocol;
};

/* A file on its way to a table. */
struct reading {
    struct words words;
    struct word word; /* the next, when has_word */
    uint64_t line;    /* being read */
    struct entry *entries;
    char *names;
    size_t entry_count;
    size_t entry_capacity;
    size_t names_len;
    size_t names_capacity;
    bool has_word;
};

/* What services_read hands out; the table's pointers lead into the rest. */
struct loaded {
    struct service_table table; /* first, so that a pointer to it is one to the whole */
    struct service *services;
    uint16_t *ranked;
    char *names;
};

static int out_of_memory(struct error *err)
{
    return error_set(err, EX_OSERR, "out of memory for the services");
}

#define BAD_LINE(reading, err, format, ...)                                                                  \
    error_set(err, EX_DATAERR, "%s:%" PRIu64 ": " format, (reading)->words.path, (reading)->line, __VA_ARGS__)

/* Look at the next word of the file. Negative on errors; has_word tells whether there is one. */
static int advance(struct reading *reading, struct error *err)
{
    int status = words_next(&reading->words, &reading->word, err);
    reading->has_word = status > 0;
    return status < 0 ? status : 0;
}

static bool more_on_line(const struct reading *reading)
{
    return reading->has_word && reading->word.line == reading->line;
}

static int read_name(struct reading *reading, uint32_t *ret, struct error *err)
{
    const struct word *word = &reading->word;
    if (word->len > SERVICE_NAME_MAX)
        return BAD_LINE(reading, err, "name '%.40s...' is longer than %d bytes", word->text,
                        SERVICE_NAME_MAX);
    for (const char *p = word->text; *p; p++)
        if (*p < '!' || *p > '~')
            return BAD_LINE(reading, err, "name '%s' is not ASCII", word->text);
    if (reading->names_capacity - reading->names_len < word->len + 1) {
        size_t wanted = reading->names_capacity ? reading->names_capacity * 2 : 4096;
        char *larger = realloc(reading->names, wanted);
        if (!larger)
            return out_of_memory(err);
        reading->names = larger;
        reading->names_capacity = wanted;
    }
    memcpy(reading->names + reading->names_len, word->text, word->len + 1);
    *ret = (uint32_t)reading->names_len;
    reading->names_len += word->len + 1;
    return advance(reading, err);
}

/* "80/tcp". PORTS_PROTOCOL_COUNT for a protocol that we have no ports of. */
static int read_port(struct reading *reading, uint16_t *ret_port, uint8_t *ret_protocol, struct error *err)
{
    static const char *const protocols[] = {[PORTS_TCP] = "tcp", [PORTS_UDP] = "udp", [PORTS_SCTP] = "sctp"};
    if (!more_on_line(reading))
        return BAD_LINE(reading, err, "%s is missing", "port/protocol");
    const char *text = reading->word.text;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || text[digits] != '/' || !text[digits + 1])
        return BAD_LINE(reading, err, "'%.64s' is not port/protocol", text);
    unsigned long port = strtoul(text, NULL, 10);
    if (port > UINT16_MAX)
        return BAD_LINE(reading, err, "port %.*s is above 65535", digits < 40 ? (int)digits : 40, text);
    uint8_t protocol = PORTS_PROTOCOL_COUNT;
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
        if (strcmp(text + digits + 1, protocols[i]) == 0)
            protocol = (uint8_t)i;
    *ret_port = (uint16_t)port;
    *ret_protocol = protocol;
    return advance(reading, err);
}

/* A decimal number at the start of a text; NULL when there is none, otherwise what follows it. */
static const char *read_number(const char *text, double *ret)
{
    if (*text != '.' && (*text < '0' || *text > '9')) /* no sign, no "inf", no "nan" */
        return NULL;
    if (text[strspn(text, "0123456789.eE+-/")])
        return NULL;
    char *end;
    *ret = strtod(text, &end);
    return end == text ? NULL : end;
}

/* "0.25" or "1/4", or nothing. */
static int read_frequency(struct reading *reading, double *ret, struct error *err)
{
    double value = NOT_RANKED;
    double divisor = 1;
    if (more_on_line(reading)) {
        const char *rest = read_number(reading->word.text, &value);
        if (rest && *rest == '/')
            rest = read_number(rest + 1, &divisor);
        if (!rest || *rest || !(divisor > 0) || !(value / divisor <= 1))
            return BAD_LINE(reading, err, "'%.64s' is not a frequency between 0 and 1", reading->word.text);
        value /= divisor;
        int error = advance(reading, err);
        if (error)
            return error;
    }
    if (more_on_line(reading))
        return BAD_LINE(reading, err, "'%.64s' after the frequency", reading->word.text);
    *ret = value;
    return 0;
}

static int read_line(struct reading *reading, struct error *err)
{
    struct entry entry = {0};
    reading->line = reading->word.line;
    size_t names_len = reading->names_len;
    int error = read_name(reading, &entry.name, err);
    if (!error)
        error = read_port(reading, &entry.port, &entry.protocol, err);
    if (!error)
        error = read_frequency(reading, &entry.frequency, err);
    if (error)
        return error;
    if (entry.protocol == PORTS_PROTOCOL_COUNT) {
        reading->names_len = names_len;
        return 0;
    }
    if (reading->entry_count == SERVICES_MAX)
        return BAD_LINE(reading, err, "more than %u services", SERVICES_MAX);
    if (reading->entry_count == reading->entry_capacity) {
        size_t wanted = reading->entry_capacity ? reading->entry_capacity * 2 : 1024;
        struct entry *larger = reallocarray(reading->entries, wanted, sizeof *larger);
        if (!larger)
            return out_of_memory(err);
        reading->entries = larger;
        reading->entry_capacity = wanted;
    }
    reading->entries[reading->entry_count++] = entry;
    return 0;
}

/* By protocol and port, then as in the file, which is how the names were appended. */
static int order_by_port(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    if (x->protocol != y->protocol)
        return x->protocol < y->protocol ? -1 : 1;
    if (x->port != y->port)
        return x->port < y->port ? -1 : 1;
    return (x->name > y->name) - (x->name < y->name);
}

static int order_by_frequency(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    if (x->frequency > y->frequency || x->frequency < y->frequency)
        return x->frequency > y->frequency ? -1 : 1;
    return (x->name > y->name) - (x->name < y->name);
}

/* Keep the entries that rank a port: the first of each that is not 0, if it has a frequency. Returns how
 * many. */
static size_t keep_ranked(struct entry *entries, size_t count)
{
    size_t kept = 0;
    int32_t port = -1;
    for (size_t i = 0; i < count; i++) {
        bool first = entries[i].port != port;
        port = entries[i].port;
        if (first && port != 0 && entries[i].frequency >= 0)
            entries[kept++] = entries[i];
    }
    return kept;
}

/* Fill the list of one protocol from its entries, which are sorted by port and are spoiled. */
static void fill_list(struct service_list *list, struct entry *entries, size_t count,
                      struct service *services, uint16_t *ranked)
{
    for (size_t i = 0; i < count; i++)
        services[i] = (struct service){.port = entries[i].port, .name = entries[i].name};
    size_t ranked_count = keep_ranked(entries, count);
    if (ranked_count)
        qsort(entries, ranked_count, sizeof *entries, order_by_frequency);
    for (size_t i = 0; i < ranked_count; i++)
        ranked[i] = entries[i].port;
    list->services = services;
    list->service_count = count;
    list->ranked = ranked;
    list->ranked_count = ranked_count;
}

static int make_table(struct reading *reading, struct service_table **ret, struct error *err)
{
    struct loaded *loaded = calloc(1, sizeof *loaded);
    if (!loaded)
        return out_of_memory(err);
    loaded->services = calloc(reading->entry_count + 1, sizeof *loaded->services);
    loaded->ranked = calloc(reading->entry_count + 1, sizeof *loaded->ranked);
    if (!loaded->services || !loaded->ranked) {
        services_free(&loaded->table);
        return out_of_memory(err);
    }
    loaded->names = reading->names;
    reading->names = NULL;

    qsort(reading->entries, reading->entry_count, sizeof *reading->entries, order_by_port);
    size_t start = 0;
    for (enum port_protocol protocol = 0; protocol < PORTS_IP; protocol++) {
        size_t end = start;
        while (end < reading->entry_count && reading->entries[end].protocol == protocol)
            end++;
        loaded->table.lists[protocol].names = loaded->names;
        fill_list(&loaded->table.lists[protocol], reading->entries + start, end - start,
                  loaded->services + start, loaded->ranked + start);
        start = end;
    }
    loaded->table.lists[PORTS_IP] = services_builtin()->lists[PORTS_IP];
    *ret = &loaded->table;
    return 0;
}

int services_read(const char *path, struct service_table **ret, struct error *err)
{
    own(free_ptr) struct reading *reading = calloc(1, sizeof *reading);
    if (!reading)
        return out_of_memory(err);
    int error = words_open(&reading->words, path, false, err);
    if (error)
        return error;
    error = advance(reading, err);
    while (!error && reading->has_word)
        error = read_line(reading, err);
    if (!error && reading->entry_count == 0)
        error = error_set(err, EX_DATAERR, "%s: no services in it", path);
    if (!error)
        error = make_table(reading, ret, err);
    words_close(&reading->words);
    free(reading->entries);
    free(reading->names);
    return error;
}

void services_free(struct service_table *table)
{
    if (!table)
        return;
    struct loaded *loaded = (struct loaded *)table;
    free(loaded->services);
    free(loaded->ranked);
    free(loaded->names);
    free(loaded);
}
