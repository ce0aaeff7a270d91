#include "engine/answer/provisional.h"

#include <errno.h>
#include <stdlib.h>

#define PROVISIONAL_FREE 0 /* memory that nobody has touched: only what is used costs any */

static uint64_t key_of(uint32_t block_id, uint64_t bit)
{
    return (uint64_t)block_id << 32 | (bit + 1);
}

static uint32_t block_of(uint64_t key)
{
    return (uint32_t)(key >> 32);
}

static uint64_t bit_of(uint64_t key)
{
    return (key & UINT32_MAX) - 1;
}

static uint32_t home_of(const struct provisional_table *table, uint64_t key)
{
    return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (table->capacity - 1);
}

static void clear(struct provisional_table *table)
{
    for (uint32_t i = 0; i < table->capacity; i++)
        table->entries[i].key = PROVISIONAL_FREE;
    table->count = 0;
}

int provisional_init(struct provisional_table *table, uint32_t capacity)
{
    struct provisional *entries = calloc(capacity, sizeof *entries);
    if (!entries)
        return -ENOMEM;
    *table = (struct provisional_table){.entries = entries, .capacity = capacity};
    return 0;
}

void provisional_done(struct provisional_table *table)
{
    free(table->entries);
    *table = (struct provisional_table){0};
}

struct provisional *provisional_find(const struct provisional_table *table, uint32_t block_id, uint64_t bit)
{
    if (table->count == 0) /* most of the time: the table is large, and no cache has it */
        return NULL;
    uint64_t key = key_of(block_id, bit);
    uint32_t mask = table->capacity - 1;
    for (uint32_t i = home_of(table, key); table->entries[i].key != PROVISIONAL_FREE; i = (i + 1) & mask)
        if (table->entries[i].key == key)
            return &table->entries[i];
    return NULL;
}

struct provisional *provisional_add(struct provisional_table *table, uint32_t block_id, uint64_t bit)
{
    if (table->count >= table->capacity / 2)
        return NULL;
    uint64_t key = key_of(block_id, bit);
    uint32_t mask = table->capacity - 1;
    uint32_t i = home_of(table, key);
    while (table->entries[i].key != PROVISIONAL_FREE)
        i = (i + 1) & mask;
    table->entries[i] = (struct provisional){.key = key};
    table->count++;
    return &table->entries[i];
}

void provisional_copy(struct provisional_table *table, uint32_t from_block_id, uint64_t from_bit,
                      uint32_t to_block_id, uint64_t to_bit)
{
    const struct provisional *from = provisional_find(table, from_block_id, from_bit);
    struct provisional *to = from ? provisional_add(table, to_block_id, to_bit) : NULL;
    if (!to)
        return;
    uint64_t key = to->key;
    *to = *from;
    to->key = key;
}

void provisional_forget_block(struct provisional_table *table, uint32_t block_id)
{
    if (table->count == 0)
        return;
    struct provisional *kept = calloc(table->count, sizeof *kept);
    if (!kept)
        return; /* stale entries only take room: block ids are not reused */
    uint32_t kept_count = 0;
    for (uint32_t i = 0; i < table->capacity; i++) {
        uint64_t key = table->entries[i].key;
        if (key != PROVISIONAL_FREE && block_of(key) != block_id)
            kept[kept_count++] = table->entries[i];
    }
    clear(table);
    for (uint32_t i = 0; i < kept_count; i++) {
        struct provisional *entry = provisional_add(table, block_of(kept[i].key), bit_of(kept[i].key));
        *entry = kept[i];
    }
    free(kept);
}
