#include "netio/connect/slots.h"

#include <errno.h>
#include <stdlib.h>

#include "base/time.h"
#include "netio/connect/socket.h"

int connect_slots_init(struct connect_slots *ret, uint32_t capacity)
{
    uint32_t bucket_count = 1;
    while (bucket_count < capacity)
        bucket_count *= 2;
    struct connect_slots slots = {
        .slots = calloc(capacity, sizeof *slots.slots),
        .buckets = calloc(bucket_count, sizeof *slots.buckets),
        .capacity = capacity,
        .bucket_mask = bucket_count - 1,
    };
    if (!slots.slots || !slots.buckets) {
        free(slots.slots);
        free(slots.buckets);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < bucket_count; i++)
        slots.buckets[i] = CONNECT_SLOT_NONE;
    for (uint32_t i = 0; i < capacity; i++) {
        slots.slots[i].fd = -1;
        slots.slots[i].newer = i + 1 < capacity ? i + 1 : CONNECT_SLOT_NONE;
    }
    for (int list = 0; list < CONNECT_LIST_COUNT; list++)
        slots.oldest[list] = slots.newest[list] = CONNECT_SLOT_NONE;
    *ret = slots;
    return 0;
}

void connect_slots_done(struct connect_slots *slots)
{
    for (uint32_t i = 0; i < slots->capacity; i++)
        if (slots->slots[i].fd >= 0)
            connect_socket_reset(slots->slots[i].fd);
    free(slots->slots);
    free(slots->buckets);
    *slots = (struct connect_slots){0};
}

bool connect_slots_full(const struct connect_slots *slots)
{
    return slots->free_first == CONNECT_SLOT_NONE;
}

/* Blocks come in sequence and bits are spread by the order, so a multiplication is hash enough. */
static uint32_t *bucket_of(const struct connect_slots *slots, uint32_t block_id, uint64_t bit)
{
    uint64_t mixed = (bit + ((uint64_t)block_id << 40)) * UINT64_C(0x9e3779b97f4a7c15);
    return &slots->buckets[(mixed >> 32) & slots->bucket_mask];
}

static void list_append(struct connect_slots *slots, enum connect_list list, uint32_t index)
{
    struct connect_slot *slot = &slots->slots[index];
    slot->list = (uint8_t)list;
    slot->older = slots->newest[list];
    slot->newer = CONNECT_SLOT_NONE;
    if (slot->older == CONNECT_SLOT_NONE)
        slots->oldest[list] = index;
    else
        slots->slots[slot->older].newer = index;
    slots->newest[list] = index;
}

static void list_remove(struct connect_slots *slots, uint32_t index)
{
    const struct connect_slot *slot = &slots->slots[index];
    if (slot->older == CONNECT_SLOT_NONE)
        slots->oldest[slot->list] = slot->newer;
    else
        slots->slots[slot->older].newer = slot->newer;
    if (slot->newer == CONNECT_SLOT_NONE)
        slots->newest[slot->list] = slot->older;
    else
        slots->slots[slot->newer].older = slot->older;
}

static void supersede(struct connect_slots *slots, uint32_t first, uint32_t block_id, uint64_t bit)
{
    for (uint32_t i = first; i != CONNECT_SLOT_NONE; i = slots->slots[i].next_hashed) {
        const struct connect_slot *slot = &slots->slots[i];
        if (slot->block_id != block_id || slot->bit != bit || slot->list == CONNECT_LIST_SUPERSEDED)
            continue;
        list_remove(slots, i);
        list_append(slots, CONNECT_LIST_SUPERSEDED, i);
    }
}

uint32_t connect_slots_add(struct connect_slots *slots, const struct connect_slot *what)
{
    uint32_t index = slots->free_first;
    struct connect_slot *slot = &slots->slots[index];
    slots->free_first = slot->newer;

    uint32_t generation = slot->generation + 1;
    *slot = *what;
    slot->generation = generation;

    uint32_t *bucket = bucket_of(slots, what->block_id, what->bit);
    supersede(slots, *bucket, what->block_id, what->bit);
    slot->next_hashed = *bucket;
    *bucket = index;
    list_append(slots, CONNECT_LIST_LAST_TRY, index);
    return index;
}

void connect_slots_remove(struct connect_slots *slots, uint32_t index)
{
    struct connect_slot *slot = &slots->slots[index];
    uint32_t *link = bucket_of(slots, slot->block_id, slot->bit);
    while (*link != index)
        link = &slots->slots[*link].next_hashed;
    *link = slot->next_hashed;
    list_remove(slots, index);

    connect_socket_reset(slot->fd);
    slot->fd = -1;
    slot->newer = slots->free_first;
    slots->free_first = index;
}

void connect_slots_remove_probe(struct connect_slots *slots, uint32_t block_id, uint64_t bit)
{
    uint32_t index = *bucket_of(slots, block_id, bit);
    while (index != CONNECT_SLOT_NONE) {
        const struct connect_slot *slot = &slots->slots[index];
        uint32_t next = slot->next_hashed;
        if (slot->block_id == block_id && slot->bit == bit)
            connect_slots_remove(slots, index);
        index = next;
    }
}

static int64_t outlived_at(const struct connect_slots *slots, enum connect_list list, int64_t patience_ns)
{
    uint32_t oldest = slots->oldest[list];
    return oldest == CONNECT_SLOT_NONE ? TIME_NEVER : slots->slots[oldest].start_ns + patience_ns;
}

bool connect_slots_spare(struct connect_slots *slots, int64_t now_ns, struct connect_patience patience)
{
    if (outlived_at(slots, CONNECT_LIST_SUPERSEDED, patience.superseded_ns) <= now_ns)
        connect_slots_remove(slots, slots->oldest[CONNECT_LIST_SUPERSEDED]);
    else if (outlived_at(slots, CONNECT_LIST_LAST_TRY, patience.last_try_ns) <= now_ns)
        connect_slots_remove(slots, slots->oldest[CONNECT_LIST_LAST_TRY]);
    else
        return false;
    return true;
}

int64_t connect_slots_spare_at(const struct connect_slots *slots, struct connect_patience patience)
{
    int64_t superseded_ns = outlived_at(slots, CONNECT_LIST_SUPERSEDED, patience.superseded_ns);
    int64_t last_try_ns = outlived_at(slots, CONNECT_LIST_LAST_TRY, patience.last_try_ns);
    return superseded_ns < last_try_ns ? superseded_ns : last_try_ns;
}
