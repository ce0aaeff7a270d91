#include "resolve/hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

#define ENTRIES_MAX                                                                                          \
    100000 /* longer files are lists of blocked names, which all have the same few addresses */
#define HOSTNAME_MAX 253

static bool entry_of_line(char *line, size_t number, struct hosts_entry *ret)
{
    line[strcspn(line, "#\n")] = '\0';
    char *rest = line;
    const char *blanks = " \t\r\v\f";
    const char *address = strtok_r(rest, blanks, &rest);
    const char *name = address ? strtok_r(NULL, blanks, &rest) : NULL;
    struct hosts_entry entry = {.line = number};
    if (!name || strlen(name) > HOSTNAME_MAX || !addr_parse(address, &entry.addr))
        return false;
    entry.name = strdup(name);
    *ret = entry;
    return entry.name != NULL;
}

static int by_addr_and_line(const void *a, const void *b)
{
    const struct hosts_entry *x = a, *y = b;
    int order = addr_compare(&x->addr, &y->addr);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

static int by_addr(const void *a, const void *b)
{
    const struct hosts_entry *x = a, *y = b;
    return addr_compare(&x->addr, &y->addr);
}

/* Room for one more entry, by doubling. */
static bool grow(struct hosts *hosts, size_t *capacity)
{
    if (hosts->count < *capacity)
        return true;
    size_t wanted = *capacity ? *capacity * 2 : 16;
    struct hosts_entry *entries = reallocarray(hosts->entries, wanted, sizeof *entries);
    if (!entries)
        return false;
    hosts->entries = entries;
    *capacity = wanted;
    return true;
}

/* Keep of each address only the entry of its first line. */
static void unique(struct hosts *hosts)
{
    size_t kept = 0;
    for (size_t i = 0; i < hosts->count; i++) {
        if (kept && addr_equal(&hosts->entries[kept - 1].addr, &hosts->entries[i].addr))
            free(hosts->entries[i].name);
        else
            hosts->entries[kept++] = hosts->entries[i];
    }
    hosts->count = kept;
}

void hosts_load(const char *path, struct hosts *ret)
{
    *ret = (struct hosts){.count = 0};
    own(close_file) FILE *file = fopen(path, "re");
    if (!file)
        return;

    own(free_ptr) char *line = NULL;
    size_t line_capacity = 0, capacity = 0;
    for (size_t number = 0; ret->count < ENTRIES_MAX && getline(&line, &line_capacity, file) >= 0; number++) {
        if (!grow(ret, &capacity))
            break;
        if (entry_of_line(line, number, &ret->entries[ret->count]))
            ret->count++;
    }
    if (ret->count)
        qsort(ret->entries, ret->count, sizeof *ret->entries, by_addr_and_line);
    unique(ret);
}

const char *hosts_find(const struct hosts *hosts, const struct addr *addr)
{
    struct hosts_entry key = {.addr = *addr};
    const struct hosts_entry *found =
        hosts->count ? bsearch(&key, hosts->entries, hosts->count, sizeof key, by_addr) : NULL;
    return found ? found->name : NULL;
}

void hosts_done(struct hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++)
        free(hosts->entries[i].name);
    free(hosts->entries);
    *hosts = (struct hosts){.count = 0};
}
