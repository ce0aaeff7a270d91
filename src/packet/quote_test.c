/* ICMP errors, decoded through to the probe that they quote. */
#include "packet/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "packet/test_packets.h"

/* The IP headers of our probe from 198.18.0.1 to 198.18.0.2, or 2001:db8::1 to 2001:db8::2, and the start of
 * its TCP header: ports 40000 and 80, sequence number 01020304. */
#define PROBE_V4 "4500002c 12344000 40069c70 c6120001 c6120002"
#define PROBE_V6(proto)                                                                                      \
    "60000000 0018" proto "40 20010db8 00000000 00000000 00000001 20010db8 00000000 00000000 00000002"
#define EIGHT_BYTES "9c40 0050 01020304"
#define REST_OF_TCP "0a0b0c0e 6002faf0 5a5e0000 020405b4"

#define UNREACHABLE_V4 "0303 0000 00000000"
#define UNREACHABLE_V6 "0104 0000 00000000"

/* Put an ICMP message, its checksum not counted, behind an IP header from the router. */
static bool read_error(uint8_t version, const char *text, struct packet *ret, struct test_bytes *ret_bytes)
{
    struct test_bytes message = from_hex(text);
    struct test_bytes *bytes = ret_bytes;
    struct ip_header header = {.src = addr_v4(0xc6336409), .dst = us_v4(), .proto = IP_PROTO_ICMP, .ttl = 61};
    if (version == 6) {
        header.src = addr_v6((const uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, 0xff, [15] = 9}, 0);
        header.dst = us_v6();
        header.proto = IP_PROTO_ICMPV6;
    }
    struct writer out = writer_over(bytes->data, sizeof bytes->data);
    ip_write(&out, &header, message.len);
    write_bytes(&out, message.data, message.len);
    bytes->len = writer_len(&out);
    struct packet_reading how = {.checksums = false};
    return out.ok && packet_read_ip(bytes->data, bytes->len, how, ret) == PACKET_OK;
}

static bool has_quote(uint8_t version, const char *text, struct quote *ret)
{
    struct test_bytes bytes = {.len = 0};
    struct packet packet = {0};
    assert_true(read_error(version, text, &packet, &bytes));
    if (packet.has_quote)
        *ret = packet.quote;
    return packet.has_quote;
}

static void assert_no_quote(uint8_t version, const char *text)
{
    struct quote quote = {0};
    if (has_quote(version, text, &quote))
        fail_msg("a quote in %s", text);
}

static void the_quoted_probe_is_decoded(void **state)
{
    (void)state;
    struct test_bytes bytes = {.len = 0};
    struct packet packet = {0};
    struct addr us = us_v4(), host = host_v4();
    assert_true(read_error(4, UNREACHABLE_V4 PROBE_V4 EIGHT_BYTES REST_OF_TCP, &packet, &bytes));
    assert_int_equal(packet.layer, LAYER_ICMP4);
    assert_int_equal(packet.ttl, 61);
    assert_int_equal(packet.icmp.type, ICMP4_UNREACHABLE);
    assert_int_equal(packet.icmp.code, 3);
    assert_true(packet.has_quote);
    assert_true(addr_equal(&packet.quote.src, &us) && addr_equal(&packet.quote.dst, &host));
    assert_int_equal(packet.quote.ip_proto, IP_PROTO_TCP);
    assert_int_equal(packet.quote.source_port, 40000);
    assert_int_equal(packet.quote.port, 80);
    assert_int_equal(packet.quote.number, 0x01020304);
    assert_ptr_equal(packet.quote.bytes, bytes.data + 48);
    assert_int_equal(packet.quote.len, 24);
}

/* RFC 792: "the first 64 bits of the original datagram's data". */
static void eight_bytes_of_the_transport_header_are_enough(void **state)
{
    (void)state;
    struct quote quote = {0};
    assert_true(has_quote(4, UNREACHABLE_V4 PROBE_V4 EIGHT_BYTES, &quote));
    assert_int_equal(quote.len, 8);
    assert_int_equal(quote.number, 0x01020304);
    assert_true(has_quote(6, UNREACHABLE_V6 PROBE_V6("06") EIGHT_BYTES, &quote));
    assert_int_equal(quote.source_port, 40000);
    assert_int_equal(quote.number, 0x01020304);
}

