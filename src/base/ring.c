#include "base/ring.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#define CACHE_LINE_LEN 64

/* The two positions lie on cache lines of their own, so that the sides do not slow each other down. */
struct ring_memory {
    _Alignas(CACHE_LINE_LEN) _Atomic uint64_t written;
    _Alignas(CACHE_LINE_LEN) _Atomic uint64_t read;
    _Alignas(CACHE_LINE_LEN) uint8_t slots[];
};

static size_t memory_len(const struct ring *ring)
{
    return sizeof(struct ring_memory) + (size_t)(ring->capacity * ring->slot_len);
}

static uint8_t *slot_at(const struct ring *ring, uint64_t position)
{
    return ring->memory->slots + (position & (ring->capacity - 1)) * ring->slot_len;
}

int ring_open(uint64_t capacity, uint64_t slot_len, struct ring *ret)
{
    assert(capacity > 0 && (capacity & (capacity - 1)) == 0 && slot_len > 0);
    struct ring ring = {.capacity = capacity, .slot_len = slot_len};
    void *memory = mmap(NULL, memory_len(&ring), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    ring.memory = memory;
    *ret = ring;
    return 0;
}

void ring_close(struct ring *ring)
{
    if (ring->memory)
        munmap(ring->memory, memory_len(ring));
    ring->memory = NULL;
}

bool ring_push(struct ring *ring, const void *slot)
{
    uint64_t read = atomic_load_explicit(&ring->memory->read, memory_order_acquire);
    uint64_t unread = ring->position - read;
    if (unread > ring->capacity)
        ring->broken = true;
    if (ring->broken || unread == ring->capacity)
        return false;
    memcpy(slot_at(ring, ring->position), slot, (size_t)ring->slot_len);
    ring->position++;
    atomic_store_explicit(&ring->memory->written, ring->position, memory_order_release);
    return true;
}

bool ring_pop(struct ring *ring, void *ret)
{
    uint64_t written = atomic_load_explicit(&ring->memory->written, memory_order_acquire);
    uint64_t unread = written - ring->position;
    if (unread > ring->capacity)
        ring->broken = true;
    if (ring->broken || unread == 0)
        return false;
    memcpy(ret, slot_at(ring, ring->position), (size_t)ring->slot_len);
    ring->position++;
    atomic_store_explicit(&ring->memory->read, ring->position, memory_order_release);
    return true;
}
