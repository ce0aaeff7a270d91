/* The filter is run here by a small interpreter of its own, so that no privilege is needed; that the kernel
 * takes the same program is shown by netio_contract_test. */
#include "netio/live/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/if_arp.h>
#include <linux/if_packet.h>
#include <string.h>

#include "base/bytes.h"
#include "base/rand.h"
#include "packet/arp.h"
#include "packet/icmp.h"
#include "packet/ip.h"

/* A packet as the socket sees it: bytes from the network header on, and what the kernel knows beside them. */
struct input {
    uint8_t data[128];
    size_t len;
    uint32_t protocol, packet_type, hardware;
};

/* Classic BPF as linux/filter.h has it: a load past the end drops the packet. */
static bool load(const struct input *input, uint32_t offset, unsigned size, uint32_t *ret)
{
    if (offset == (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL))
        *ret = input->protocol;
    else if (offset == (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE))
        *ret = input->packet_type;
    else if (offset == (uint32_t)(SKF_AD_OFF + SKF_AD_HATYPE))
        *ret = input->hardware;
    else if (offset >= input->len || input->len - offset < size)
        return false;
    else
        *ret = size == 1   ? input->data[offset]
               : size == 2 ? get_be16(input->data + offset)
                           : get_be32(input->data + offset);
    return true;
}

static unsigned size_of(uint16_t code)
{
    return BPF_SIZE(code) == BPF_B ? 1 : BPF_SIZE(code) == BPF_H ? 2 : 4;
}

static bool jump_taken(const struct sock_filter *code, uint32_t a)
{
    switch (BPF_OP(code->code)) {
    case BPF_JEQ:
        return a == code->k;
    case BPF_JGE:
        return a >= code->k;
    case BPF_JSET:
        return a & code->k;
    default:
        fail_msg("an operation that this test does not know");
        return false;
    }
}

static uint32_t run(const struct filter *filter, const struct input *input)
{
    uint32_t a = 0, x = 0;
    for (uint32_t at = 0; at < filter->len; at++) {
        const struct sock_filter *code = &filter->code[at];
        switch (BPF_CLASS(code->code)) {
        case BPF_LD:
            if (!load(input, BPF_MODE(code->code) == BPF_IND ? x + code->k : code->k, size_of(code->code),
                      &a))
                return 0;
            break;
        case BPF_LDX: /* BPF_MSH only: the IPv4 header length */
            if (!load(input, code->k, 1, &x))
                return 0;
            x = 4 * (x & 0xf);
            break;
        case BPF_JMP:
            if (BPF_OP(code->code) == BPF_JA)
                at += code->k;
            else
                at += jump_taken(code, a) ? code->jt : code->jf;
            break;
        case BPF_RET:
            return code->k;
        default:
            fail_msg("an instruction that this test does not know");
        }
    }
    fail_msg("the program runs off its end");
    return 0;
}

#define OUR_V4 0xc6120001

static struct addr our_v6(void)
{
    static const uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    return addr_v6(bytes, 0);
}

static struct filter filter_for(bool all_protocols)
{
    struct filter_options options = {
        .first_port = 20000,
        .port_count = 1000,
        .all_protocols = all_protocols,
    };
    struct filter filter;
    filter_make(&options, &filter);
    return filter;
}

/* An IPv4 packet to `dst` with so many words of options, then `body`. */
static struct input ipv4(uint8_t proto, uint32_t dst, unsigned option_words, const uint8_t *body, size_t len)
{
    size_t header_len = 20 + 4 * option_words;
    struct input input = {.protocol = ETHERTYPE_IPV4, .hardware = ARPHRD_ETHER, .len = header_len + len};
    input.data[0] = (uint8_t)(0x40 | (header_len / 4));
    input.data[9] = proto;
    put_be32(input.data + 16, dst);
    memcpy(input.data + header_len, body, len);
    return input;
}

static struct input ipv6(uint8_t proto, const struct addr *dst, const uint8_t *body, size_t len)
{
    struct input input = {.protocol = ETHERTYPE_IPV6_PACKET, .hardware = ARPHRD_ETHER, .len = 40 + len};
    input.data[0] = 0x60;
    input.data[6] = proto;
    memcpy(input.data + 24, dst->bytes, 16);
    memcpy(input.data + 40, body, len);
    return input;
}

/* The first bytes of a TCP, UDP or SCTP header. */
static const uint8_t *ports_to(uint8_t bytes[static 8], uint16_t port)
{
    put_be16(bytes, 80);
    put_be16(bytes + 2, port);
    return bytes;
}

