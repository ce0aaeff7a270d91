/* packet_bench: what decoding and building a packet costs. Each line sets one operation beside another of the
 * same run, so that the ratio holds on any machine: the floor is the least work that could give the same
 * fields. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "packet/checksum.h"
#include "packet/crc32c.h"
#include "packet/packet.h"

#define OPERATIONS 3200 /* a round short enough to pass undisturbed on a busy machine now and then */
#define ROUNDS     400

struct inputs {
    uint8_t syn_ack[60]; /* IPv4 */
    uint8_t error[96];   /* ICMP that quotes a SYN */
    size_t error_len;
    uint8_t template[44]; /* a SYN */
    uint8_t full[1500];
    struct addr us, host;
};

/* One operation `count` times. The result only keeps the compiler from leaving the work out. */
typedef uint64_t operation(const struct inputs *inputs, unsigned count);

static uint64_t decode(const uint8_t *data, size_t len, bool checksums, unsigned count)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++) {
        struct packet packet;
        if (packet_read_ip(data, len, (struct packet_reading){checksums}, &packet) == PACKET_OK)
            sum += packet.tcp.ack + packet.payload_len;
    }
    return sum;
}

static uint64_t decode_trusting(const struct inputs *inputs, unsigned count)
{
    return decode(inputs->syn_ack, sizeof inputs->syn_ack, false, count);
}

static uint64_t decode_verifying(const struct inputs *inputs, unsigned count)
{
    return decode(inputs->syn_ack, sizeof inputs->syn_ack, true, count);
}

static uint64_t decode_error(const struct inputs *inputs, unsigned count)
{
    return decode(inputs->error, inputs->error_len, true, count);
}

/* Every field at its offset, no header of another length, no length looked at. */
static uint64_t decode_floor(const struct inputs *inputs, unsigned count)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *volatile at = inputs->syn_ack;
        const uint8_t *ip = at, *tcp = ip + 20;
        struct packet packet;
        memset(&packet, 0, sizeof packet);
        packet.ttl = ip[8];
        packet.ip_proto = ip[9];
        packet.ip_id = get_be16(ip + 4);
        packet.src.family = packet.dst.family = ADDR_V4;
        memcpy(packet.src.bytes, ip + 12, 4);
        memcpy(packet.dst.bytes, ip + 16, 4);
        packet.tcp.source_port = get_be16(tcp);
        packet.tcp.port = get_be16(tcp + 2);
        packet.tcp.seq = get_be32(tcp + 4);
        packet.tcp.ack = get_be32(tcp + 8);
        packet.tcp.flags = tcp[13];
        packet.tcp.window = get_be16(tcp + 14);
        packet.tcp.mss = get_be16(tcp + 22);
        struct packet *volatile kept = &packet;
        sum += kept->tcp.ack;
    }
    return sum;
}

static const uint8_t mss_option[4] = {2, 4, 0x05, 0xb4};

static size_t write_syn(const struct inputs *inputs, uint32_t number, uint8_t *ret, size_t capacity)
{
    struct writer out = writer_over(ret, capacity);
    struct ip_header ip = {.src = inputs->us, .dst = inputs->host, .proto = IP_PROTO_TCP, .ttl = 64, .id = 1};
    struct tcp_build build = {.header = {.source_port = 40000,
                                         .port = (uint16_t)number,
                                         .seq = number,
                                         .flags = TCP_SYN,
                                         .window = 1024,
                                         .options = mss_option,
                                         .options_len = sizeof mss_option}};
    ip_write(&out, &ip, TCP_HEADER_LEN + sizeof mss_option);
    tcp_write(&out, &inputs->us, &inputs->host, &build);
    return writer_len(&out);
}

static uint64_t build_syn(const struct inputs *inputs, unsigned count)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++) {
        uint8_t bytes[64];
        sum += write_syn(inputs, i, bytes, sizeof bytes);
        sum += bytes[37];
    }
    return sum;
}

