/* What the practical limit of one core with packet sockets is: a loop that sends SYN frames with sendmmsg()
 * as fast as it can and counts the answers in a TPACKET_V3 ring. No pacing, no judging; what has not answered
 * is asked again. Half-open connections are reset by this machine's own kernel, which sees the SYN/ACKs as
 * well.
 *
 *   bare_packet INTERFACE SOURCE TARGET TARGET_MAC [FIRST LAST HOSTS]
 *
 * Asks the ports FIRST to LAST (1 to 65535) of HOSTS addresses (1) from TARGET on; prints "sent N answered N"
 * and then each open port as ADDRESS:PORT. Refuses to run where there is a default route: it is for network
 * namespaces without a way out. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bare.h"
#include "bare_probes.h"
#include "base/bitset.h"
#include "base/bytes.h"
#include "packet/ip.h"
#include "packet/packet.h"
#include "packet/tcp.h"

#define BATCH         64
#define BLOCK_LEN     (1u << 18)
#define BLOCK_COUNT   32u
#define BLOCK_WAIT_MS 1 /* a block that is not full is handed over after this time */

struct bare {
    int send_fd, ring_fd;
    uint8_t *ring;
    unsigned next_block;
    struct bare_probes probes;
    uint8_t frames[BATCH][BARE_FRAME_LEN];
};

/* Only TCP over IPv4 without options, to our port. */
static void set_filter(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 0, 5),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, BARE_ETHERNET_LEN + 9),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IP_PROTO_TCP, 0, 3),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, BARE_ETHERNET_LEN + IPV4_HEADER_LEN + 2),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BARE_SOURCE_PORT, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 96),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program))
        bare_fail("cannot set the filter");
}

static void open_ring(struct bare *bare, int interface)
{
    const int version = TPACKET_V3, on = 1;
    const struct tpacket_req3 request = {
        .tp_block_size = BLOCK_LEN,
        .tp_block_nr = BLOCK_COUNT,
        .tp_frame_size = 256,
        .tp_frame_nr = BLOCK_LEN / 256 * BLOCK_COUNT,
        .tp_retire_blk_tov = BLOCK_WAIT_MS,
    };
    const struct sockaddr_ll all = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = interface};
    bare->ring_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (bare->ring_fd < 0)
        bare_fail("cannot open a packet socket");
    set_filter(bare->ring_fd);
    if (setsockopt(bare->ring_fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) ||
        setsockopt(bare->ring_fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) ||
        setsockopt(bare->ring_fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request))
        bare_fail("cannot set up the ring");
    bare->ring =
        mmap(NULL, (size_t)BLOCK_LEN * BLOCK_COUNT, PROT_READ | PROT_WRITE, MAP_SHARED, bare->ring_fd, 0);
    if (bare->ring == MAP_FAILED || bind(bare->ring_fd, (const struct sockaddr *)&all, sizeof all))
        bare_fail("cannot map the ring");
}

static void open_sockets(struct bare *bare)
{
    int interface = (int)bare->probes.interface_index;
    const struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = interface};
    bare->send_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (bare->send_fd < 0 || bind(bare->send_fd, (const struct sockaddr *)&at, sizeof at))
        bare_fail("cannot open a packet socket");
    open_ring(bare, interface);
}

static void take_answer(struct bare_probes *probes, const uint8_t *frame, size_t len)
{
    if (len < BARE_FRAME_LEN)
        return;
    uint32_t host = get_be32(frame + BARE_ETHERNET_LEN + 12) - probes->first_host;
    size_t before_len = BARE_ETHERNET_LEN + IPV4_HEADER_LEN;
    struct reader in = reader_over(frame + before_len, len - before_len);
    struct tcp_header tcp;
    if (!tcp_read(&in, &tcp) || tcp.ack != BARE_SEQ + 1)
        return;
    uint32_t port = tcp.source_port - probes->first_port;
    uint32_t probe = port * probes->host_count + host;
    if (host >= probes->host_count || port >= probes->port_count || bitset_get(probes->answered, probe))
        return;
    bitset_set(probes->answered, probe);
    if (tcp.flags & TCP_SYN)
        bitset_set(probes->open, probe);
    probes->answered_count++;
}

/* Take all blocks that the kernel has handed over. False: none. */
static bool take_answers(struct bare *bare)
{
    bool any = false;
    for (;;) {
        struct tpacket_block_desc *block = (void *)(bare->ring + (size_t)bare->next_block * BLOCK_LEN);
        if (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
            return any;
        const uint8_t *at = (const uint8_t *)block + block->hdr.bh1.offset_to_first_pkt;
        for (uint32_t i = 0; i < block->hdr.bh1.num_pkts; i++) {
            const struct tpacket3_hdr *packet = (const void *)at;
            take_answer(&bare->probes, at + packet->tp_mac, packet->tp_snaplen);
            at += packet->tp_next_offset;
        }
        __atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        bare->next_block = (bare->next_block + 1) % BLOCK_COUNT;
        any = true;
    }
}

static void send_batch(struct bare *bare, unsigned count)
{
    struct iovec spans[BATCH];
    struct mmsghdr messages[BATCH] = {0};
    for (unsigned i = 0; i < count; i++) {
        spans[i] = (struct iovec){.iov_base = bare->frames[i], .iov_len = BARE_FRAME_LEN};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &spans[i], .msg_iovlen = 1};
    }
    for (unsigned sent = 0; sent < count;) {
        int n = sendmmsg(bare->send_fd, messages + sent, count - sent, 0);
        if (n < 0 && errno != ENOBUFS && errno != EAGAIN)
            bare_fail("cannot send");
        sent += n > 0 ? (unsigned)n : 0;
    }
    bare->probes.sent_count += count;
}

/* Ask whatever has not answered, then listen until all has or it is quiet. */
static void sweep(struct bare *bare)
{
    struct bare_probes *probes = &bare->probes;
    unsigned count = 0;
    for (uint32_t probe = 0; probe < bare_probes_count(probes); probe++) {
        if (bitset_get(probes->answered, probe))
            continue;
        bare_frame_aim(probes, probe, bare->frames[count++]);
        if (count == BATCH) {
            send_batch(bare, count);
            take_answers(bare);
            count = 0;
        }
    }
    send_batch(bare, count);
    struct pollfd ring = {.fd = bare->ring_fd, .events = POLLIN};
    while (probes->answered_count < bare_probes_count(probes) &&
           (take_answers(bare) || poll(&ring, 1, BARE_QUIET_MS) > 0))
        ;
}

int main(int argc, char **argv)
{
    struct bare *bare = calloc(1, sizeof *bare);
    if (!bare)
        bare_fail("no memory");
    struct bare_probes *probes = &bare->probes;
    bare_probes_read(probes, argc - 1, argv + 1);
    size_t words = bitset_words(bare_probes_count(probes));
    probes->answered = calloc(words, sizeof *probes->answered);
    probes->open = calloc(words, sizeof *probes->open);
    if (!probes->answered || !probes->open)
        bare_fail("no memory");
    for (unsigned i = 0; i < BATCH; i++)
        memcpy(bare->frames[i], probes->frame, BARE_FRAME_LEN);
    open_sockets(bare);

    for (int i = 0; i < BARE_SWEEPS_MAX && probes->answered_count < bare_probes_count(probes); i++)
        sweep(bare);

    bare_probes_print(probes);
    free(probes->answered);
    free(probes->open);
    free(bare);
    return EXIT_SUCCESS;
}