static bool passes4(const struct filter *filter, uint8_t proto, uint32_t dst, uint16_t port)
{
    uint8_t bytes[8] = {0};
    struct input input = ipv4(proto, dst, 0, ports_to(bytes, port), sizeof bytes);
    return run(filter, &input) > 0;
}

static bool passes6(const struct filter *filter, uint8_t proto, uint16_t port)
{
    uint8_t bytes[8] = {0};
    struct addr dst = our_v6();
    struct input input = ipv6(proto, &dst, ports_to(bytes, port), sizeof bytes);
    return run(filter, &input) > 0;
}

static void our_source_ports_pass_and_no_others(void **state)
{
    (void)state;
    static const uint8_t protocols[] = {IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_SCTP};
    struct filter filter = filter_for(false);
    for (size_t i = 0; i < sizeof protocols; i++) {
        assert_false(passes4(&filter, protocols[i], OUR_V4, 19999));
        assert_true(passes4(&filter, protocols[i], OUR_V4, 20000));
        assert_true(passes4(&filter, protocols[i], OUR_V4, 20999));
        assert_false(passes4(&filter, protocols[i], OUR_V4, 21000));
        assert_false(passes6(&filter, protocols[i], 19999));
        assert_true(passes6(&filter, protocols[i], 20000));
        assert_true(passes6(&filter, protocols[i], 20999));
        assert_false(passes6(&filter, protocols[i], 21000));
    }
}

static void the_last_port_may_be_65535(void **state)
{
    (void)state;
    struct filter filter;
    filter_make(&(struct filter_options){.first_port = 65535, .port_count = 1}, &filter);
    assert_true(passes4(&filter, IP_PROTO_TCP, OUR_V4, 65535));
    assert_false(passes4(&filter, IP_PROTO_TCP, OUR_V4, 65534));
    assert_false(passes4(&filter, IP_PROTO_TCP, OUR_V4, 0));
}

/* They may change while the filter stays. */
static void every_address_passes(void **state)
{
    (void)state;
    struct filter filter = filter_for(false);
    assert_true(passes4(&filter, IP_PROTO_TCP, 0x01020304, 20000));
    assert_true(passes6(&filter, IP_PROTO_TCP, 20000));
    assert_false(passes4(&filter, IP_PROTO_TCP, 0x01020304, 19999));
}

static void ipv4_options_are_stepped_over(void **state)
{
    (void)state;
    struct filter filter = filter_for(false);
    uint8_t ports[8] = {0}, unreachable[8] = {ICMP4_UNREACHABLE}, echo[8] = {ICMP4_ECHO};
    for (unsigned words = 0; words <= 10; words++) {
        struct input good = ipv4(IP_PROTO_TCP, OUR_V4, words, ports_to(ports, 20500), sizeof ports);
        assert_true(run(&filter, &good) > 0);
        struct input bad = ipv4(IP_PROTO_TCP, OUR_V4, words, ports_to(ports, 443), sizeof ports);
        assert_int_equal(run(&filter, &bad), 0);
        struct input error = ipv4(IP_PROTO_ICMP, OUR_V4, words, unreachable, sizeof unreachable);
        assert_true(run(&filter, &error) > 0);
        struct input request = ipv4(IP_PROTO_ICMP, OUR_V4, words, echo, sizeof echo);
        assert_int_equal(run(&filter, &request), 0);
    }
}

static void of_fragments_only_the_first_passes(void **state)
{
    (void)state;
    struct filter filter = filter_for(false);
    uint8_t bytes[8] = {0};
    struct input input = ipv4(IP_PROTO_UDP, OUR_V4, 0, ports_to(bytes, 20000), sizeof bytes);
    put_be16(input.data + 6, 0x2000); /* more fragments, offset 0 */
    assert_true(run(&filter, &input) > 0);
    put_be16(input.data + 6, 0x4000); /* do not fragment */
    assert_true(run(&filter, &input) > 0);
    put_be16(input.data + 6, 0x0001);
    assert_int_equal(run(&filter, &input), 0);
}

static bool icmp_passes(const struct filter *filter, bool v6, uint8_t type)
{
    uint8_t body[8] = {type};
    struct addr dst = our_v6();
    struct input input = v6 ? ipv6(IP_PROTO_ICMPV6, &dst, body, sizeof body)
                            : ipv4(IP_PROTO_ICMP, OUR_V4, 0, body, sizeof body);
    return run(filter, &input) > 0;
}

