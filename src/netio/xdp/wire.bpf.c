/* Stands at the receiving side of an interface: a TCP segment that proves by its number that it answers us
 * goes into a ring for user space, and what may have opened a connection is reset, since our kernel never
 * hears of it; everything else passes untouched. The same program also sends for the kernel backend: when a
 * run of live frames begins, and when it ends, the kernel takes 24 ms to make its way to the program shorter,
 * unless the program stands at an interface already. Loads on Linux 6.1. */
#include "base/addr.h"
#include "netio/xdp/transmit_bpf.h"
#include "netio/xdp/wire_bpf.h"
#include "technique/token_core.h"

#define MIN_FRAME 60

/* Live frames come from the interface that has this index in every namespace, at which the program never
 * stands. */
#define LOOPBACK 1

/* TCP flags, RFC 9293 section 3.1 */
#define SYN 0x02
#define RST 0x04
#define ACK 0x10

ARRAY(config, struct wire_config, 1);
ARRAY(seen, uint64_t, WIRE_SEEN_MAX); /* by part of a hash: the last answer of that kind */

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, WIRE_ANSWERS_LEN);
} answers SEC(".maps");

struct segment {
    uint64_t src[2]; /* the address, as in struct addr */
    uint64_t dst[2];
    uint8_t *ip;
    uint8_t *tcp;
    uint8_t family;
};

/* Unrolled, so that every offset is a constant: without CAP_PERFMON the verifier takes no other. */
static __always_inline int is_ours(const struct wire_config *config, const struct segment *segment)
{
#pragma unroll
    for (unsigned i = 0; i < WIRE_ADDRESSES_MAX; i++) {
        uint64_t words[2];
        __builtin_memcpy(words, config->addresses[i].bytes, sizeof words);
        if (i < config->address_count && config->addresses[i].family == segment->family &&
            words[0] == segment->dst[0] && words[1] == segment->dst[1])
            return 1;
    }
    return 0;
}

/* Is it a whole TCP segment, no fragment, with plain headers? */
static __always_inline int read_segment(uint8_t *data, uint8_t *end, struct segment *ret)
{
    uint8_t *ip = data + ETHERNET_LEN;
    struct segment segment = {.ip = ip};
    if (ip + IPV4_LEN + TCP_LEN > end)
        return 0;
    if (from_be16(data + 12) == 0x0800) {
        if (ip[0] != 0x45 || ip[9] != TCP_PROTO || (from_be16(ip + 6) & 0x3fff))
            return 0;
        segment.family = ADDR_V4;
        segment.src[0] = *(uint32_t *)(ip + 12);
        segment.dst[0] = *(uint32_t *)(ip + 16);
        segment.tcp = ip + IPV4_LEN;
    } else {
        if (from_be16(data + 12) != 0x86dd || ip + IPV6_LEN + TCP_LEN > end || ip[6] != TCP_PROTO)
            return 0;
        segment.family = ADDR_V6;
        __builtin_memcpy(segment.src, ip + 8, 16);
        __builtin_memcpy(segment.dst, ip + 24, 16);
        segment.tcp = ip + IPV6_LEN;
    }
    *ret = segment;
    return 1;
}

/* The probe that a segment answers: its subject, which try of it, and token_time of when it left. */
struct asked {
    uint64_t hash;
    uint32_t try_number;
    uint32_t sent;
};

static __always_inline int is_number(uint32_t mask, uint32_t number, struct asked *asked)
{
    asked->sent = mask ^ number;
    return asked->sent <= TOKEN_TIME_MASK;
}

