#include "netio/live/filter.h"

#include <assert.h>
#include <linux/if_packet.h>

#include "packet/arp.h"
#include "packet/icmp.h"
#include "packet/ip.h"

/* Where a jump leads: the next instruction, or a place that is not known yet when the jump is written. */
enum label {
    NEXT,
    LABEL_ACCEPT,
    LABEL_DROP,
    LABEL_IPV4_PORTS,
    LABEL_IPV4_ICMP,
    LABEL_IPV6,
    LABEL_IPV6_PORTS,
    LABEL_IPV6_ICMP,
    LABEL_ARP,
    LABEL_PORT,
    LABEL_COUNT
};

/* A program being written: jumps hold labels until all places are known. */
struct assembler {
    struct filter *filter;
    uint16_t at[LABEL_COUNT];
};

static void emit(struct assembler *as, unsigned code, uint32_t k, unsigned yes, unsigned no)
{
    assert(as->filter->len < FILTER_CODE_MAX);
    as->filter->code[as->filter->len++] =
        (struct sock_filter){.code = (uint16_t)code, .k = k, .jt = (uint8_t)yes, .jf = (uint8_t)no};
}

static void put_label(struct assembler *as, unsigned label)
{
    as->at[label] = as->filter->len;
}

static void load(struct assembler *as, unsigned size, uint32_t offset)
{
    emit(as, BPF_LD | BPF_ABS | size, offset, NEXT, NEXT);
}

/* What the kernel knows about the packet: SKF_AD_... */
static void load_about(struct assembler *as, int field)
{
    load(as, BPF_W, (uint32_t)(SKF_AD_OFF + field));
}

static void if_equal(struct assembler *as, uint32_t value, unsigned yes, unsigned no)
{
    emit(as, BPF_JMP | BPF_JEQ | BPF_K, value, yes, no);
}

static void go_to(struct assembler *as, unsigned label)
{
    emit(as, BPF_JMP | BPF_JA, label, NEXT, NEXT);
}

static void give_back(struct assembler *as, uint32_t len)
{
    emit(as, BPF_RET | BPF_K, len, NEXT, NEXT);
}

/* A jump counts from the instruction behind it, and leads forwards only. */
static uint8_t distance(const struct assembler *as, uint16_t from, uint32_t label)
{
    if (label == NEXT)
        return 0;
    assert(as->at[label] > from);
    return (uint8_t)(as->at[label] - from - 1);
}

static void resolve_labels(struct assembler *as)
{
    for (uint16_t i = 0; i < as->filter->len; i++) {
        struct sock_filter *code = &as->filter->code[i];
        if (BPF_CLASS(code->code) != BPF_JMP)
            continue;
        if (BPF_OP(code->code) == BPF_JA) {
            code->k = distance(as, i, code->k);
        } else {
            code->jt = distance(as, i, code->jt);
            code->jf = distance(as, i, code->jf);
        }
    }
}

static void if_one_of(struct assembler *as, const uint8_t *values, size_t count, unsigned yes)
{
    for (size_t i = 0; i < count; i++)
        if_equal(as, values[i], yes, NEXT);
}

static void check_ports_protocol(struct assembler *as, unsigned ports)
{
    static const uint8_t with_ports[] = {IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_SCTP};
    if_one_of(as, with_ports, sizeof with_ports, ports);
}

