/* garbage INTERFACE MAC ADDRESS NETWORK COUNT SEED: throws packets at a scanner that look like answers and
 * are none: to the ports it scans from, from the hosts it asks, with right and wrong checksums, lengths that
 * cannot be, quotes of nothing, options and extension headers without end, and plain noise. Prints how many
 * it sent of each kind. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH       64
#define FRAME_MAX   400
#define HOSTS       16   /* of the network that is scanned, from its first address on */
#define PORT_FIRST  1024 /* where a scanner may send from */
#define ETHERNET    14
#define IP4_HEADER  20
#define IP6_HEADER  40
#define QUOTE_EXTRA 8

enum kind {
    KIND_NOISE,
    KIND_TCP,
    KIND_UDP,
    KIND_SCTP,
    KIND_ICMP,
    KIND_QUOTE,
    KIND_FRAGMENT,
    KIND_IPV6,
    KIND_ARP,
    KIND_COUNT
};

static const char *const kind_names[KIND_COUNT] = {"noise", "tcp",      "udp",  "sctp", "icmp",
                                                   "quote", "fragment", "ipv6", "arp"};

struct thrower {
    uint64_t state; /* of the generator, xorshift64* */
    uint8_t mac[6];
    uint8_t scanner[4];
    uint8_t network[4];
    uint64_t counts[KIND_COUNT];
};

static uint64_t draw(struct thrower *thrower)
{
    thrower->state ^= thrower->state >> 12;
    thrower->state ^= thrower->state << 25;
    thrower->state ^= thrower->state >> 27;
    return thrower->state * UINT64_C(2685821657736338717);
}

static uint32_t below(struct thrower *thrower, uint32_t limit)
{
    return (uint32_t)((draw(thrower) >> 33) % limit);
}

static void fill(struct thrower *thrower, uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(draw(thrower) >> 40);
}

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint32_t sum(const uint8_t *bytes, size_t len, uint32_t start)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        start += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    return len % 2 ? start + ((uint32_t)bytes[len - 1] << 8) : start;
}

static unsigned folded(uint32_t value)
{
    while (value >> 16)
        value = (value & 0xffff) + (value >> 16);
    return ~value & 0xffff;
}

/* A port the scanner may be listening on. */
static unsigned scanner_port(struct thrower *thrower)
{
    return PORT_FIRST + below(thrower, 65536 - PORT_FIRST);
}

/* An address of the scanned network, as source. */
static void put_host(struct thrower *thrower, uint8_t *at)
{
    memcpy(at, thrower->network, 4);
    at[3] = (uint8_t)(at[3] + below(thrower, HOSTS));
}

/* The upper layer, `len` bytes of noise so far, made to look like one that answers. Returns where its
 * checksum stands; 0: it has none that we fill in. */
static size_t dress(struct thrower *thrower, enum kind kind, uint8_t *upper, size_t len)
{
    if (kind == KIND_ICMP || kind == KIND_QUOTE) {
        static const uint8_t types[] = {0, 3, 3, 3, 11, 12, 14};
        upper[0] = types[below(thrower, sizeof types)];
        upper[1] = (uint8_t)below(thrower, 16);
        return 2;
    }
    put16(upper, 1 + below(thrower, 1024));
    put16(upper + 2, scanner_port(thrower));
    if (kind == KIND_UDP)
        put16(upper + 4, (unsigned)len + (below(thrower, 8) == 0 ? below(thrower, 64) : 0));
    if (kind == KIND_TCP) {
        static const uint8_t flags[] = {0x12, 0x14, 0x04, 0x10, 0x02, 0x11};
        upper[12] = (uint8_t)(below(thrower, 4) == 0 ? draw(thrower) : 0x50);
        upper[13] = flags[below(thrower, sizeof flags)];
    }
    return kind == KIND_TCP ? 16 : kind == KIND_UDP ? 6 : 0;
}

/* In an ICMP error: a probe to a scanned host that never was. */
static void put_quote(struct thrower *thrower, uint8_t *at)
{
    static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP};
    at[0] = (uint8_t)(below(thrower, 8) == 0 ? draw(thrower) : 0x45);
    at[9] = protocols[below(thrower, sizeof protocols)];
    memcpy(at + 12, thrower->scanner, 4);
    put_host(thrower, at + 16);
    put16(at + IP4_HEADER, scanner_port(thrower));
}

static size_t make_ip4(struct thrower *thrower, enum kind kind, uint8_t *ip)
{
    static const uint8_t protocols[KIND_COUNT] = {
        [KIND_TCP] = IPPROTO_TCP,   [KIND_UDP] = IPPROTO_UDP,    [KIND_SCTP] = IPPROTO_SCTP,
        [KIND_ICMP] = IPPROTO_ICMP, [KIND_QUOTE] = IPPROTO_ICMP, [KIND_FRAGMENT] = IPPROTO_TCP};
    size_t upper_len = 8 + IP4_HEADER + QUOTE_EXTRA + below(thrower, 64);
    size_t len = IP4_HEADER + upper_len;
    fill(thrower, ip, len);
    ip[0] = (uint8_t)(below(thrower, 32) == 0 ? 0x40 | below(thrower, 16) : 0x45);
    put16(ip + 2, below(thrower, 32) == 0 ? below(thrower, 2000) : (unsigned)len);
    put16(ip + 6, kind == KIND_FRAGMENT ? below(thrower, 0x4000) : 0);
    ip[9] = protocols[kind];
    put_host(thrower, ip + 12);
    memcpy(ip + 16, thrower->scanner, 4);
    put16(ip + 10, 0);
    put16(ip + 10, folded(sum(ip, IP4_HEADER, 0)));

    uint8_t *upper = ip + IP4_HEADER;
    size_t checksum = dress(thrower, kind, upper, upper_len);
    if (kind == KIND_QUOTE)
        put_quote(thrower, upper + 8);
    if (checksum > 0 && below(thrower, 4) > 0) {
        bool pseudo = kind == KIND_TCP || kind == KIND_UDP;
        put16(upper + checksum, 0);
        uint32_t start = pseudo ? sum(ip + 12, 8, ip[9] + (uint32_t)upper_len) : 0;
        put16(upper + checksum, folded(sum(upper, upper_len, start)));
    }
    return below(thrower, 16) == 0 ? below(thrower, (uint32_t)len) + 1 : len;
}