static void a_quote_cut_shorter_is_none(void **state)
{
    (void)state;
    struct test_bytes bytes = {.len = 0};
    struct packet packet = {0};
    assert_true(read_error(4, UNREACHABLE_V4 PROBE_V4 EIGHT_BYTES, &packet, &bytes));
    for (size_t cut = 1; cut <= 28; cut++) {
        struct packet_reading how = {.checksums = false};
        put_be16(bytes.data + 2, (uint16_t)(bytes.len - cut));
        assert_int_equal(packet_read_ip(bytes.data, bytes.len - cut, how, &packet), PACKET_OK);
        assert_false(packet.has_quote);
    }
}

static void a_quoted_header_may_have_options(void **state)
{
    (void)state;
    struct quote quote = {0};
    assert_true(has_quote(
        4, "0b00 0000 00000000 46000020 12344000 4011076d c6120001 c6120002 94040000 9c40 0035 0008 d740",
        &quote));
    assert_int_equal(quote.ip_proto, IP_PROTO_UDP);
    assert_int_equal(quote.source_port, 40000);
    assert_int_equal(quote.port, 53);
}

static void a_quoted_header_may_have_extension_headers(void **state)
{
    (void)state;
    struct quote quote = {0};
    assert_true(
        has_quote(6, "0300 0000 00000000" PROBE_V6("3c") "1100000000000000 9c40 0035 0008 07f4", &quote));
    assert_int_equal(quote.ip_proto, IP_PROTO_UDP);
    assert_int_equal(quote.port, 53);
    assert_no_quote(
        6, "0300 0000 00000000" PROBE_V6("3c") "1101000000000000 9c40 0035 0008 07f4"); /* cut in it */
}

static void every_error_message_quotes_and_no_other_message_does(void **state)
{
    (void)state;
    struct quote quote = {0};
    assert_true(has_quote(4, "0b00 0000 00000000" PROBE_V4 EIGHT_BYTES, &quote));
    assert_true(has_quote(4, "0400 0000 00000000" PROBE_V4 EIGHT_BYTES, &quote));
    assert_true(has_quote(4, "0c00 0000 00000000" PROBE_V4 EIGHT_BYTES, &quote));
    assert_true(has_quote(6, "0200 0000 00000500" PROBE_V6("06") EIGHT_BYTES, &quote));
    assert_true(has_quote(6, "0401 0000 00000028" PROBE_V6("06") EIGHT_BYTES, &quote));
    assert_no_quote(4, "0000 0000 00000000" PROBE_V4 EIGHT_BYTES);
    assert_no_quote(6, "8100 0000 00000000" PROBE_V6("06") EIGHT_BYTES);
}

static void only_protocols_with_ports_have_ports_in_a_quote(void **state)
{
    (void)state;
    struct quote quote = {0};
    assert_true(has_quote(
        4, "0302 0000 00000000 45000034 12344000 40849bea c6120001 c6120002 9c40 0050 0a0b0c0d", &quote));
    assert_int_equal(quote.ip_proto, IP_PROTO_SCTP);
    assert_int_equal(quote.source_port, 40000);
    assert_int_equal(quote.number, 0x0a0b0c0d);

    assert_true(has_quote(
        4, "0301 0000 00000000 4500001c 12344000 40019c85 c6120001 c6120002 0800 f7fc 00010002", &quote));
    assert_int_equal(quote.ip_proto, IP_PROTO_ICMP);
    assert_int_equal(quote.source_port, 0);
    assert_int_equal(quote.port, 0);
    assert_int_equal(quote.number, 0x00010002);
}

/* Such a probe asks for the protocol alone. */
static void a_probe_that_is_an_ip_header_alone_is_quoted_without_a_byte(void **state)
{
    (void)state;
    struct quote quote = {0};
    assert_true(has_quote(4, "0302 0000 00000000 45000014 12344000 402f0000 c6120001 c6120002", &quote));
    assert_int_equal(quote.ip_proto, 47);
    assert_int_equal(quote.len, 0);
    assert_int_equal(quote.number, 0);
    assert_true(has_quote(6, "0401 0000 00000006" PROBE_V6("2f") "01020304 050607", &quote));
    assert_int_equal(quote.len, 7);
    assert_int_equal(quote.number, 0); /* seven bytes hold no whole number */
    assert_no_quote(4, "0302 0000 00000000 4500001b 12344000 40010000 c6120001 c6120002 0800 f7fc 000100");
}

