#include "base/ring.h"

#include <string.h>
#include <sys/mman.h>

static size_t ring_bytes(uint64_t capacity, uint64_t slot_len)
{
    return sizeof(struct ring) + (size_t)(capacity * slot_len);
}

struct ring *ring_new_shared(uint64_t capacity, uint64_t slot_len)
{
    void *memory = mmap(NULL, ring_bytes(capacity, slot_len), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    struct ring *ring = memory;
    ring->capacity = capacity;
    ring->slot_len = slot_len;
    return ring;
}

void ring_free_shared(struct ring *ring)
{
    if (ring)
        munmap(ring, ring_bytes(ring->capacity, ring->slot_len));
}

bool ring_push(struct ring *ring, const void *slot)
{
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    if (written - read >= ring->capacity)
        return false;
    memcpy(ring->slots + (written & (ring->capacity - 1)) * ring->slot_len, slot, (size_t)ring->slot_len);
    atomic_store_explicit(&ring->written, written + 1, memory_order_release);
    return true;
}

bool ring_pop(struct ring *ring, void *ret)
{
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    if (read == written)
        return false;
    memcpy(ret, ring->slots + (read & (ring->capacity - 1)) * ring->slot_len, (size_t)ring->slot_len);
    atomic_store_explicit(&ring->read, read + 1, memory_order_release);
    return true;
}