/* Does the segment carry a number of ours where an answer would? */
static __always_inline int is_proved(const struct wire_config *config, const struct segment *segment,
                                     struct asked *ret)
{
    const struct token_key *key = &config->key;
    uint16_t to = (uint16_t)(from_be16(segment->tcp + 2) - key->first_port);
    if (key->port_count < TOKEN_TRIES_MAX || to >= key->port_count)
        return 0;
    uint64_t hash = sip_three_words(&key->secret, segment->src[0], segment->src[1],
                                    token_word(segment->family, TCP_PROTO, from_be16(segment->tcp), 0));
    uint32_t first = (uint32_t)(hash & UINT32_MAX) % key->port_count;
    uint32_t try_number = ((uint32_t)to + key->port_count - first) % key->port_count;
    if (try_number >= TOKEN_TRIES_MAX)
        return 0;
    uint32_t mask = token_mask(hash, (uint8_t)try_number);
    uint8_t flags = segment->tcp[13];
    uint32_t seq = from_be32(segment->tcp + 4);
    uint32_t ack = from_be32(segment->tcp + 8);
    *ret = (struct asked){hash, try_number, 0};
    if ((flags & ACK) && is_number(mask, ack - (flags & RST ? config->segment_len : 1), ret))
        return 1;
    return is_number(mask, seq, ret); /* the reset of an ACK, or a probe that came back */
}

/* The very same answer again, to a probe that was sent once? Two different ones are taken for the same with a
 * chance of 2^-45 or less. */
static __always_inline int is_repeated(const struct asked *asked, const struct segment *segment)
{
    uint64_t hash = asked->hash;
    if (asked->try_number == TOKEN_TRY_CANARY)
        return 0;
    uint64_t numbers = (uint64_t)from_be32(segment->tcp + 8) << 32 | from_be32(segment->tcp + 4);
    uint64_t mark = (hash ^ numbers ^ (uint64_t)segment->tcp[13] << 24) | 1;
    uint32_t index = (uint32_t)hash % WIRE_SEEN_MAX;
    uint64_t *last = bpf_map_lookup_elem(&seen, &index);
    if (!last)
        return 0;
    if (*last == mark)
        return 1;
    *last = mark;
    return 0;
}

static __always_inline void forget_seen(uint64_t hash)
{
    uint32_t index = (uint32_t)hash % WIRE_SEEN_MAX;
    uint64_t *last = bpf_map_lookup_elem(&seen, &index);
    if (last)
        *last = 0;
}

/* To be called after the answer is in the ring, which is a barrier: either we see that user space waits, or
 * it sees the answer. Only what is put into a ring wakes, so an empty record is. */
static __always_inline void wake(const struct wire_config *config)
{
    void *nothing = config->waits ? bpf_ringbuf_reserve(&answers, sizeof(uint64_t), 0) : NULL;
    if (nothing)
        bpf_ringbuf_discard(nothing, BPF_RB_FORCE_WAKEUP);
}

/* Into the ring. 0: there is no room. */
static __always_inline int hand_up(struct xdp_md *ctx, const struct wire_config *config, const uint8_t *data,
                                   uint32_t sent)
{
    uint32_t len = (uint32_t)bpf_xdp_get_buff_len(ctx);
    struct wire_answer *answer = bpf_ringbuf_reserve(&answers, sizeof *answer, 0);
    if (!answer)
        return 0;
    uint32_t kept = len - ETHERNET_LEN;
    if (kept > WIRE_DATA_MAX)
        kept = WIRE_DATA_MAX;
    answer->time_ns = (int64_t)bpf_ktime_get_ns();
    answer->wire_len = len;
    answer->sent = sent;
    answer->len = (uint16_t)kept;
    __builtin_memcpy(answer->source_mac, data + 6, 6);
    /* A whole segment has no less, as read_segment saw. The verifier of Linux 6.1 learns nothing from "not
     * 0". */
    if (kept < IPV4_LEN + TCP_LEN || bpf_xdp_load_bytes(ctx, ETHERNET_LEN, answer->data, kept) < 0)
        answer->len = 0;
    bpf_ringbuf_submit(answer, BPF_RB_NO_WAKEUP);
    wake(config);
    return 1;
}

static __always_inline void swap_bytes(uint8_t *a, uint8_t *b, unsigned len)
{
    for (unsigned i = 0; i < len; i += 2) {
        uint16_t kept = *(uint16_t *)(a + i);
        *(uint16_t *)(a + i) = *(uint16_t *)(b + i);
        *(uint16_t *)(b + i) = kept;
    }
}

/* Turn a SYN/ACK into the RST that our kernel would have sent (RFC 9293 section 3.10.7.1), and send it
 * back. */
