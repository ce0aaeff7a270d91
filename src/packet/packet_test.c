/* Packets that answer directly. What ICMP errors quote is in quote_test.c, damage of every kind in
 * damage_test.c. */
#include "packet/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "packet/checksum.h"
#include "packet/test_packets.h"

static const struct packet_reading verifying = {.checksums = true};
static const struct packet_reading trusting = {.checksums = false};

/* From 198.18.0.2 to 198.18.0.1, id 1234, TTL 64; total length, protocol and header checksum are put in
 * between. */
#define V4(total_len, proto, checksum) "4500" total_len "12344000 40" proto checksum "c6120002 c6120001"

/* From 2001:db8::2 to 2001:db8::1; payload length, next header and hop limit are put in between. */
#define V6(payload_len, proto, hop_limit)                                                                    \
    "60000000" payload_len proto hop_limit                                                                   \
    "20010db8 00000000 00000000 00000002 20010db8 00000000 00000000 00000001"

#define RESET_V4   V4("0028", "06", "9c74") "0050 9c40 01020304 0a0b0c0e 5014 faf0 7208 0000"
#define SYN_ACK_V6 V6("0028", "06", "40") SEGMENT_V6
#define SEGMENT_V6                                                                                           \
    "0050 9c40 01020304 0a0b0c0e a012 faf0 3ada 0000 020405b4 0402080a 00000001 00000000 01030307"
#define ANSWER_V4 V4("0022", "11", "9c6f") "0035 9c40 000e 9cdc 616e7377 6572"
#define ANSWER_V6 V6("000e", "11", "40") "0035 9c40 000e cd8f 616e7377 6572"
#define INIT_ACK_V4                                                                                          \
    V4("003c", "84", "9be2")                                                                                 \
    "0050 9c40 0a0b0c0d 286f63f1 0200001c 00000001 00010000 000a000a 00000001 00070008 01020304"
#define ECHO_REPLY_V4    V4("0020", "01", "9c81") "0000 212c 0001 0002 70696e67"
#define ADVERTISEMENT_V6 V6("0020", "3a", "ff") ADVERTISEMENT
#define ADVERTISEMENT    "8800 8a71 60000000 20010db8 00000000 00000000 00000002 0201 020000000002"

static enum packet_fault read_hex(const char *text, struct packet *ret)
{
    struct test_bytes bytes = from_hex(text);
    return packet_read_ip(bytes.data, bytes.len, verifying, ret);
}

static void assert_fault(const char *text, enum packet_fault expected)
{
    struct packet packet;
    assert_string_equal(packet_fault_name(read_hex(text, &packet)), packet_fault_name(expected));
}

static void a_tcp_packet_is_decoded_once_and_whole(void **state)
{
    (void)state;
    struct test_bytes bytes =
        from_hex(V4("002d", "06", "9c6f") "0050 9c40 01020304 0a0b0c0e 5018 faf0 2e2d 0000"
                                          "68656c6c6f");
    struct packet packet;
    struct addr host = host_v4(), us = us_v4();
    assert_int_equal(packet_read_ip(bytes.data, bytes.len, verifying, &packet), PACKET_OK);
    assert_int_equal(packet.layer, LAYER_TCP);
    assert_int_equal(packet.ip_proto, IP_PROTO_TCP);
    assert_int_equal(packet.ttl, 64);
    assert_int_equal(packet.ip_id, 0x1234);
    assert_true(addr_equal(&packet.src, &host) && addr_equal(&packet.dst, &us));
    assert_int_equal(packet.tcp.source_port, 80);
    assert_int_equal(packet.tcp.flags, TCP_PSH | TCP_ACK);
    assert_false(packet.has_quote || packet.has_fragment_id);
    assert_ptr_equal(packet.payload, bytes.data + 40);
    assert_int_equal(packet.payload_len, 5);
    assert_memory_equal(packet.source_mac, ((uint8_t[6]){0}), 6);
}

static void every_layer_is_told_by_its_protocol(void **state)
{
    (void)state;
    struct packet packet;
    assert_int_equal(read_hex(SYN_ACK_V6, &packet), PACKET_OK);
    assert_int_equal(packet.layer, LAYER_TCP);
    assert_int_equal(packet.tcp.mss, 1460);
    assert_int_equal(packet.payload_len, 0);

    assert_int_equal(read_hex(ANSWER_V4, &packet), PACKET_OK);
    assert_int_equal(packet.layer, LAYER_UDP);
    assert_int_equal(packet.udp.source_port, 53);
    assert_int_equal(packet.payload_len, 6);

    assert_int_equal(read_hex(ANSWER_V6, &packet), PACKET_OK);
    assert_int_equal(packet.layer, LAYER_UDP);

    assert_int_equal(read_hex(INIT_ACK_V4, &packet), PACKET_OK);
    assert_int_equal(packet.layer, LAYER_SCTP);
    assert_int_equal(packet.sctp.chunk_type, SCTP_INIT_ACK);
    assert_int_equal(packet.payload_len, 28); /* the chunks */

    assert_int_equal(read_hex(ECHO_REPLY_V4, &packet), PACKET_OK);
    assert_int_equal(packet.layer, LAYER_ICMP4);
    assert_int_equal(packet.icmp.rest, 0x00010002);
    assert_int_equal(packet.payload_len, 4);
    assert_false(packet.has_quote);
}

