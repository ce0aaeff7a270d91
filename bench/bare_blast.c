/* The practical limit of one core that sends through packet sockets: a loop of sendmmsg() over SYN frames
 * whose address, port, number and checksum change with each frame. It listens to nothing and paces nothing.
 *
 *   bare_blast INTERFACE SOURCE NETWORK TARGET_MAC COUNT
 *
 * Sends COUNT frames to addresses of the /16 that NETWORK begins. Refuses to run where there is a default
 * route: it is for network namespaces without a way out. */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "bare.h"
#include "base/addr.h"
#include "base/bytes.h"
#include "packet/ip.h"
#include "packet/packet.h"
#include "packet/tcp.h"

#define BATCH     64
#define FRAME_LEN 60
#define SOURCE    61000

struct blast {
    int fd;
    struct addr source;
    uint32_t network;
    uint8_t frames[BATCH][FRAME_LEN];
    struct iovec spans[BATCH];
    struct mmsghdr messages[BATCH];
};

static void open_socket(struct blast *blast, const char *name, uint8_t ret_mac[static 6])
{
    struct ifreq interface = {0};
    blast->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    snprintf(interface.ifr_name, sizeof interface.ifr_name, "%s", name);
    if (blast->fd < 0 || ioctl(blast->fd, SIOCGIFHWADDR, &interface))
        bare_fail(name);
    memcpy(ret_mac, interface.ifr_hwaddr.sa_data, 6);
    if (ioctl(blast->fd, SIOCGIFINDEX, &interface))
        bare_fail(name);
    const struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = interface.ifr_ifindex};
    if (bind(blast->fd, (const struct sockaddr *)&at, sizeof at))
        bare_fail(name);
}

static void prepare(struct blast *blast, const uint8_t target[static 6], const uint8_t source[static 6])
{
    for (size_t i = 0; i < BATCH; i++) {
        struct writer out = writer_over(blast->frames[i], FRAME_LEN);
        write_bytes(&out, target, 6);
        write_bytes(&out, source, 6);
        write_be16(&out, ETHERTYPE_IP);
        blast->spans[i] = (struct iovec){.iov_base = blast->frames[i], .iov_len = FRAME_LEN};
        blast->messages[i].msg_hdr = (struct msghdr){.msg_iov = &blast->spans[i], .msg_iovlen = 1};
    }
}

/* Everything but the Ethernet header anew: what a scanner without a template would do. */
static void write_frame(const struct blast *blast, uint8_t frame[static FRAME_LEN], uint64_t number)
{
    uint32_t mixed = (uint32_t)(number * UINT32_C(2654435761));
    struct addr dst = addr_v4(blast->network | (mixed & UINT16_MAX));
    const struct tcp_build tcp = {
        .header = {.source_port = SOURCE, .port = (uint16_t)(mixed >> 16), .seq = mixed, .flags = TCP_SYN}};
    const struct ip_header ip = {.src = blast->source, .dst = dst, .proto = IP_PROTO_TCP, .ttl = 64};
    struct writer out = writer_over(frame + ETHER_HDR_LEN, FRAME_LEN - ETHER_HDR_LEN);
    ip_write(&out, &ip, TCP_HEADER_LEN);
    tcp_write(&out, &blast->source, &dst, &tcp);
}

static void send_all(struct blast *blast, uint64_t count)
{
    for (uint64_t number = 0; number < count; number += BATCH) {
        for (size_t i = 0; i < BATCH; i++)
            write_frame(blast, blast->frames[i], number + i);
        for (unsigned sent = 0; sent < BATCH;) {
            int n = sendmmsg(blast->fd, blast->messages + sent, BATCH - sent, 0);
            if (n < 0 && errno != ENOBUFS && errno != EAGAIN)
                bare_fail("cannot send");
            sent += n > 0 ? (unsigned)n : 0;
        }
    }
}

int main(int argc, char **argv)
{
    struct addr network;
    const struct ether_addr *target = argc == 6 ? ether_aton_r(argv[4], &(struct ether_addr){0}) : NULL;
    struct addr source;
    uint8_t mac[6];
    if (!target || !addr_parse(argv[2], &source) || !addr_parse(argv[3], &network) ||
        source.family != ADDR_V4 || network.family != ADDR_V4) {
        fprintf(stderr, "usage: bare_blast INTERFACE SOURCE NETWORK TARGET_MAC COUNT\n");
        return EXIT_FAILURE;
    }
    bare_refuse_way_out();
    struct blast *blast = calloc(1, sizeof *blast);
    if (!blast)
        bare_fail("no memory");
    blast->source = source;
    blast->network = addr_to_v4(&network) & ~(uint32_t)UINT16_MAX;
    open_socket(blast, argv[1], mac);
    prepare(blast, target->ether_addr_octet, mac);
    send_all(blast, strtoull(argv[5], NULL, 10));
    free(blast);
    return EXIT_SUCCESS;
}