/* RFC 1122 section 3.2.2: nobody answers an error with an error, so it is no probe that is quoted. */
static void an_error_about_an_error_quotes_no_probe(void **state)
{
    (void)state;
    assert_no_quote(4, "0301 0000 00000000 45000048 12344000 40019c59 c6120001 c6120002"
                       "0303 8943 00000000" PROBE_V4 EIGHT_BYTES);
    assert_no_quote(6, "0104 0000 00000000" PROBE_V6("3a") "0104 0000 00000000" PROBE_V6("06") EIGHT_BYTES);
}

static void an_error_quotes_its_own_ip_version(void **state)
{
    (void)state;
    assert_no_quote(4, UNREACHABLE_V4 PROBE_V6("06") EIGHT_BYTES);
    assert_no_quote(6, UNREACHABLE_V6 PROBE_V4 EIGHT_BYTES REST_OF_TCP);
}

static void a_quoted_header_with_a_length_that_cannot_be_is_none(void **state)
{
    (void)state;
    for (unsigned words = 0; words < 16; words++) {
        struct test_bytes bytes = {.len = 0};
        struct packet packet = {0};
        struct packet_reading how = {.checksums = false};
        assert_true(read_error(4, UNREACHABLE_V4 PROBE_V4 EIGHT_BYTES REST_OF_TCP, &packet, &bytes));
        bytes.data[28] = (uint8_t)(0x40 | words);
        assert_int_equal(packet_read_ip(bytes.data, bytes.len, how, &packet), PACKET_OK);
        assert_int_equal(packet.has_quote,
                         words >= 5 && words <= 9); /* beyond, fewer than 8 bytes are left */
    }
}

/* Routers have changed the TTL and stacks the checksum, NATs more; the number proves it anyway. */
static void a_quote_need_not_have_a_right_length_or_checksum(void **state)
{
    (void)state;
    struct quote quote = {0};
    assert_true(
        has_quote(4, UNREACHABLE_V4 "4500ffff 12344000 0106ffff c6120001 c6120002" EIGHT_BYTES, &quote));
    assert_true(
        has_quote(4, UNREACHABLE_V4 "45000000 12344000 01060000 c6120001 c6120002" EIGHT_BYTES, &quote));
    assert_true(
        has_quote(4, UNREACHABLE_V4 "45002c00 34120040 01060000 c6120001 c6120002" EIGHT_BYTES, &quote));
    assert_int_equal(quote.number, 0x01020304);
}

static void a_quote_of_a_later_fragment_is_none(void **state)
{
    (void)state;
    assert_no_quote(4, UNREACHABLE_V4 "4500002c 12340001 40060000 c6120001 c6120002" EIGHT_BYTES);
    assert_no_quote(6, UNREACHABLE_V6 PROBE_V6("2c") "0600 0040 89abcdef" EIGHT_BYTES);
    assert_no_quote(6,
                    UNREACHABLE_V6 PROBE_V6("2c") "0600 0200 89abcdef" EIGHT_BYTES); /* no swapped DF there */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_quoted_probe_is_decoded),
        cmocka_unit_test(eight_bytes_of_the_transport_header_are_enough),
        cmocka_unit_test(a_quote_cut_shorter_is_none),
        cmocka_unit_test(a_quoted_header_may_have_options),
        cmocka_unit_test(a_quoted_header_may_have_extension_headers),
        cmocka_unit_test(every_error_message_quotes_and_no_other_message_does),
        cmocka_unit_test(only_protocols_with_ports_have_ports_in_a_quote),
        cmocka_unit_test(a_probe_that_is_an_ip_header_alone_is_quoted_without_a_byte),
        cmocka_unit_test(an_error_about_an_error_quotes_no_probe),
        cmocka_unit_test(an_error_quotes_its_own_ip_version),
        cmocka_unit_test(a_quoted_header_with_a_length_that_cannot_be_is_none),
        cmocka_unit_test(a_quote_need_not_have_a_right_length_or_checksum),
        cmocka_unit_test(a_quote_of_a_later_fragment_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