static void another_protocol_keeps_everything_behind_the_ip_headers(void **state)
{
    (void)state;
    struct packet packet;
    assert_int_equal(read_hex(V4("0018", "2f", "9c5b") "00000800", &packet), PACKET_OK); /* GRE */
    assert_int_equal(packet.layer, LAYER_OTHER);
    assert_int_equal(packet.ip_proto, 47);
    assert_int_equal(packet.payload_len, 4);

    assert_int_equal(read_hex(V4("0014", "02", "9c8c"), &packet), PACKET_OK); /* IGMP, and nothing there */
    assert_int_equal(packet.layer, LAYER_OTHER);
    assert_int_equal(packet.payload_len, 0);
    assert_int_equal(read_hex(V6("0000", "3b", "40"), &packet), PACKET_OK);
    assert_int_equal(packet.ip_proto, IP_PROTO_NO_NEXT);
}

static void icmp_of_the_other_ip_version_is_only_another_protocol(void **state)
{
    (void)state;
    struct packet packet;
    assert_int_equal(read_hex(V4("0018", "3a", "9c50") "88000000", &packet), PACKET_OK);
    assert_int_equal(packet.layer, LAYER_OTHER);
    assert_int_equal(read_hex(V6("0004", "01", "40") "03000000", &packet), PACKET_OK);
    assert_int_equal(packet.layer, LAYER_OTHER);
}

/* Hop-by-hop, destination, routing, authentication, then TCP. */
static void tcp_is_found_behind_extension_headers(void **state)
{
    (void)state;
    struct packet packet;
    assert_int_equal(
        read_hex(V6("0058", "00", "40") "3c00000000000000 2b00000000000000 3300000000000000"
                                        "0604000000000000 0000000000000000 0000000000000000" SEGMENT_V6,
                 &packet),
        PACKET_OK);
    assert_int_equal(packet.layer, LAYER_TCP);
    assert_int_equal(packet.ip_proto, IP_PROTO_TCP);
    assert_int_equal(packet.tcp.ack, 0x0a0b0c0e);
}

static void trailing_padding_is_ignored(void **state)
{
    (void)state;
    struct packet packet;
    assert_int_equal(read_hex(RESET_V4 "ffff ffff ffff", &packet), PACKET_OK);
    assert_int_equal(packet.payload_len, 0);
    assert_int_equal(read_hex(SYN_ACK_V6 "ff", &packet), PACKET_OK);
    assert_int_equal(packet.payload_len, 0);

    /* Three bytes more in the IP packet than in the UDP datagram. */
    assert_int_equal(read_hex(V4("0025", "11", "9c6c") "0035 9c40 000e 9cdc 616e7377 6572 ffffff", &packet),
                     PACKET_OK);
    assert_int_equal(packet.payload_len, 6);
}

static void a_wrong_checksum_anywhere_is_a_fault_unless_not_verified(void **state)
{
    (void)state;
    static const char *const packets[] = {RESET_V4,    SYN_ACK_V6,    ANSWER_V4,       ANSWER_V6,
                                          INIT_ACK_V4, ECHO_REPLY_V4, ADVERTISEMENT_V6};
    for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
        struct test_bytes bytes = from_hex(packets[i]);
        struct packet packet;
        bytes.data[bytes.len - 1] ^= 0x01;
        assert_int_equal(packet_read_ip(bytes.data, bytes.len, verifying, &packet), PACKET_BAD_CHECKSUM);
        assert_int_equal(packet_read_ip(bytes.data, bytes.len, trusting, &packet), PACKET_OK);
    }
    assert_fault(V4("0028", "06", "9c75") "0050 9c40 01020304 0a0b0c0e 5014 faf0 7208 0000",
                 PACKET_BAD_CHECKSUM);
}

/* RFC 768 leaves it to the sender over IPv4; RFC 8200 section 8.1 does not over IPv6. */
static void udp_may_be_without_checksum_over_ipv4_alone(void **state)
{
    (void)state;
    assert_fault(V4("0022", "11", "9c6f") "0035 9c40 000e 0000 616e7377 6572", PACKET_OK);
    assert_fault(V6("000e", "11", "40") "0035 9c40 000e 0000 616e7377 6572", PACKET_BAD_CHECKSUM);
}