static void write_ipv4(struct assembler *as, const struct filter_options *options)
{
    static const uint8_t icmp_answers[] = {
        ICMP4_ECHO_REPLY,    ICMP4_UNREACHABLE,   ICMP4_SOURCE_QUENCH,
        ICMP4_TIME_EXCEEDED, ICMP4_PARAM_PROBLEM, ICMP4_TIMESTAMP_REPLY,
    };
    load(as, BPF_H, 6);
    emit(as, BPF_JMP | BPF_JSET | BPF_K, 0x1fff, LABEL_DROP, NEXT); /* fragment offset */
    load(as, BPF_B, 9);
    check_ports_protocol(as, LABEL_IPV4_PORTS);
    if_equal(as, IP_PROTO_ICMP, LABEL_IPV4_ICMP, options->all_protocols ? LABEL_ACCEPT : LABEL_DROP);

    put_label(as, LABEL_IPV4_ICMP);
    emit(as, BPF_LDX | BPF_MSH | BPF_B, 0, NEXT, NEXT); /* X = header length */
    emit(as, BPF_LD | BPF_IND | BPF_B, 0, NEXT, NEXT);
    if_one_of(as, icmp_answers, sizeof icmp_answers, LABEL_ACCEPT);
    go_to(as, LABEL_DROP);

    put_label(as, LABEL_IPV4_PORTS);
    emit(as, BPF_LDX | BPF_MSH | BPF_B, 0, NEXT, NEXT);
    emit(as, BPF_LD | BPF_IND | BPF_H, 2, NEXT, NEXT);
    go_to(as, LABEL_PORT);
}

static void write_ipv6(struct assembler *as, const struct filter_options *options)
{
    static const uint8_t extensions[] = {
        IP_PROTO_HOP_BY_HOP,   IP_PROTO_ROUTING,  IP_PROTO_FRAGMENT, IP_PROTO_AH,
        IP_PROTO_DEST_OPTIONS, IP_PROTO_MOBILITY, IP_PROTO_HIP,      IP_PROTO_SHIM6,
    };
    static const uint8_t icmp_answers[] = {ICMP6_ECHO_REPLY, ICMP6_NEIGHBOR_ADVERTISEMENT};

    put_label(as, LABEL_IPV6);
    load(as, BPF_B, IPV6_HEADER_LEN - 1); /* a whole header, or nothing */
    load(as, BPF_B, 6);
    check_ports_protocol(as, LABEL_IPV6_PORTS);
    if_one_of(as, extensions, sizeof extensions, LABEL_ACCEPT);
    if_equal(as, IP_PROTO_ICMPV6, LABEL_IPV6_ICMP, options->all_protocols ? LABEL_ACCEPT : LABEL_DROP);

    put_label(as, LABEL_IPV6_ICMP);
    load(as, BPF_B, IPV6_HEADER_LEN);
    if_one_of(as, icmp_answers, sizeof icmp_answers, LABEL_ACCEPT);
    /* RFC 4443 section 2.1: errors are the types below 128 */
    emit(as, BPF_JMP | BPF_JGE | BPF_K, 128, LABEL_DROP, LABEL_ACCEPT);

    put_label(as, LABEL_IPV6_PORTS);
    load(as, BPF_H, IPV6_HEADER_LEN + 2);
}

void filter_make(const struct filter_options *options, struct filter *ret)
{
    struct filter filter = {.len = 0};
    struct assembler as = {.filter = &filter};

    load_about(&as, SKF_AD_PKTTYPE);
    if_equal(&as, PACKET_OTHERHOST, LABEL_DROP, NEXT);
    load_about(&as, SKF_AD_PROTOCOL);
    if_equal(&as, ETHERTYPE_ARP_PACKET, LABEL_ARP, NEXT);
    if_equal(&as, ETHERTYPE_IPV6_PACKET, LABEL_IPV6, NEXT);
    if_equal(&as, ETHERTYPE_IPV4, NEXT, LABEL_DROP);
    write_ipv4(&as, options);
    write_ipv6(&as, options);

    put_label(&as, LABEL_PORT); /* A = destination port */
    emit(&as, BPF_JMP | BPF_JGE | BPF_K, options->first_port, NEXT, LABEL_DROP);
    emit(&as, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)options->first_port + options->port_count, LABEL_DROP,
         LABEL_ACCEPT);

    put_label(&as, LABEL_ARP);
    load(&as, BPF_H, 6); /* operation, RFC 826 */
    if_equal(&as, ARP_REPLY, LABEL_ACCEPT, LABEL_DROP);

    put_label(&as, LABEL_ACCEPT);
    give_back(&as, FILTER_CAPTURE_LEN);
    put_label(&as, LABEL_DROP);
    give_back(&as, 0);
    resolve_labels(&as);
    *ret = filter;
}