static void of_icmp_errors_and_replies_pass(void **state)
{
    (void)state;
    struct filter filter = filter_for(false);
    for (unsigned type = 0; type < 256; type++) {
        bool reply = type == ICMP4_ECHO_REPLY || type == ICMP4_TIMESTAMP_REPLY;
        bool reply6 = type == ICMP6_ECHO_REPLY || type == ICMP6_NEIGHBOR_ADVERTISEMENT;
        bool error = icmp_is_error(4, (uint8_t)type) && type != ICMP4_REDIRECT;
        assert_int_equal(icmp_passes(&filter, false, (uint8_t)type), reply || error);
        assert_int_equal(icmp_passes(&filter, true, (uint8_t)type),
                         reply6 || icmp_is_error(6, (uint8_t)type));
    }
}

static void of_arp_only_replies_pass(void **state)
{
    (void)state;
    struct filter filter = filter_for(false);
    struct input input = {.protocol = ETHERTYPE_ARP_PACKET, .hardware = ARPHRD_ETHER, .len = 28};
    put_be16(input.data + 6, ARP_REPLY);
    assert_true(run(&filter, &input) > 0);
    put_be16(input.data + 6, ARP_REQUEST);
    assert_int_equal(run(&filter, &input), 0);
}

static void ipv6_with_extension_headers_passes_whatever_is_behind_them(void **state)
{
    (void)state;
    static const uint8_t extensions[] = {0, 43, 44, 51, 60, 135, 139, 140};
    struct filter filter = filter_for(false);
    for (size_t i = 0; i < sizeof extensions; i++)
        assert_true(passes6(&filter, extensions[i], 1));
}

static void other_protocols_pass_only_when_asked_for(void **state)
{
    (void)state;
    struct filter narrow = filter_for(false), wide = filter_for(true);
    assert_false(passes4(&narrow, 47, OUR_V4, 0));
    assert_false(passes6(&narrow, 47, 0));
    assert_true(passes4(&wide, 47, OUR_V4, 0));
    assert_true(passes6(&wide, 47, 0));
}

static void frames_for_other_stations_and_other_ethertypes_do_not_pass(void **state)
{
    (void)state;
    struct filter filter = filter_for(true);
    uint8_t bytes[8] = {0};
    struct input input = ipv4(IP_PROTO_TCP, OUR_V4, 0, ports_to(bytes, 20000), sizeof bytes);
    input.packet_type = PACKET_OTHERHOST;
    assert_int_equal(run(&filter, &input), 0);
    input.packet_type = PACKET_HOST;
    input.protocol = 0x88cc;
    assert_int_equal(run(&filter, &input), 0);
}

static void what_is_cut_short_is_dropped_and_nothing_is_read_behind_its_end(void **state)
{
    (void)state;
    struct filter filter = filter_for(true);
    for (uint64_t seed = 1; seed <= 5000; seed++) {
        struct rand rand = {seed};
        static const uint32_t protocols[] = {ETHERTYPE_IPV4, ETHERTYPE_IPV6_PACKET, ETHERTYPE_ARP_PACKET};
        struct input input = {.protocol = protocols[rand_below(&rand, 3)], .hardware = ARPHRD_ETHER};
        input.len = rand_below(&rand, 8);
        for (size_t i = 0; i < input.len; i++)
            input.data[i] = (uint8_t)rand_next(&rand);
        if (run(&filter, &input) != 0 && input.protocol != ETHERTYPE_ARP_PACKET)
            fail_msg("seed %lu", (unsigned long)seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_source_ports_pass_and_no_others),
        cmocka_unit_test(the_last_port_may_be_65535),
        cmocka_unit_test(every_address_passes),
        cmocka_unit_test(ipv4_options_are_stepped_over),
        cmocka_unit_test(of_fragments_only_the_first_passes),
        cmocka_unit_test(of_icmp_errors_and_replies_pass),
        cmocka_unit_test(of_arp_only_replies_pass),
        cmocka_unit_test(ipv6_with_extension_headers_passes_whatever_is_behind_them),
        cmocka_unit_test(other_protocols_pass_only_when_asked_for),
        cmocka_unit_test(frames_for_other_stations_and_other_ethertypes_do_not_pass),
        cmocka_unit_test(what_is_cut_short_is_dropped_and_nothing_is_read_behind_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