/* With a chain of extension headers that leads anywhere. */
static size_t make_ip6(struct thrower *thrower, uint8_t *ip)
{
    static const uint8_t next[] = {0, 6, 17, 43, 44, 51, 58, 60, 132, 135};
    size_t len = IP6_HEADER + 8 + below(thrower, 128);
    fill(thrower, ip, len);
    ip[0] = 0x60;
    put16(ip + 4, (unsigned)len - IP6_HEADER);
    ip[6] = next[below(thrower, sizeof next)];
    for (size_t at = IP6_HEADER; at + 8 <= len; at += 8) {
        ip[at] = next[below(thrower, sizeof next)];
        ip[at + 1] = (uint8_t)below(thrower, 3);
    }
    return len;
}

static size_t make_frame(struct thrower *thrower, uint8_t *frame)
{
    enum kind kind = (enum kind)below(thrower, KIND_COUNT);
    static const uint8_t target[] = {2, 0, 0, 0, 0, 2};
    static const uint8_t arp_reply[] = {0, 1, 8, 0, 6, 4, 0, 2};
    uint8_t *body = frame + ETHERNET;
    size_t len = 1 + below(thrower, FRAME_MAX - ETHERNET - 1);
    unsigned type = ETHERTYPE_IP;
    memcpy(frame, thrower->mac, 6);
    memcpy(frame + 6, target, sizeof target);
    if (kind == KIND_NOISE) {
        fill(thrower, body, len);
    } else if (kind == KIND_IPV6) {
        type = ETHERTYPE_IPV6;
        len = make_ip6(thrower, body);
    } else if (kind == KIND_ARP) {
        type = ETHERTYPE_ARP;
        fill(thrower, body, len);
        memcpy(body, arp_reply, len < sizeof arp_reply ? len : sizeof arp_reply);
    } else {
        len = make_ip4(thrower, kind, body);
    }
    put16(frame + 12, type);
    thrower->counts[kind]++;
    return ETHERNET + len;
}

/* Send a whole batch, however often the interface has no room. */
static bool send_batch(int fd, struct mmsghdr *messages, unsigned count)
{
    unsigned sent = 0;
    while (sent < count) {
        int r = sendmmsg(fd, messages + sent, count - sent, 0);
        if (r > 0) {
            sent += (unsigned)r;
        } else if (errno == ENOBUFS || errno == EAGAIN) {
            struct pollfd room = {.fd = fd, .events = POLLOUT};
            poll(&room, 1, 1);
        } else {
            perror("garbage: sendmmsg");
            return false;
        }
    }
    return true;
}

static bool throw(struct thrower * thrower, int fd, const struct sockaddr_ll *to, uint64_t count)
{
    static uint8_t frames[BATCH][FRAME_MAX + ETHERNET];
    struct iovec parts[BATCH];
    struct mmsghdr messages[BATCH];
    for (uint64_t done = 0; done < count;) {
        unsigned batch = count - done < BATCH ? (unsigned)(count - done) : BATCH;
        for (unsigned i = 0; i < batch; i++) {
            parts[i] = (struct iovec){.iov_base = frames[i], .iov_len = make_frame(thrower, frames[i])};
            messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = (void *)(uintptr_t)to,
                                                       .msg_namelen = sizeof *to,
                                                       .msg_iov = &parts[i],
                                                       .msg_iovlen = 1}};
        }
        if (!send_batch(fd, messages, batch))
            return false;
        done += batch;
    }
    return true;
}

static bool read_mac(const char *text, uint8_t ret[static 6])
{
    struct ether_addr mac;
    if (!ether_aton_r(text, &mac))
        return false;
    memcpy(ret, mac.ether_addr_octet, 6);
    return true;
}

int main(int argc, char *argv[])
{
    struct thrower thrower = {.counts = {0}};
    if (argc != 7 || !read_mac(argv[2], thrower.mac) || inet_pton(AF_INET, argv[3], thrower.scanner) != 1 ||
        inet_pton(AF_INET, argv[4], thrower.network) != 1) {
        fputs("usage: garbage INTERFACE MAC ADDRESS NETWORK COUNT SEED\n", stderr);
        return EXIT_FAILURE;
    }
    thrower.state = strtoull(argv[6], NULL, 10) * UINT64_C(0x9e3779b97f4a7c15) + 1;
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(argv[1]), .sll_halen = 6};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0 || to.sll_ifindex == 0) {
        perror("garbage");
        return EXIT_FAILURE;
    }
    if (!throw(&thrower, fd, &to, strtoull(argv[5], NULL, 10)))
        return EXIT_FAILURE;
    for (unsigned i = 0; i < KIND_COUNT; i++)
        printf("%s%s %" PRIu64, i > 0 ? ", " : "", kind_names[i], thrower.counts[i]);
    putchar('\n');
    return EXIT_SUCCESS;
}
