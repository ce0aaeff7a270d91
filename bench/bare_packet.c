/* The practical limit of one core with packet sockets: a loop that sends a SYN to every port of one host with sendmmsg()
 * and takes the answers from a TPACKET_V3 ring (packet(7)). No scanner: one host, ports in order, no pacing, no judging
 * beyond SYN/ACK or RST. A port without an answer is asked again, at most SWEEPS_MAX times.
 *
 *   bare_packet INTERFACE SOURCE TARGET TARGET_MAC [PORTS]
 *
 * Prints "sent N answered N", then a line with the open ports. Refuses to run where there is a default route: it is for
 * network namespaces without a way out. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bare.h"
#include "base/addr.h"
#include "base/bitset.h"
#include "base/bytes.h"
#include "packet/ip.h"
#include "packet/packet.h"
#include "packet/tcp.h"

#define ETHERNET_LEN  14
#define FRAME_LEN     (ETHERNET_LEN + IPV4_HEADER_LEN + TCP_HEADER_LEN)
#define BATCH         64
#define PORTS_MAX     65535
#define SWEEPS_MAX    5
#define QUIET_MS      200 /* so long without an answer, and the next sweep begins */
#define BLOCK_LEN     (1u << 18)
#define BLOCK_COUNT   32u
#define BLOCK_WAIT_MS 1 /* a block that is not full is handed over after this time */
#define SOURCE_PORT   61000
#define SEQ           0x01020304

struct bare {
    int send_fd, ring_fd;
    uint8_t *ring;
    unsigned next_block;
    unsigned port_count;
    uint8_t frames[BATCH][FRAME_LEN];
    uint64_t answered[(PORTS_MAX + 64) / 64]; /* by port */
    uint64_t open[(PORTS_MAX + 64) / 64];
    unsigned answered_count;
    unsigned sent_count;
};

static void make_frames(struct bare *bare, char **arguments, const uint8_t source_mac[static 6])
{
    struct addr src, dst;
    const struct ether_addr *target_mac = ether_aton_r(arguments[3], &(struct ether_addr){0});
    if (!addr_parse(arguments[1], &src) || !addr_parse(arguments[2], &dst) || src.family != ADDR_V4 ||
        dst.family != ADDR_V4 || !target_mac) {
        errno = EINVAL;
        bare_fail("SOURCE, TARGET, TARGET_MAC");
    }
    const struct tcp_build tcp = {
        .header = {.source_port = SOURCE_PORT, .seq = SEQ, .flags = TCP_SYN, .window = 1024}};
    const struct ip_header ip = {.src = src, .dst = dst, .proto = IP_PROTO_TCP, .ttl = 64};
    for (size_t i = 0; i < BATCH; i++) {
        struct writer out = writer_over(bare->frames[i], FRAME_LEN);
        write_bytes(&out, target_mac->ether_addr_octet, 6);
        write_bytes(&out, source_mac, 6);
        write_be16(&out, ETHERTYPE_IP);
        ip_write(&out, &ip, TCP_HEADER_LEN);
        tcp_write(&out, &src, &dst, &tcp);
    }
}

/* Put another port into a frame: port and checksum change by the same amount (RFC 1624). */
static void set_port(uint8_t frame[static FRAME_LEN], uint16_t port)
{
    uint8_t *tcp = frame + ETHERNET_LEN + IPV4_HEADER_LEN;
    uint32_t sum = (uint16_t)~get_be16(tcp + 16) + (uint32_t)(uint16_t)~get_be16(tcp + 2) + port;
    sum = (sum & UINT16_MAX) + (sum >> 16);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    put_be16(tcp + 2, port);
    put_be16(tcp + 16, (uint16_t)~sum);
}

/* Only TCP over IPv4 without options, to our port. */
static void set_filter(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 0, 5),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ETHERNET_LEN + 9),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IP_PROTO_TCP, 0, 3),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, ETHERNET_LEN + IPV4_HEADER_LEN + 2),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SOURCE_PORT, 0, 1),
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

