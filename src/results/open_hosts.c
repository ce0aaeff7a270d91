#include "results/open_hosts.h"

#include <assert.h>
#include <stdlib.h>

#define BUCKETS_FIRST 64

static_assert(sizeof(struct open_host) <= 72, "131,072 open hosts with 10 answers each stay below 40 MB");

static uint64_t bucket_of(const struct open_hosts *table, uint64_t position)
{
    /* Fibonacci hashing: the high bits of the product depend on all bits of the position. */
    return ((position * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (table->bucket_count - 1);
}

struct open_host *open_hosts_find(const struct open_hosts *table, uint64_t position)
{
    if (!table->bucket_count)
        return NULL;
    struct open_host *host = table->buckets[bucket_of(table, position)];
    while (host && host->position != position)
        host = host->next;
    return host;
}

static void link_host(struct open_hosts *table, struct open_host *host)
{
    struct open_host **bucket = &table->buckets[bucket_of(table, host->position)];
    host->next = *bucket;
    *bucket = host;
}

static bool grow(struct open_hosts *table)
{
    uint64_t bucket_count = table->bucket_count ? table->bucket_count * 2 : BUCKETS_FIRST;
    struct open_host **buckets = calloc(bucket_count, sizeof(struct open_host *));
    if (!buckets)
        return false;

    struct open_hosts old = *table;
    *table = (struct open_hosts){.buckets = buckets, .bucket_count = bucket_count, .count = old.count};
    for (uint64_t i = 0; i < old.bucket_count; i++) {
        struct open_host *next;
        for (struct open_host *host = old.buckets[i]; host; host = next) {
            next = host->next;
            link_host(table, host);
        }
    }
    free(old.buckets);
    return true;
}

struct open_host *open_hosts_add(struct open_hosts *table, uint64_t position)
{
    assert(!open_hosts_find(table, position));
    if (table->count == table->bucket_count && !grow(table))
        return NULL;
    struct open_host *host = calloc(1, sizeof *host);
    if (!host)
        return NULL;
    host->position = position;
    link_host(table, host);
    table->count++;
    return host;
}

static void open_host_free(struct open_host *host)
{
    answers_done(&host->answers);
    if (host->extra) {
        free(host->extra->user_name);
        free(host->extra->ptr_name);
        free(host->extra);
    }
    free(host);
}

void open_hosts_remove(struct open_hosts *table, struct open_host *host)
{
    struct open_host **link = &table->buckets[bucket_of(table, host->position)];
    while (*link != host)
        link = &(*link)->next;
    *link = host->next;
    table->count--;
    open_host_free(host);
}

void open_hosts_done(struct open_hosts *table)
{
    for (uint64_t i = 0; i < table->bucket_count; i++) {
        struct open_host *next;
        for (struct open_host *host = table->buckets[i]; host; host = next) {
            next = host->next;
            open_host_free(host);
        }
    }
    free(table->buckets);
    *table = (struct open_hosts){0};
}

struct host_extra *open_host_extra(struct open_host *host)
{
    if (!host->extra)
        host->extra = calloc(1, sizeof *host->extra);
    return host->extra;
}

uint8_t open_host_add_source(struct open_host *host, const struct addr *source)
{
    if (source->family == ADDR_NONE)
        return 0;
    unsigned count = host->extra ? host->extra->source_count : 0;
    for (unsigned i = 0; i < count; i++)
        if (addr_equal(&host->extra->sources[i], source))
            return (uint8_t)(i + 1);
    if (count == ANSWER_SOURCES_MAX || !open_host_extra(host))
        return 0;

    struct host_extra *extra = realloc(host->extra, sizeof *extra + (count + 1) * sizeof *source);
    if (!extra)
        return 0;
    host->extra = extra;
    extra->sources[count] = *source;
    extra->source_count = count + 1;
    return (uint8_t)(count + 1);
}

struct addr open_host_source(const struct open_host *host, uint8_t number)
{
    return number ? host->extra->sources[number - 1] : (struct addr){0};
}
