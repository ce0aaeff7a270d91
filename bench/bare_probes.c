#include "bare_probes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bare.h"
#include "base/addr.h"
#include "base/bitset.h"
#include "base/bytes.h"
#include "packet/packet.h"

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

static void read_station(const char *interface, uint8_t ret[static 6])
{
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
    if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request))
        bare_fail(interface);
    memcpy(ret, request.ifr_hwaddr.sa_data, 6);
    close(fd);
}

static void make_frame(struct bare_probes *probes, char **arguments)
{
    struct addr src, dst;
    uint8_t source_mac[6];
    const struct ether_addr *target_mac = ether_aton_r(arguments[3], &(struct ether_addr){0});
    if (!addr_parse(arguments[1], &src) || !addr_parse(arguments[2], &dst) || src.family != ADDR_V4 ||
        dst.family != ADDR_V4 || !target_mac) {
        errno = EINVAL;
        bare_fail("SOURCE, TARGET, TARGET_MAC");
    }
    read_station(probes->interface, source_mac);
    probes->first_host = addr_to_v4(&dst);
    const struct tcp_build tcp = {
        .header = {.source_port = BARE_SOURCE_PORT, .seq = BARE_SEQ, .flags = TCP_SYN, .window = 1024}};
    const struct ip_header ip = {.src = src, .dst = dst, .proto = IP_PROTO_TCP, .ttl = 64};
    struct writer out = writer_over(probes->frame, BARE_FRAME_LEN);
    write_bytes(&out, target_mac->ether_addr_octet, 6);
    write_bytes(&out, source_mac, 6);
    write_be16(&out, ETHERTYPE_IP);
    ip_write(&out, &ip, TCP_HEADER_LEN);
    tcp_write(&out, &src, &dst, &tcp);
}

void bare_probes_read(struct bare_probes *ret, int count, char **arguments)
{
    if (count != 4 && count != 7) {
        fprintf(stderr, "usage: %s ... INTERFACE SOURCE TARGET TARGET_MAC [FIRST LAST HOSTS]\n",
                program_invocation_short_name);
        exit(EXIT_FAILURE);
    }
    bare_refuse_way_out();
    *ret = (struct bare_probes){.interface = arguments[0], .interface_index = if_nametoindex(arguments[0])};
    if (!ret->interface_index)
        bare_fail(arguments[0]);
    ret->first_port = count == 7 ? read_number(arguments[4], UINT16_MAX) : 1;
    ret->port_count = (count == 7 ? read_number(arguments[5], UINT16_MAX) : UINT16_MAX) - ret->first_port + 1;
    ret->host_count = count == 7 ? read_number(arguments[6], 1 << 16) : 1;
    make_frame(ret, arguments);
}

void bare_probes_print(const struct bare_probes *probes)
{
    printf("sent %u answered %u\n", probes->sent_count, probes->answered_count);
    for (uint32_t probe = 0; probe < bare_probes_count(probes); probe++) {
        struct in_addr host = {htonl(probes->first_host + probe % probes->host_count)};
        char text[INET_ADDRSTRLEN];
        if (bitset_get(probes->open, probe))
            printf("%s:%u\n", inet_ntop(AF_INET, &host, text, sizeof text),
                   probes->first_port + probe / probes->host_count);
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

void bare_frame_aim(const struct bare_probes *probes, uint32_t probe, uint8_t frame[static BARE_FRAME_LEN])
{
    uint32_t host = probes->first_host + probe % probes->host_count;
    uint16_t port = (uint16_t)(probes->first_port + probe / probes->host_count);
    uint8_t *ip = frame + BARE_ETHERNET_LEN;
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
