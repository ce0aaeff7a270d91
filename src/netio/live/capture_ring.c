#include "netio/live/capture_ring.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/time.h"

/* 8 MiB hold some 50,000 short answers. Blocks are small, because a packet is seen only when its block is
 * full or RETIRE_MS old: under load they fill at once, and a lone answer waits for the timer. */
#define BLOCK_LEN  16384u
#define BLOCKS_MAX 512u
#define BLOCKS_MIN 32u
#define BLOCK_LONG 8u    /* so many of the longest answers fill a block */
#define FRAME_LEN  2048u /* TPACKET_V3 only wants it to divide the block */
#define RETIRE_MS  1u

/* The sender's address stands behind the packet's header: TPACKET_ALIGN(sizeof(struct tpacket3_hdr)) */
#define ADDRESS_OFFSET                                                                                       \
    ((sizeof(struct tpacket3_hdr) + TPACKET_ALIGNMENT - 1) / TPACKET_ALIGNMENT * TPACKET_ALIGNMENT)

static struct tpacket_block_desc *block_at(const struct capture_ring *ring)
{
    return (void *)(ring->map + (size_t)ring->block * BLOCK_LEN);
}

/* The word by which kernel and user hand a block to one another. */
static _Atomic uint32_t *status_of(const struct capture_ring *ring)
{
    return (void *)&block_at(ring)->hdr.bh1.block_status;
}

static size_t ring_len(uint32_t block_count)
{
    return (size_t)BLOCK_LEN * block_count;
}

/* The kernel clears every page of the ring, so its size is a good part of the time to the first probe. */
static uint32_t blocks_for(uint64_t answer_count)
{
    uint64_t blocks = BLOCKS_MIN + answer_count / BLOCK_LONG;
    return answer_count == 0 || blocks > BLOCKS_MAX ? BLOCKS_MAX : (uint32_t)blocks;
}

int capture_ring_open(struct capture_ring *ret, int fd, uint64_t answer_count, struct error *err)
{
    uint32_t block_count = blocks_for(answer_count);
    int version = TPACKET_V3;
    struct tpacket_req3 request = {
        .tp_block_size = BLOCK_LEN,
        .tp_block_nr = block_count,
        .tp_frame_size = FRAME_LEN,
        .tp_frame_nr = BLOCK_LEN / FRAME_LEN * block_count,
        .tp_retire_blk_tov = RETIRE_MS,
    };
    if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0)
        return error_set(err, EX_OSERR, "cannot make the ring of received packets: %s", strerror(errno));
    void *map = mmap(NULL, ring_len(block_count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (map == MAP_FAILED)
        return error_set(err, EX_OSERR, "cannot map the ring of received packets: %s", strerror(errno));
    *ret = (struct capture_ring){.map = map, .block_count = block_count};
    return 0;
}

void capture_ring_close(struct capture_ring *ring)
{
    if (ring->map)
        munmap(ring->map, ring_len(ring->block_count));
    *ring = (struct capture_ring){0};
}

/* Take over the next block. False: the kernel has not finished it. */
static bool take_block(struct capture_ring *ring)
{
    if (!(atomic_load_explicit(status_of(ring), memory_order_acquire) & TP_STATUS_USER))
        return false;
    const struct tpacket_hdr_v1 *header = &block_at(ring)->hdr.bh1;
    ring->left = header->num_pkts;
    ring->next = ring->map + (size_t)ring->block * BLOCK_LEN + header->offset_to_first_pkt;
    return true;
}

static void give_block_back(struct capture_ring *ring)
{
    atomic_store_explicit(status_of(ring), TP_STATUS_KERNEL, memory_order_release);
    ring->block = (ring->block + 1) % ring->block_count;
    ring->next = NULL;
}

static void describe(const uint8_t *at, const struct tpacket3_hdr *header, struct captured *ret)
{
    struct sockaddr_ll name;
    memcpy(&name, at + ADDRESS_OFFSET, sizeof name);
    *ret = (struct captured){
        .data = at + header->tp_net,
        .len = header->tp_snaplen,
        .wire_len = header->tp_len,
        .realtime_ns = (int64_t)header->tp_sec * SEC + header->tp_nsec,
    };
    captured_note_sender(ret, &name);
    captured_note_status(ret, header->tp_status, header->hv1.tp_vlan_tci);
}

bool capture_ring_next(struct capture_ring *ring, struct captured *ret)
{
    /* A block whose time was over can be empty. */
    while (!ring->next || ring->left == 0) {
        if (ring->next)
            give_block_back(ring);
        if (!take_block(ring))
            return false;
    }
    struct tpacket3_hdr header;
    memcpy(&header, ring->next, sizeof header);
    describe(ring->next, &header, ret);
    ring->next += header.tp_next_offset;
    ring->left--;
    return true;
}
