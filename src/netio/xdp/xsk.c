#include "netio/xdp/xsk.h"

#include <errno.h>
#include <linux/if_xdp.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include "base/time.h"

#define FILL_FRAMES 64u /* the kernel wants a ring for received frames, if only an empty one */

/* A queue stays taken, and memory counted, for some milliseconds after the last socket was closed. */
#define LAST_TRIES   50
#define LAST_WAIT_NS (2 * MSEC)

#define KICKS_MAX 64 /* without progress; the kernel takes 32 frames a kick */

static int map_ring(int fd, uint64_t page, const struct xdp_ring_offset *at, size_t entries_len,
                    struct xsk_ring *ret)
{
    size_t len = at->desc + entries_len;
    uint8_t *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, (off_t)page);
    if (map == MAP_FAILED)
        return -errno;
    *ret = (struct xsk_ring){
        .producer = (void *)(map + at->producer),
        .consumer = (void *)(map + at->consumer),
        .entries = map + at->desc,
        .map = map,
        .map_len = len,
    };
    return 0;
}

static int set(int fd, int option, const void *value, socklen_t len)
{
    return setsockopt(fd, SOL_XDP, option, value, len) < 0 ? -errno : 0;
}

/* False: long enough. */
static bool wait_for_the_last(unsigned *tries)
{
    const struct timespec wait = {.tv_nsec = LAST_WAIT_NS};
    return (*tries)++ < LAST_TRIES && nanosleep(&wait, NULL) == 0;
}

static int register_area(const struct xsk *xsk)
{
    struct xdp_umem_reg area = {.addr = (uint64_t)(uintptr_t)xsk->area,
                                .len = XSK_FRAMES * XSK_FRAME_LEN,
                                .chunk_size = XSK_FRAME_LEN};
    unsigned tries = 0;
    int result;
    do
        result = set(xsk->fd, XDP_UMEM_REG, &area, sizeof area);
    while (result == -ENOBUFS && wait_for_the_last(&tries));
    return result;
}

static int make_rings(struct xsk *xsk)
{
    uint32_t fill = FILL_FRAMES, count = XSK_FRAMES;
    struct xdp_mmap_offsets at;
    socklen_t at_len = sizeof at;
    int result = register_area(xsk);
    if (result == 0)
        result = set(xsk->fd, XDP_UMEM_FILL_RING, &fill, sizeof fill);
    if (result == 0)
        result = set(xsk->fd, XDP_UMEM_COMPLETION_RING, &count, sizeof count);
    if (result == 0)
        result = set(xsk->fd, XDP_TX_RING, &count, sizeof count);
    if (result == 0 && getsockopt(xsk->fd, SOL_XDP, XDP_MMAP_OFFSETS, &at, &at_len) < 0)
        result = -errno;
    if (result == 0)
        result = map_ring(xsk->fd, XDP_UMEM_PGOFF_FILL_RING, &at.fr, fill * sizeof(uint64_t), &xsk->fill);
    if (result == 0)
        result =
            map_ring(xsk->fd, XDP_UMEM_PGOFF_COMPLETION_RING, &at.cr, count * sizeof(uint64_t), &xsk->sent);
    if (result == 0)
        result = map_ring(xsk->fd, XDP_PGOFF_TX_RING, &at.tx, count * sizeof(struct xdp_desc), &xsk->to_send);
    return result;
}

static int bind_queue(const struct xsk *xsk)
{
    struct sockaddr_xdp name = {
        .sxdp_family = AF_XDP, .sxdp_ifindex = xsk->link, .sxdp_flags = XDP_USE_NEED_WAKEUP};
    unsigned tries = 0;
    int result;
    do
        result = bind(xsk->fd, (const struct sockaddr *)&name, sizeof name) < 0 ? -errno : 0;
    while (result == -EBUSY && wait_for_the_last(&tries));
    return result;
}

int xsk_open(struct xsk *ret, int fd, uint32_t link, struct error *err)
{
    *ret = (struct xsk){.fd = fd, .link = link};
    void *area = mmap(NULL, (size_t)XSK_FRAMES * XSK_FRAME_LEN, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (area == MAP_FAILED)
        return error_set(err, EX_OSERR, "no memory for the frames of the AF_XDP socket");
    ret->area = area;
    for (uint32_t i = 0; i < XSK_FRAMES; i++)
        ret->free[ret->free_count++] = i;
    int result = make_rings(ret);
    if (result == 0)
        result = bind_queue(ret);
    if (result == 0)
        return 0;
    xsk_close(ret);
    if (result == -ENOBUFS)
        return error_set(
            err, EX_UNAVAILABLE,
            "AF_XDP needs %u kB of locked memory, and this user has no more of it (RLIMIT_MEMLOCK)",
            XSK_FRAMES * XSK_FRAME_LEN / 1024);
    return error_set(err, EX_UNAVAILABLE, "AF_XDP does not work on the interface: %s", strerror(-result));
}

static void unmap_ring(struct xsk_ring *ring)
{
    if (ring->map)
        munmap(ring->map, ring->map_len);
}

void xsk_close(struct xsk *xsk)
{
    unmap_ring(&xsk->fill);
    unmap_ring(&xsk->sent);
    unmap_ring(&xsk->to_send);
    if (xsk->area)
        munmap(xsk->area, (size_t)XSK_FRAMES * XSK_FRAME_LEN);
    *xsk = (struct xsk){.fd = -1};
}

/* Frames that have left are ours again. */
static void take_back(struct xsk *xsk)
{
    const uint64_t *addresses = xsk->sent.entries;
    uint32_t at = atomic_load_explicit(xsk->sent.consumer, memory_order_relaxed);
    uint32_t end = atomic_load_explicit(xsk->sent.producer, memory_order_acquire);
    for (; at != end && xsk->free_count < XSK_FRAMES; at++)
        xsk->free[xsk->free_count++] = (uint32_t)(addresses[at % XSK_FRAMES] / XSK_FRAME_LEN) % XSK_FRAMES;
    atomic_store_explicit(xsk->sent.consumer, at, memory_order_release);
}

bool xsk_put(struct xsk *xsk, const uint8_t *frame, uint32_t len)
{
    if (xsk->free_count == 0)
        take_back(xsk);
    if (xsk->free_count == 0 || len > XSK_FRAME_LEN)
        return false;
    uint32_t index = xsk->free[--xsk->free_count];
    memcpy(xsk->area + (size_t)index * XSK_FRAME_LEN, frame, len);
    struct xdp_desc *entries = xsk->to_send.entries;
    uint32_t at = atomic_load_explicit(xsk->to_send.producer, memory_order_relaxed);
    entries[at % XSK_FRAMES] = (struct xdp_desc){.addr = (uint64_t)index * XSK_FRAME_LEN, .len = len};
    atomic_store_explicit(xsk->to_send.producer, at + 1, memory_order_release);
    xsk->put_count++;
    return true;
}

int xsk_kick(struct xsk *xsk)
{
    uint32_t end = atomic_load_explicit(xsk->to_send.producer, memory_order_relaxed);
    uint32_t at = atomic_load_explicit(xsk->to_send.consumer, memory_order_acquire);
    for (unsigned idle = 0; at != end && idle < KICKS_MAX;) {
        if (sendto(xsk->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN && errno != EBUSY &&
            errno != ENOBUFS && errno != EINTR)
            return errno;
        take_back(xsk);
        uint32_t before = at;
        at = atomic_load_explicit(xsk->to_send.consumer, memory_order_acquire);
        idle = at == before ? idle + 1 : 0;
    }
    return at == end ? 0 : ENOBUFS;
}