static void open_sockets(struct bare *bare, char **arguments)
{
    struct ifreq interface = {0};
    bare->send_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (bare->send_fd < 0)
        bare_fail("cannot open a packet socket");
    snprintf(interface.ifr_name, sizeof interface.ifr_name, "%s", arguments[0]);
    if (ioctl(bare->send_fd, SIOCGIFHWADDR, &interface))
        bare_fail(arguments[0]);
    uint8_t mac[6];
    memcpy(mac, interface.ifr_hwaddr.sa_data, sizeof mac);
    make_frames(bare, arguments, mac);

    if (ioctl(bare->send_fd, SIOCGIFINDEX, &interface))
        bare_fail(arguments[0]);
    const struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = interface.ifr_ifindex};
    if (bind(bare->send_fd, (const struct sockaddr *)&at, sizeof at))
        bare_fail(arguments[0]);
    open_ring(bare, interface.ifr_ifindex);
}

static void take_answer(struct bare *bare, const uint8_t *frame, size_t len)
{
    if (len < FRAME_LEN)
        return;
    size_t before_len = ETHERNET_LEN + IPV4_HEADER_LEN;
    struct reader in = reader_over(frame + before_len, len - before_len);
    struct tcp_header tcp;
    if (!tcp_read(&in, &tcp) || tcp.ack != SEQ + 1 || bitset_get(bare->answered, tcp.source_port))
        return;
    bitset_set(bare->answered, tcp.source_port);
    if (tcp.flags & TCP_SYN)
        bitset_set(bare->open, tcp.source_port);
    bare->answered_count++;
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
            take_answer(bare, at + packet->tp_mac, packet->tp_snaplen);
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
        spans[i] = (struct iovec){.iov_base = bare->frames[i], .iov_len = FRAME_LEN};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &spans[i], .msg_iovlen = 1};
    }
    for (unsigned sent = 0; sent < count;) {
        int n = sendmmsg(bare->send_fd, messages + sent, count - sent, 0);
        if (n < 0 && errno != ENOBUFS && errno != EAGAIN)
            bare_fail("cannot send");
        sent += n > 0 ? (unsigned)n : 0;
    }
    bare->sent_count += count;
}

/* Ask every port that has not answered, then listen until all have or it is quiet. */
static void sweep(struct bare *bare)
{
    unsigned count = 0;
    for (unsigned port = 1; port <= bare->port_count; port++) {
        if (bitset_get(bare->answered, port))
            continue;
        set_port(bare->frames[count++], (uint16_t)port);
        if (count == BATCH) {
            send_batch(bare, count);
            take_answers(bare);
            count = 0;
        }
    }
    send_batch(bare, count);
    struct pollfd ring = {.fd = bare->ring_fd, .events = POLLIN};
    while (bare->answered_count < bare->port_count && (take_answers(bare) || poll(&ring, 1, QUIET_MS) > 0))
        ;
}

int main(int argc, char **argv)
{
    if (argc != 5 && argc != 6) {
        fprintf(stderr, "usage: bare_packet INTERFACE SOURCE TARGET TARGET_MAC [PORTS]\n");
        return EXIT_FAILURE;
    }
    bare_refuse_way_out();
    struct bare *bare = calloc(1, sizeof *bare);
    if (!bare)
        bare_fail("no memory");
    unsigned long port_count = argc == 6 ? strtoul(argv[5], NULL, 10) : PORTS_MAX;
    bare->port_count = port_count > PORTS_MAX ? PORTS_MAX : (unsigned)port_count;
    open_sockets(bare, argv + 1);

    for (int i = 0; i < SWEEPS_MAX && bare->answered_count < bare->port_count; i++)
        sweep(bare);

    printf("sent %u answered %u\n", bare->sent_count, bare->answered_count);
    for (unsigned port = 1; port <= bare->port_count; port++)
        if (bitset_get(bare->open, port))
            printf("%u ", port);
    printf("\n");
    free(bare);
    return EXIT_SUCCESS;
}
