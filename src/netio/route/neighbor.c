#include "netio/route/neighbor.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "base/siphash.h"

#define WINDOW 16 /* places an address may stand in, from its hash on */

struct neighbor_table {
    struct siphash_key key; /* hosts choose their addresses: they must not choose their places too */
    size_t capacity;
    struct neighbor entries[];
};

struct neighbor_table *neighbor_table_new(size_t capacity)
{
    struct neighbor_table *table = calloc(1, sizeof *table + capacity * sizeof table->entries[0]);
    if (!table)
        return NULL;
    table->capacity = capacity;
    if (getrandom(&table->key, sizeof table->key, 0) != sizeof table->key) {
        free(table);
        return NULL;
    }
    return table;
}

void neighbor_table_free(struct neighbor_table *table)
{
    free(table);
}

static struct neighbor *place(struct neighbor_table *table, uint32_t link, const struct addr *addr,
                              size_t offset)
{
    uint64_t words[3] = {get_be64(addr->bytes), get_be64(addr->bytes + 8),
                         ((uint64_t)link << 8) | addr->family};
    uint64_t hash = siphash_words(&table->key, words, 3);
    return &table->entries[(hash + offset) & (table->capacity - 1)];
}

struct neighbor *neighbor_find(struct neighbor_table *table, uint32_t link, const struct addr *addr)
{
    for (size_t i = 0; i < WINDOW; i++) {
        struct neighbor *entry = place(table, link, addr, i);
        if (entry->state == NEIGHBOR_UNKNOWN)
            return NULL; /* places are never emptied again */
        if (entry->link == link && addr_equal(&entry->addr, addr))
            return entry;
    }
    return NULL;
}

static bool is_waiting(const struct neighbor *entry, int64_t now_ns)
{
    return entry->waiting && now_ns - entry->asked_ns <= NEIGHBOR_ANSWER_NS;
}

/* What would be lost with this entry. */
static int worth(const struct neighbor *entry, int64_t now_ns)
{
    if (entry->state == NEIGHBOR_UNKNOWN)
        return 0;
    return 1 + is_waiting(entry, now_ns) + 2 * (entry->state == NEIGHBOR_KNOWN) + 4 * entry->gateway;
}

/* The entry for an address, taking the place of the one that is worth least when it is new. */
static struct neighbor *make(struct neighbor_table *table, uint32_t link, const struct addr *addr,
                             int64_t now_ns)
{
    struct neighbor *entry = neighbor_find(table, link, addr);
    if (entry)
        return entry;
    struct neighbor *best = place(table, link, addr, 0);
    for (size_t i = 1; i < WINDOW && best->state != NEIGHBOR_UNKNOWN; i++) {
        struct neighbor *candidate = place(table, link, addr, i);
        int difference = worth(candidate, now_ns) - worth(best, now_ns);
        if (difference < 0 || (difference == 0 && candidate->asked_ns < best->asked_ns))
            best = candidate;
    }
    *best = (struct neighbor){.addr = *addr, .link = link, .state = NEIGHBOR_ASKED, .asked_ns = now_ns};
    return best;
}

struct neighbor *neighbor_ask(struct neighbor_table *table, uint32_t link, const struct addr *addr,
                              int64_t now_ns)
{
    struct neighbor *entry = make(table, link, addr, now_ns);
    entry->waiting = true;
    entry->asked_ns = now_ns;
    return entry;
}

static bool is_station(const uint8_t mac[static 6])
{
    static const uint8_t zero[6] = {0};
    return !(mac[0] & 1) && memcmp(mac, zero, sizeof zero) != 0; /* IEEE 802: bit 0 marks a group */
}

bool neighbor_answer(struct neighbor_table *table, uint32_t link, const struct addr *addr,
                     const uint8_t mac[static 6], int64_t now_ns)
{
    struct neighbor *entry = neighbor_find(table, link, addr);
    if (!entry || !is_waiting(entry, now_ns) || !is_station(mac))
        return false;
    memcpy(entry->mac, mac, sizeof entry->mac);
    entry->state = NEIGHBOR_KNOWN;
    entry->waiting = false;
    return true;
}

void neighbor_learn(struct neighbor_table *table, const struct kernel_neighbor *known, int64_t now_ns)
{
    if (!is_station(known->mac))
        return;
    struct neighbor *entry = make(table, known->index, &known->addr, now_ns);
    memcpy(entry->mac, known->mac, sizeof entry->mac);
    entry->state = NEIGHBOR_KNOWN;
    entry->permanent = known->permanent;
}
