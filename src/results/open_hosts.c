#include "results/open_hosts.h"

#include <assert.h>
#include <stdlib.h>

#define SLOTS_FIRST  64
#define CHUNK_HOSTS  1024u
#define CHUNKS_FIRST 8u
#define HOST_ALIGNED 64 /* a cache line */
#define GOLDEN_RATIO UINT64_C(0x9e3779b97f4a7c15)

static_assert(sizeof(struct open_host) == HOST_ALIGNED,
              "a record that names a host touches one cache line of it");

/* Fibonacci hashing: the high bits of the product depend on all bits of the position. */
static uint64_t first_slot_of(const struct open_hosts *table, uint64_t position)
{
    return ((position * GOLDEN_RATIO) >> 32) & (table->slot_count - 1);
}

static struct open_host *host_at(const struct open_hosts *table, uint32_t place)
{
    return &table->chunks[place / CHUNK_HOSTS][place % CHUNK_HOSTS];
}

struct open_host *open_hosts_at(const struct open_hosts *table, uint32_t place)
{
    struct open_host *host = host_at(table, place);
    return host->open ? host : NULL;
}

/* The slot of this host, or the empty one where it would be put. The table is not full, so there is one. */
static uint64_t slot_of(const struct open_hosts *table, uint64_t position)
{
    uint64_t i = first_slot_of(table, position);
    while (table->slots[i].place != OPEN_PLACE_NONE &&
           (table->slots[i].mark != (uint32_t)position ||
            host_at(table, table->slots[i].place)->position != position))
        i = (i + 1) & (table->slot_count - 1);
    return i;
}

struct open_host *open_hosts_find(const struct open_hosts *table, uint64_t position)
{
    if (!table->slot_count)
        return NULL;
    uint32_t place = table->slots[slot_of(table, position)].place;
    return place == OPEN_PLACE_NONE ? NULL : host_at(table, place);
}

static void put_slot(struct open_hosts *table, uint64_t position, uint32_t place)
{
    table->slots[slot_of(table, position)] = (struct open_slot){place, (uint32_t)position};
}

static bool grow_slots(struct open_hosts *table)
{
    uint64_t slot_count = table->slot_count ? table->slot_count * 2 : SLOTS_FIRST;
    struct open_slot *slots = malloc(slot_count * sizeof *slots);
    if (!slots)
        return false;
    for (uint64_t i = 0; i < slot_count; i++)
        slots[i].place = OPEN_PLACE_NONE;
    free(table->slots);
    table->slots = slots;
    table->slot_count = slot_count;
    for (uint32_t place = 0; place < table->place_count; place++) {
        const struct open_host *host = open_hosts_at(table, place);
        if (host)
            put_slot(table, host->position, place);
    }
    return true;
}

/* Room for one chunk more; the list of them grows when their number is a power of two. */
static bool add_chunk(struct open_hosts *table)
{
    uint32_t count = table->place_count / CHUNK_HOSTS;
    if (count == 0 || (count >= CHUNKS_FIRST && (count & (count - 1)) == 0)) {
        uint32_t capacity = count ? 2 * count : CHUNKS_FIRST;
        struct open_host **chunks = realloc(table->chunks, capacity * sizeof(struct open_host *));
        if (!chunks)
            return false;
        table->chunks = chunks;
    }
    table->chunks[count] = aligned_alloc(HOST_ALIGNED, CHUNK_HOSTS * sizeof(struct open_host));
    return table->chunks[count] != NULL;
}

/* A place for one host more. False: no memory. */
static bool take_place(struct open_hosts *table, uint32_t *ret)
{
    if (table->count < table->place_count) {
        *ret = table->free_place;
        table->free_place = (uint32_t)host_at(table, *ret)->position;
        return true;
    }
    if (table->place_count == OPEN_PLACE_NONE || (table->place_count % CHUNK_HOSTS == 0 && !add_chunk(table)))
        return false;
    *ret = table->place_count++;
    return true;
}

struct open_host *open_hosts_add(struct open_hosts *table, uint64_t position)
{
    uint32_t place = 0;
    assert(!open_hosts_find(table, position));
    if (2 * (table->count + 1) > table->slot_count && !grow_slots(table))
        return NULL;
    if (!take_place(table, &place))
        return NULL;
    struct open_host *host = host_at(table, place);
    *host = (struct open_host){.position = position, .open = true};
    put_slot(table, position, place);
    table->count++;
    return host;
}

/* Move those behind an empty slot that would not be found any more. */
static void close_gap(struct open_hosts *table, uint64_t gap)
{
    uint64_t all = table->slot_count - 1;
    for (uint64_t i = (gap + 1) & all; table->slots[i].place != OPEN_PLACE_NONE; i = (i + 1) & all) {
        uint64_t first = first_slot_of(table, host_at(table, table->slots[i].place)->position);
        if (((i - first) & all) < ((i - gap) & all))
            continue; /* it is sought only behind the gap */
        table->slots[gap] = table->slots[i];
        gap = i;
    }
    table->slots[gap].place = OPEN_PLACE_NONE;
}

static void host_done(struct open_host *host)
{
    answers_done(&host->answers);
    if (host->extra) {
        free(host->extra->user_name);
        free(host->extra->ptr_name);
        free(host->extra);
    }
    host->open = false;
}

void open_hosts_remove(struct open_hosts *table, struct open_host *host)
{
    uint64_t slot = slot_of(table, host->position);
    uint32_t place = table->slots[slot].place;
    close_gap(table, slot);
    host_done(host);
    host->position = table->free_place;
    table->free_place = place;
    table->count--;
}

void open_hosts_done(struct open_hosts *table)
{
    for (uint32_t place = 0; place < table->place_count; place++) {
        struct open_host *host = open_hosts_at(table, place);
        if (host)
            host_done(host);
    }
    for (uint32_t place = 0; place < table->place_count; place += CHUNK_HOSTS)
        free(table->chunks[place / CHUNK_HOSTS]);
    free(table->chunks);
    free(table->slots);
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
