#include "netio/live/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/time.h"

/* 8 MiB hold some 50,000 short answers. Blocks are small, because a packet is seen only when its block is full or
 * RETIRE_MS old: under load they fill at once, and a lone answer waits for the timer. */
#define BLOCK_LEN  16384u
#define BLOCKS_MAX 512u
#define BLOCKS_MIN 32u
#define BLOCK_LONG 8u    /* so many of the longest answers fill a block */
#define FRAME_LEN  2048u /* TPACKET_V3 only wants it to divide the block */
#define RETIRE_MS  1u

/* The sender's address stands behind the packet's header: TPACKET_ALIGN(sizeof(struct tpacket3_hdr)) */
#define ADDRESS_OFFSET                                                                                       \
    ((sizeof(struct tpacket3_hdr) + TPACKET_ALIGNMENT - 1) / TPACKET_ALIGNMENT * TPACKET_ALIGNMENT)

static struct tpacket_block_desc *block_at(const struct capture *capture)
{
    return (void *)(capture->map + (size_t)capture->block * BLOCK_LEN);
}

/* The word by which kernel and user hand a block to one another. */
static _Atomic uint32_t *status_of(const struct capture *capture)
{
    return (void *)&block_at(capture)->hdr.bh1.block_status;
}

static int attach_filter(int fd, const struct filter *filter, struct error *err)
{
    struct sock_filter code[FILTER_CODE_MAX];
    memcpy(code, filter->code, sizeof code);
    struct sock_fprog program = {.len = filter->len, .filter = code};
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on) < 0)
        return error_set(err, EX_OSERR, "cannot set the packet filter: %s", strerror(errno));
    return 0;
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

static int map_ring(int fd, uint32_t block_count, uint8_t **ret, struct error *err)
{
    int version = TPACKET_V3, on = 1;
    struct tpacket_req3 request = {
        .tp_block_size = BLOCK_LEN,
        .tp_block_nr = block_count,
        .tp_frame_size = FRAME_LEN,
        .tp_frame_nr = BLOCK_LEN / FRAME_LEN * block_count,
        .tp_retire_blk_tov = RETIRE_MS,
    };
    if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0)
        return error_set(err, EX_OSERR, "cannot make the ring of received packets: %s", strerror(errno));
    void *map = mmap(NULL, ring_len(block_count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (map == MAP_FAILED)
        return error_set(err, EX_OSERR, "cannot map the ring of received packets: %s", strerror(errno));
    *ret = map;
    return 0;
}

int capture_open(struct capture *ret, int fd, const struct filter *filter, uint64_t answer_count,
                 struct error *err)
{
    struct capture capture = {.fd = fd, .block_count = blocks_for(answer_count)};
    int result = attach_filter(fd, filter, err);
    if (result == 0)
        result = map_ring(fd, capture.block_count, &capture.map, err);
    if (result < 0)
        return result;

    /* ETH_P_ALL, not one socket a protocol: it sees packets before a firewall of our own does. */
    struct sockaddr_ll name = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    if (bind(fd, (struct sockaddr *)&name, sizeof name) < 0) {
        int cause = errno;
        capture_close(&capture);
        return error_set(err, EX_OSERR, "cannot receive packets: %s", strerror(cause));
    }
    *ret = capture;
    return 0;
}

void capture_close(struct capture *capture)
{
    if (capture->map)
        munmap(capture->map, ring_len(capture->block_count));
    *capture = (struct capture){.fd = -1};
}

/* Take over the next block. False: the kernel has not finished it. */
static bool take_block(struct capture *capture)
{
    if (!(atomic_load_explicit(status_of(capture), memory_order_acquire) & TP_STATUS_USER))
        return false;
    const struct tpacket_hdr_v1 *header = &block_at(capture)->hdr.bh1;
    capture->left = header->num_pkts;
    capture->next = capture->map + (size_t)capture->block * BLOCK_LEN + header->offset_to_first_pkt;
    return true;
}

static void give_block_back(struct capture *capture)
{
    atomic_store_explicit(status_of(capture), TP_STATUS_KERNEL, memory_order_release);
    capture->block = (capture->block + 1) % capture->block_count;
    capture->next = NULL;
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
        .link = (uint32_t)name.sll_ifindex,
        .ethertype = ntohs(name.sll_protocol),
        .checksums_open = header->tp_status & (TP_STATUS_CSUMNOTREADY | TP_STATUS_CSUM_VALID),
        .other_vlan = (header->tp_status & TP_STATUS_VLAN_VALID) && (header->hv1.tp_vlan_tci & 0x0fff),
    };
    if (name.sll_halen == sizeof ret->source_mac)
        memcpy(ret->source_mac, name.sll_addr, sizeof ret->source_mac);
}

bool capture_next(struct capture *capture, struct captured *ret)
{
    /* A block whose time was over can be empty. */
    while (!capture->next || capture->left == 0) {
        if (capture->next)
            give_block_back(capture);
        if (!take_block(capture))
            return false;
    }
    struct tpacket3_hdr header;
    memcpy(&header, capture->next, sizeof header);
    describe(capture->next, &header, ret);
    capture->next += header.tp_next_offset;
    capture->left--;
    return true;
}

uint64_t capture_take_drops(struct capture *capture)
{
    struct tpacket_stats_v3 stats = {0};
    socklen_t len = sizeof stats;
    if (getsockopt(capture->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) < 0)
        return 0;
    return stats.tp_drops;
}