static void a_first_fragment_is_decoded_though_its_checksum_cannot_be_verified(void **state)
{
    (void)state;
    struct packet packet;
    /* MF is set, and the UDP length counts what is in later fragments. */
    assert_int_equal(
        read_hex("45000022 12342000 4011bc6f c6120002 c6120001 0035 9c40 0048 1111 616e7377 6572", &packet),
        PACKET_OK);
    assert_int_equal(packet.layer, LAYER_UDP);
    assert_int_equal(packet.udp.len, 0x48);
    assert_int_equal(packet.payload_len, 6);

    assert_int_equal(read_hex(V6("0030", "2c", "40") "0600000189abcdef" SEGMENT_V6, &packet), PACKET_OK);
    assert_true(packet.has_fragment_id);
    assert_int_equal(packet.fragment_id, 0x89abcdef);
    assert_int_equal(packet.tcp.seq, 0x01020304);
}

static void an_atomic_fragment_is_verified_like_a_whole_packet(void **state)
{
    (void)state;
    struct test_bytes bytes = from_hex(V6("0030", "2c", "40") "0600000089abcdef" SEGMENT_V6);
    struct packet packet;
    assert_int_equal(packet_read_ip(bytes.data, bytes.len, verifying, &packet), PACKET_OK);
    assert_true(packet.has_fragment_id);
    bytes.data[bytes.len - 1] ^= 1;
    assert_int_equal(packet_read_ip(bytes.data, bytes.len, verifying, &packet), PACKET_BAD_CHECKSUM);
}

static void a_later_fragment_is_a_fault_of_its_own(void **state)
{
    (void)state;
    assert_fault("45000022 12340001 4011dc6e c6120002 c6120001 0035 9c40 000e 9cdc 616e7377 6572",
                 PACKET_FRAGMENT);
    assert_fault(V6("0030", "2c", "40") "0600000889abcdef" SEGMENT_V6, PACKET_FRAGMENT);
}

static void a_length_that_cannot_be_is_a_bad_header(void **state)
{
    (void)state;
    assert_fault("44000028 12344000 40069d74 c6120002 c6120001", PACKET_BAD_HEADER); /* IHL 4 */
    assert_fault(V4("0013", "06", "9c89") "0050 9c40", PACKET_BAD_HEADER);           /* total length 19 */
    assert_fault(V6("0004", "3c", "40") "06000000 00000000", PACKET_BAD_HEADER); /* ends in an extension */
    assert_fault(V4("0028", "06", "9c74") "0050 9c40 01020304 0a0b0c0e 4014 faf0 8208 0000",
                 PACKET_BAD_HEADER);                                                 /* data offset 4 */
    assert_fault(V4("001c", "11", "9c75") "0035 9c40 0007 0000", PACKET_BAD_HEADER); /* UDP length 7 */
}

static void a_packet_shorter_than_it_says_is_truncated(void **state)
{
    (void)state;
    assert_fault("", PACKET_TRUNCATED);
    assert_fault(V4("0029", "06", "9c73") "0050 9c40 01020304 0a0b0c0e 5014 faf0 7208 0000",
                 PACKET_TRUNCATED);
    assert_fault(V4("001c", "11", "9c75") "0035 9c40 0009 0000", PACKET_TRUNCATED); /* UDP length 9 of 8 */
    assert_fault(V4("0018", "06", "9c84") "0050 9c40", PACKET_TRUNCATED);           /* four bytes of TCP */
    assert_fault(V4("0028", "06", "9c74") "0050 9c40 01020304 0a0b0c0e 6014 faf0 6208 0000",
                 PACKET_TRUNCATED); /* data offset 6 of 20 bytes */
}

static void other_versions_are_not_ip(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 16; version++) {
        struct test_bytes bytes = from_hex(RESET_V4);
        struct packet packet;
        bytes.data[0] = (uint8_t)(version << 4 | 5);
        enum packet_fault fault = packet_read_ip(bytes.data, bytes.len, trusting, &packet);
        assert_int_equal(fault == PACKET_NOT_IP, version != 4 && version != 6);
    }
}

/* RFC 4861 section 7.1.2: a router would have lowered the hop limit. */
static void a_neighbour_advertisement_from_afar_is_refused(void **state)
{
    (void)state;
    struct packet packet;
    assert_int_equal(read_hex(ADVERTISEMENT_V6, &packet), PACKET_OK);
    assert_int_equal(packet.layer, LAYER_ICMP6);
    assert_true(packet.icmp.is_neighbor && packet.icmp.has_neighbor_mac);
    assert_fault(V6("0020", "3a", "fe") ADVERTISEMENT, PACKET_BAD_HEADER);
}

