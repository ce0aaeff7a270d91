/* The programs of bare_wire.c. `hear` stands at the receiving side of the interface: it notes who has
 * answered, and resets what is half open, since our own kernel does not see it. `blast`, run in live frames,
 * sends the next probe that nobody has answered. */
#include "bare_wire_shared.h"
#include "netio/xdp/wire_bpf.h"

#define SOURCE_PORT 61000
#define SEQ         0x01020304u
#define SYN         0x02
#define RST         0x04
#define STEPS       32

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, uint32_t);
    __type(value, struct bare_wire);
} state SEC(".maps");

static __always_inline uint64_t sum_words(const uint8_t *at, unsigned len)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < len; i += 2)
        sum += from_be16(at + i);
    return sum;
}

static __always_inline void swap_bytes(uint8_t *a, uint8_t *b, unsigned len)
{
    for (unsigned i = 0; i < len; i += 2) {
        uint16_t kept = *(uint16_t *)(a + i);
        *(uint16_t *)(a + i) = *(uint16_t *)(b + i);
        *(uint16_t *)(b + i) = kept;
    }
}

/* Cut to its headers, a SYN/ACK becomes the reset that answers it. */
static __always_inline int reset(struct xdp_md *ctx)
{
    if (bpf_xdp_adjust_tail(ctx, BARE_WIRE_FRAME_LEN - (int)(ctx->data_end - ctx->data)) < 0)
        return XDP_DROP;
    uint8_t *data = (uint8_t *)(long)ctx->data, *end = (uint8_t *)(long)ctx->data_end;
    uint8_t *ip = data + ETHERNET_LEN, *tcp = ip + IPV4_LEN;
    if (tcp + TCP_LEN > end)
        return XDP_DROP;
    swap_bytes(data, data + 6, 6);
    swap_bytes(ip + 12, ip + 16, 4);
    swap_bytes(tcp, tcp + 2, 2);
    *(uint16_t *)(ip + 2) = swap16(IPV4_LEN + TCP_LEN);
    *(uint16_t *)(ip + 10) = 0;
    *(uint16_t *)(ip + 10) = swap16(fold(sum_words(ip, IPV4_LEN)));
    *(uint32_t *)(tcp + 4) = *(uint32_t *)(tcp + 8);
    *(uint32_t *)(tcp + 8) = 0;
    tcp[12] = TCP_LEN / 4 << 4;
    tcp[13] = RST;
    *(uint16_t *)(tcp + 16) = 0;
    *(uint16_t *)(tcp + 16) =
        swap16(fold(TCP_PROTO + TCP_LEN + sum_words(ip + 12, 8) + sum_words(tcp, TCP_LEN)));
    return XDP_TX;
}

SEC("xdp")
int hear(struct xdp_md *ctx)
{
    uint8_t *data = (uint8_t *)(long)ctx->data, *end = (uint8_t *)(long)ctx->data_end;
    uint8_t *ip = data + ETHERNET_LEN, *tcp = ip + IPV4_LEN;
    uint32_t zero = 0;
    struct bare_wire *bare = bpf_map_lookup_elem(&state, &zero);
    if (!bare || tcp + TCP_LEN > end || from_be16(data + 12) != 0x0800 || ip[0] != 0x45 ||
        ip[9] != TCP_PROTO || from_be16(tcp + 2) != SOURCE_PORT || from_be32(tcp + 8) != SEQ + 1)
        return XDP_PASS;
    uint32_t host = from_be32(ip + 12) - bare->first_host;
    uint32_t port = from_be16(tcp) - bare->first_port;
    uint32_t probe = port * bare->host_count + host;
    if (host >= bare->host_count || port >= bare->port_count || probe >= BARE_WIRE_PROBES_MAX)
        return XDP_PASS;
    uint64_t bit = UINT64_C(1) << probe % 64;
    if (!(__sync_fetch_and_or(&bare->answered[probe / 64], bit) & bit)) {
        __sync_fetch_and_add(&bare->answered_count, 1);
        if (tcp[13] & SYN)
            __sync_fetch_and_or(&bare->open[probe / 64], bit);
    }
    return tcp[13] & SYN ? reset(ctx) : XDP_DROP;
}

struct walk {
    struct bare_wire *bare;
    uint32_t probe;
    int found;
};

static long walk_on(uint32_t index, struct walk *walk)
{
    struct bare_wire *bare = walk->bare;
    uint32_t probe = bare->next;
    (void)index;
    if (probe >= bare->host_count * bare->port_count || probe >= BARE_WIRE_PROBES_MAX)
        return 1;
    bare->next = probe + 1;
    walk->probe = probe;
    walk->found = !(bare->answered[probe / 64] >> probe % 64 & 1);
    return walk->found;
}

static __always_inline int write_probe(struct xdp_md *ctx, const struct bare_wire *bare, uint32_t probe)
{
    uint8_t *data = (uint8_t *)(long)ctx->data, *end = (uint8_t *)(long)ctx->data_end;
    uint8_t *ip = data + ETHERNET_LEN, *tcp = ip + IPV4_LEN;
    uint32_t host = bare->first_host + probe % bare->host_count;
    uint16_t port = (uint16_t)(bare->first_port + probe / bare->host_count);
    if (tcp + TCP_LEN > end)
        return XDP_DROP;
    __builtin_memcpy(data, bare->frame, BARE_WIRE_FRAME_LEN);
    *(uint32_t *)(ip + 16) = __builtin_bswap32(host);
    *(uint16_t *)(tcp + 2) = swap16(port);
    *(uint16_t *)(ip + 10) = swap16(fold((uint64_t)bare->ip_sum + sum32(host)));
    *(uint16_t *)(tcp + 16) = swap16(fold((uint64_t)bare->tcp_sum + sum32(host) + port));
    return (int)bpf_redirect(bare->interface, 0);
}

SEC("xdp")
int blast(struct xdp_md *ctx)
{
    uint32_t zero = 0;
    struct bare_wire *bare = bpf_map_lookup_elem(&state, &zero);
    if (!bare)
        return XDP_DROP;
    struct walk walk = {.bare = bare};
    bpf_loop(STEPS, walk_on, &walk, 0);
    if (!walk.found)
        return XDP_DROP;
    bare->sent++;
    return write_probe(ctx, bare, walk.probe);
}

char programs_license[] SEC("license") = "Apache-2.0";