/* A copy of the template, port and number patched, the checksum made anew. */
static uint64_t build_floor(const struct inputs *inputs, unsigned count)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++) {
        uint8_t bytes[64];
        memcpy(bytes, inputs->template, sizeof inputs->template);
        put_be16(bytes + 22, (uint16_t)i);
        put_be32(bytes + 24, i);
        put_be16(bytes + 36, 0);
        put_be16(bytes + 36, checksum_transport(&inputs->us, &inputs->host, IP_PROTO_TCP, bytes + 20, 24));
        sum += bytes[37];
    }
    return sum;
}

static uint64_t sum_full(const struct inputs *inputs, unsigned count)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < count / 32; i++)
        sum += checksum_add((uint32_t)sum, inputs->full, sizeof inputs->full);
    return sum;
}

static uint64_t crc_full(const struct inputs *inputs, unsigned count)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < count / 32; i++)
        sum += crc32c_add((uint32_t)sum, inputs->full, sizeof inputs->full);
    return sum;
}

static double run_ns(operation *run, const struct inputs *inputs, volatile uint64_t *sink)
{
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    *sink = run(inputs, OPERATIONS);
    clock_gettime(CLOCK_MONOTONIC, &to);
    return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / OPERATIONS;
}

/* The two take turns, so that a change of clock rate meets both; the best round of each counts. */
static void compare(const char *name, operation *run, const char *other_name, operation *other,
                    const struct inputs *inputs)
{
    volatile uint64_t sink = 0;
    double best = 1e18, other_best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        double ns = run_ns(run, inputs, &sink);
        double other_ns = run_ns(other, inputs, &sink);
        best = ns < best ? ns : best;
        other_best = other_ns < other_best ? other_ns : other_best;
    }
    printf("%-28s %7.1f ns   %-28s %7.1f ns   ratio %.2f\n", name, best, other_name, other_best,
           best / other_best);
}

static void make_inputs(struct inputs *ret)
{
    static const uint8_t answer_options[20] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0,
                                               0, 1, 0, 0,    0, 0, 1, 3,  3, 7};
    *ret = (struct inputs){.us = addr_v4(0xc6120001), .host = addr_v4(0xc6120002)};
    write_syn(ret, 80, ret->template, sizeof ret->template);

    struct writer out = writer_over(ret->syn_ack, sizeof ret->syn_ack);
    struct ip_header ip = {.src = ret->host, .dst = ret->us, .proto = IP_PROTO_TCP, .ttl = 64};
    struct tcp_build build = {.header = {.source_port = 80,
                                         .port = 40000,
                                         .ack = 81,
                                         .flags = TCP_SYN | TCP_ACK,
                                         .options = answer_options,
                                         .options_len = sizeof answer_options}};
    ip_write(&out, &ip, TCP_HEADER_LEN + sizeof answer_options);
    tcp_write(&out, &ret->host, &ret->us, &build);

    out = writer_over(ret->error, sizeof ret->error);
    ip.proto = IP_PROTO_ICMP;
    struct icmp_header unreachable = {.type = ICMP4_UNREACHABLE, .code = 13};
    ip_write(&out, &ip, ICMP_HEADER_LEN + sizeof ret->template);
    icmp_write(&out, &ret->host, &ret->us, &unreachable, ret->template, sizeof ret->template);
    ret->error_len = writer_len(&out);
}

int main(void)
{
    struct inputs inputs;
    make_inputs(&inputs);
    compare("decode SYN/ACK", decode_trusting, "its fields at fixed offsets", decode_floor, &inputs);
    compare("decode SYN/ACK, verify", decode_verifying, "decode, do not verify", decode_trusting, &inputs);
    compare("decode ICMP error, verify", decode_error, "decode SYN/ACK, verify", decode_verifying, &inputs);
    compare("build SYN", build_syn, "patch a template", build_floor, &inputs);
    compare("CRC32c, 1500 bytes / 32", crc_full, "checksum, 1500 bytes / 32", sum_full, &inputs);
    return 0;
}