static enum packet_fault read_frame(const char *text, struct packet *ret)
{
    struct test_bytes bytes = from_hex(text);
    return packet_read_ethernet(bytes.data, bytes.len, verifying, ret);
}

#define MACS "020000000001 020000000002 "

static void frames_are_read_behind_up_to_two_vlan_tags(void **state)
{
    (void)state;
    static const char *const frames[] = {MACS "0800" RESET_V4 "000000000000", MACS "86dd" SYN_ACK_V6,
                                         MACS "8100 0005 0800" RESET_V4,
                                         MACS "88a8 0005 8100 0006 86dd" SYN_ACK_V6};
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        struct packet packet;
        assert_int_equal(read_frame(frames[i], &packet), PACKET_OK);
        assert_int_equal(packet.layer, LAYER_TCP);
        assert_int_equal(packet.payload_len, 0);
        assert_memory_equal(packet.source_mac, ((uint8_t[6]){2, 0, 0, 0, 0, 2}), 6);
    }
}

static void an_arp_frame_tells_who_answers_for_which_address(void **state)
{
    (void)state;
    struct packet packet;
    struct addr host = host_v4(), us = us_v4();
    assert_int_equal(read_frame(MACS "0806 0001 0800 06 04 0002 020000000002 c6120002 020000000001 c6120001"
                                     "0000 0000 0000 0000 0000 0000 0000 0000 0000",
                                &packet),
                     PACKET_OK);
    assert_int_equal(packet.layer, LAYER_ARP);
    assert_int_equal(packet.arp.operation, ARP_REPLY);
    assert_true(addr_equal(&packet.src, &host) && addr_equal(&packet.dst, &us));
    assert_true(addr_equal(&packet.arp.sender, &host));
    assert_int_equal(packet.source_mac[5], 2);
}

static void frames_that_are_not_ours_are_told_apart(void **state)
{
    (void)state;
    struct packet packet;
    assert_int_equal(read_frame(MACS "0026 424203", &packet),
                     PACKET_NOT_IP); /* a length: IEEE 802.2 follows */
    assert_int_equal(read_frame(MACS "8100 0005 8100 0006 8100 0007 0800" RESET_V4, &packet), PACKET_NOT_IP);
    assert_int_equal(read_frame(MACS "0800" SYN_ACK_V6, &packet), PACKET_BAD_HEADER);
    assert_int_equal(read_frame(MACS "86dd" RESET_V4, &packet), PACKET_BAD_HEADER);
    assert_int_equal(
        read_frame(MACS "0806 0006 0800 06 04 0002 020000000002 c6120002 020000000001 c6120001", &packet),
        PACKET_BAD_HEADER);
    assert_int_equal(read_frame(MACS "0806 0001 0800", &packet), PACKET_TRUNCATED);
    assert_int_equal(read_frame(MACS "0800", &packet), PACKET_TRUNCATED);
    assert_int_equal(read_frame(MACS "08", &packet), PACKET_TRUNCATED);
}

static void every_fault_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = 0; a <= PACKET_FAULT_COUNT; a++) {
        for (int b = 0; b < a; b++)
            assert_string_not_equal(packet_fault_name((enum packet_fault)a),
                                    packet_fault_name((enum packet_fault)b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tcp_packet_is_decoded_once_and_whole),
        cmocka_unit_test(every_layer_is_told_by_its_protocol),
        cmocka_unit_test(another_protocol_keeps_everything_behind_the_ip_headers),
        cmocka_unit_test(icmp_of_the_other_ip_version_is_only_another_protocol),
        cmocka_unit_test(tcp_is_found_behind_extension_headers),
        cmocka_unit_test(trailing_padding_is_ignored),
        cmocka_unit_test(a_wrong_checksum_anywhere_is_a_fault_unless_not_verified),
        cmocka_unit_test(udp_may_be_without_checksum_over_ipv4_alone),
        cmocka_unit_test(a_first_fragment_is_decoded_though_its_checksum_cannot_be_verified),
        cmocka_unit_test(an_atomic_fragment_is_verified_like_a_whole_packet),
        cmocka_unit_test(a_later_fragment_is_a_fault_of_its_own),
        cmocka_unit_test(a_length_that_cannot_be_is_a_bad_header),
        cmocka_unit_test(a_packet_shorter_than_it_says_is_truncated),
        cmocka_unit_test(other_versions_are_not_ip),
        cmocka_unit_test(a_neighbour_advertisement_from_afar_is_refused),
        cmocka_unit_test(frames_are_read_behind_up_to_two_vlan_tags),
        cmocka_unit_test(an_arp_frame_tells_who_answers_for_which_address),
        cmocka_unit_test(frames_that_are_not_ours_are_told_apart),
        cmocka_unit_test(every_fault_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
