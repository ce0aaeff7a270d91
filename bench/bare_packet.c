/* What the practical limit of one core with packet sockets is: a loop that sends SYN frames with sendmmsg() as fast as it can and
 * counts the answers in a TPACKET_V3 ring. No pacing, no judging; what has not answered is asked again. Half-open
 * connections are reset by this machine's own kernel, which sees the SYN/ACKs as well.
 *
 *   bare_packet INTERFACE SOURCE TARGET TARGET_MAC [FIRST LAST HOSTS]
 *
 * Asks the ports FIRST to LAST (1 to 65535) of HOSTS addresses (1) from TARGET on; prints "sent N answered N" and then each
 * open port as ADDRESS:PORT. Refuses to run where there is a default route: it is for network namespaces without a way out. */
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
    uint32_t first_host, host_count;
    uint32_t first_port, port_count;
    uint8_t frames[BATCH][FRAME_LEN];
    uint64_t *answered, *open; /* by probe: all hosts are asked a port before the next */
    uint32_t answered_count;
    uint32_t sent_count;
};

static uint32_t probe_count(const struct bare *bare)
{
    return bare->host_count * bare->port_count;
}

static void make_frames(struct bare *bare, char **arguments, const uint8_t source_mac[static 6])
{
    struct addr src, dst;
    const struct ether_addr *target_mac = ether_aton_r(arguments[3], &(struct ether_addr){0});
    if (!addr_parse(arguments[1], &src) || !addr_parse(arguments[2], &dst) || src.family != ADDR_V4 ||
        dst.family != ADDR_V4 || !target_mac) {
        errno = EINVAL;
        bare_fail("SOURCE, TARGET, TARGET_MAC");
    }
    bare->first_host = addr_to_v4(&dst);
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

/* Put another value of 16 bits in, and have a checksum follow it (RFC 1624). */
static void follow(uint8_t *checksum, const uint8_t *at, uint16_t value)
{
    uint32_t sum = (uint16_t)~get_be16(checksum) + (uint32_t)(uint16_t)~get_be16(at) + value;
    sum = (sum & UINT16_MAX) + (sum >> 16);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    put_be16(checksum, (uint16_t)~sum);
}

static void aim(uint8_t frame[static FRAME_LEN], uint32_t host, uint16_t port)
{
    uint8_t *ip = frame + ETHERNET_LEN;
    uint8_t *tcp = ip + IPV4_HEADER_LEN;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *part = ip + 16 + 2 * i;
        uint16_t value = (uint16_t)(host >> (16 - 16 * i));
        follow(ip + 10, part, value);
        follow(tcp + 16, part, value);
        put_be16(part, value);
    }
    follow(tcp + 16, tcp + 2, port);
    put_be16(tcp + 2, port);
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
    uint32_t host = get_be32(frame + ETHERNET_LEN + 12) - bare->first_host;
    size_t before_len = ETHERNET_LEN + IPV4_HEADER_LEN;
    struct reader in = reader_over(frame + before_len, len - before_len);
    struct tcp_header tcp;
    if (!tcp_read(&in, &tcp) || tcp.ack != SEQ + 1)
        return;
    uint32_t port = tcp.source_port - bare->first_port;
    uint32_t probe = port * bare->host_count + host;
    if (host >= bare->host_count || port >= bare->port_count || bitset_get(bare->answered, probe))
        return;
    bitset_set(bare->answered, probe);
    if (tcp.flags & TCP_SYN)
        bitset_set(bare->open, probe);
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

/* Ask whatever has not answered, then listen until all has or it is quiet. */
static void sweep(struct bare *bare)
{
    unsigned count = 0;
    for (uint32_t probe = 0; probe < probe_count(bare); probe++) {
        if (bitset_get(bare->answered, probe))
            continue;
        aim(bare->frames[count++], bare->first_host + probe % bare->host_count,
            (uint16_t)(bare->first_port + probe / bare->host_count));
        if (count == BATCH) {
            send_batch(bare, count);
            take_answers(bare);
            count = 0;
        }
    }
    send_batch(bare, count);
    struct pollfd ring = {.fd = bare->ring_fd, .events = POLLIN};
    while (bare->answered_count < probe_count(bare) && (take_answers(bare) || poll(&ring, 1, QUIET_MS) > 0))
        ;
}

static void print(const struct bare *bare)
{
    printf("sent %u answered %u\n", bare->sent_count, bare->answered_count);
    for (uint32_t probe = 0; probe < probe_count(bare); probe++) {
        struct in_addr host = {htonl(bare->first_host + probe % bare->host_count)};
        char text[INET_ADDRSTRLEN];
        if (bitset_get(bare->open, probe))
            printf("%s:%u\n", inet_ntop(AF_INET, &host, text, sizeof text),
                   bare->first_port + probe / bare->host_count);
    }
}

/* An argument from 1 to most. */
static uint32_t read_number(const char *text, uint32_t most)
{
    unsigned long number = strtoul(text, NULL, 10);
    if (number < 1 || number > most) {
        errno = ERANGE;
        bare_fail(text);
    }
    return (uint32_t)number;
}

int main(int argc, char **argv)
{
    if (argc != 5 && argc != 8) {
        fprintf(stderr, "usage: bare_packet INTERFACE SOURCE TARGET TARGET_MAC [FIRST LAST HOSTS]\n");
        return EXIT_FAILURE;
    }
    bare_refuse_way_out();
    struct bare *bare = calloc(1, sizeof *bare);
    if (!bare)
        bare_fail("no memory");
    bare->first_port = argc == 8 ? read_number(argv[5], UINT16_MAX) : 1;
    bare->port_count = (argc == 8 ? read_number(argv[6], UINT16_MAX) : UINT16_MAX) - bare->first_port + 1;
    bare->host_count = argc == 8 ? read_number(argv[7], 1 << 16) : 1;
    size_t words = bitset_words((uint64_t)bare->host_count * UINT16_MAX);
    bare->answered = calloc(words, sizeof *bare->answered);
    bare->open = calloc(words, sizeof *bare->open);
    if (!bare->answered || !bare->open)
        bare_fail("no memory");
    open_sockets(bare, argv + 1);

    for (int i = 0; i < SWEEPS_MAX && bare->answered_count < probe_count(bare); i++)
        sweep(bare);

    print(bare);
    free(bare->answered);
    free(bare->open);
    free(bare);
    return EXIT_SUCCESS;
}
