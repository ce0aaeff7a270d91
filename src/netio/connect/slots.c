#include "netio/connect/slots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "netio/connect/socket.h"

#define IDLE_MAX 1024u /* a host on the same wire keeps some hundred busy */

int connect_slots_init(struct connect_slots *ret, uint32_t capacity)
{
    uint32_t bucket_count = 1;
    while (bucket_count < capacity)
        bucket_count *= 2;
    struct connect_slots slots = {
        .slots = calloc(capacity, sizeof *slots.slots),
        .buckets = calloc(bucket_count, sizeof *slots.buckets),
        .host_buckets = calloc(bucket_count, sizeof *slots.host_buckets),
        .capacity = capacity,
        .bucket_mask = bucket_count - 1,
    };
    if (!slots.slots || !slots.buckets || !slots.host_buckets) {
        free(slots.slots);
        free(slots.buckets);
        free(slots.host_buckets);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < bucket_count; i++)
        slots.buckets[i] = slots.host_buckets[i] = CONNECT_SLOT_NONE;
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
    free(slots->host_buckets);
    *slots = (struct connect_slots){0};
}

bool connect_slots_full(const struct connect_slots *slots)
{
    return slots->free_first == CONNECT_SLOT_NONE && slots->idle_count == 0;
}

bool connect_slots_in_flight(const struct connect_slots *slots, uint32_t index)
{
    return slots->slots[index].fd >= 0 && slots->slots[index].list != CONNECT_LIST_IDLE;
}

/* Blocks come in sequence and bits are spread by the order, so a multiplication is hash enough. */
static uint32_t *bucket_of(const struct connect_slots *slots, uint32_t block_id, uint64_t bit)
{
    uint64_t mixed = (bit + ((uint64_t)block_id << 40)) * UINT64_C(0x9e3779b97f4a7c15);
    return &slots->buckets[(mixed >> 32) & slots->bucket_mask];
}

static uint32_t *bucket_of_host(const struct connect_slots *slots, const struct addr *host)
{
    uint64_t low, high;
    memcpy(&high, host->bytes, sizeof high);
    memcpy(&low, host->bytes + sizeof high, sizeof low);
    uint64_t mixed = (low ^ high * UINT64_C(0xff51afd7ed558ccd)) * UINT64_C(0x9e3779b97f4a7c15);
    return &slots->host_buckets[(mixed >> 32) & slots->bucket_mask];
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

static void unhash(struct connect_slots *slots, uint32_t *bucket, uint32_t index)
{
    uint32_t *link = bucket;
    while (*link != index)
        link = &slots->slots[*link].next_hashed;
    *link = slots->slots[index].next_hashed;
}

static void hash(struct connect_slots *slots, uint32_t *bucket, uint32_t index)
{
    slots->slots[index].next_hashed = *bucket;
    *bucket = index;
}

/* Out of all lists; the slot is nowhere then. */
static void take_out(struct connect_slots *slots, uint32_t index)
{
    const struct connect_slot *slot = &slots->slots[index];
    bool idle = slot->list == CONNECT_LIST_IDLE;
    unhash(slots, idle ? bucket_of_host(slots, &slot->host) : bucket_of(slots, slot->block_id, slot->bit),
           index);
    list_remove(slots, index);
    slots->idle_count -= idle;
}

uint32_t connect_slots_reserve(struct connect_slots *slots, const struct addr *host)
{
    uint32_t index = *bucket_of_host(slots, host);
    while (index != CONNECT_SLOT_NONE && !addr_equal(&slots->slots[index].host, host))
        index = slots->slots[index].next_hashed;
    if (index != CONNECT_SLOT_NONE) {
        take_out(slots, index);
        return index;
    }
    if (slots->free_first == CONNECT_SLOT_NONE)
        connect_slots_drop_idle(slots);
    index = slots->free_first;
    slots->free_first = slots->slots[index].newer;
    return index;
}

void connect_slots_give_back(struct connect_slots *slots, uint32_t index)
{
    struct connect_slot *slot = &slots->slots[index];
    if (slot->fd >= 0)
        connect_socket_reset(slot->fd);
    slot->fd = -1;
    slot->newer = slots->free_first;
    slots->free_first = index;
}

void connect_slots_enter(struct connect_slots *slots, uint32_t index, const struct connect_slot *what)
{
    uint32_t *bucket = bucket_of(slots, what->block_id, what->bit);
    slots->slots[index] = *what;
    supersede(slots, *bucket, what->block_id, what->bit);
    hash(slots, bucket, index);
    list_append(slots, CONNECT_LIST_LAST_TRY, index);
}

void connect_slots_keep(struct connect_slots *slots, uint32_t index)
{
    const struct addr *host = &slots->slots[index].host;
    if (slots->idle_count >= IDLE_MAX) {
        if (addr_equal(&slots->slots[slots->oldest[CONNECT_LIST_IDLE]].host, host)) {
            connect_slots_remove(slots, index); /* the host has enough */
            return;
        }
        connect_slots_drop_idle(slots);
    }
    take_out(slots, index);
    hash(slots, bucket_of_host(slots, host), index);
    list_append(slots, CONNECT_LIST_IDLE, index);
    slots->idle_count++;
}

bool connect_slots_drop_idle(struct connect_slots *slots)
{
    uint32_t index = slots->oldest[CONNECT_LIST_IDLE];
    if (index == CONNECT_SLOT_NONE)
        return false;
    connect_slots_remove(slots, index);
    return true;
}

void connect_slots_remove(struct connect_slots *slots, uint32_t index)
{
    take_out(slots, index);
    connect_slots_give_back(slots, index);
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