static __always_inline int reset(struct xdp_md *ctx)
{
    uint8_t *data = (uint8_t *)(long)ctx->data, *end = (uint8_t *)(long)ctx->data_end;
    if (data + ETHERNET_LEN + IPV4_LEN > end)
        return XDP_DROP;
    uint32_t ip_len = from_be16(data + 12) == 0x0800 ? IPV4_LEN : IPV6_LEN;
    int32_t len = ETHERNET_LEN + (int32_t)ip_len + TCP_LEN;
    int32_t excess = (int32_t)bpf_xdp_get_buff_len(ctx) - (len < MIN_FRAME ? MIN_FRAME : len);
    if (excess > 0 && bpf_xdp_adjust_tail(ctx, -excess) < 0)
        return XDP_DROP;
    data = (uint8_t *)(long)ctx->data;
    end = (uint8_t *)(long)ctx->data_end;
    uint8_t *ip = data + ETHERNET_LEN;
    uint8_t *tcp;
    uint64_t sum = TCP_PROTO + TCP_LEN;
    if (ip_len == IPV4_LEN) {
        tcp = ip + IPV4_LEN;
        if (tcp + TCP_LEN > end)
            return XDP_DROP;
        swap_bytes(ip + 12, ip + 16, 4);
        *(uint16_t *)(ip + 2) = swap16(IPV4_LEN + TCP_LEN);
        *(uint16_t *)(ip + 4) = 0;
        *(uint16_t *)(ip + 6) = swap16(0x4000);
        ip[8] = 64;
        *(uint16_t *)(ip + 10) = 0;
        uint64_t ip_sum = 0;
        for (unsigned i = 0; i < IPV4_LEN; i += 2)
            ip_sum += from_be16(ip + i);
        *(uint16_t *)(ip + 10) = swap16(fold(ip_sum));
        for (unsigned i = 12; i < IPV4_LEN; i += 2)
            sum += from_be16(ip + i);
    } else {
        tcp = ip + IPV6_LEN;
        if (tcp + TCP_LEN > end)
            return XDP_DROP;
        swap_bytes(ip + 8, ip + 24, 16);
        *(uint16_t *)(ip + 4) = swap16(TCP_LEN);
        ip[7] = 64;
        for (unsigned i = 8; i < IPV6_LEN; i += 2)
            sum += from_be16(ip + i);
    }
    swap_bytes(data, data + 6, 6);
    swap_bytes(tcp, tcp + 2, 2);
    *(uint32_t *)(tcp + 4) = *(uint32_t *)(tcp + 8); /* seq = the ack that we were sent */
    *(uint32_t *)(tcp + 8) = 0;
    tcp[12] = TCP_LEN / 4 << 4;
    tcp[13] = RST;
    *(uint32_t *)(tcp + 14) = 0; /* window and checksum */
    *(uint16_t *)(tcp + 18) = 0; /* urgent pointer */
    for (unsigned i = 0; i < TCP_LEN; i += 2)
        sum += from_be16(tcp + i);
    *(uint16_t *)(tcp + 16) = swap16(fold(sum));
    return XDP_TX;
}

static __always_inline int take_answer(struct xdp_md *ctx)
{
    uint8_t *data = (uint8_t *)(long)ctx->data, *end = (uint8_t *)(long)ctx->data_end;
    uint32_t zero = 0;
    struct wire_config *settings = bpf_map_lookup_elem(&config, &zero);
    struct segment segment;
    struct asked asked;
    if (!settings || !read_segment(data, end, &segment) || !is_ours(settings, &segment) ||
        !is_proved(settings, &segment, &asked))
        return XDP_PASS;
    uint8_t flags = segment.tcp[13];
    if (is_repeated(&asked, &segment)) {
        __sync_fetch_and_add(&settings->repeated, 1);
    } else if (hand_up(ctx, settings, data, asked.sent)) {
        __sync_fetch_and_add(&settings->taken, 1);
    } else {
        forget_seen(asked.hash);
        return XDP_PASS; /* no room: the packet socket may have some */
    }
    return (flags & (SYN | ACK | RST)) == (SYN | ACK) ? reset(ctx) : XDP_DROP;
}

SEC("xdp")
int wire(struct xdp_md *ctx)
{
    return ctx->ingress_ifindex == LOOPBACK ? transmit(ctx) : take_answer(ctx);
}

char programs_license[] SEC("license") = "Apache-2.0";
