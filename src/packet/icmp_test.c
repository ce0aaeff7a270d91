#include "packet/icmp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "packet/checksum.h"
#include "packet/ip.h"
#include "packet/test_packets.h"

/* Neighbour advertisement, solicited and override, for 2001:db8::2; an option may follow. */
#define ADVERTISEMENT "8800 0000 60000000 20010db8 00000000 00000000 00000002 "

static bool read_hex(const char *text, uint8_t version, struct icmp_header *ret)
{
    struct test_bytes bytes = from_hex(text);
    struct reader in = read_test_bytes(&bytes);
    return icmp_read(&in, version, ret);
}

static void the_fields_of_a_header_are_read(void **state)
{
    (void)state;
    struct test_bytes bytes = from_hex("0b01 0000 12345678 abcd");
    for (uint8_t version = 4; version <= 6; version += 2) {
        struct reader in = read_test_bytes(&bytes);
        struct icmp_header icmp;
        assert_true(icmp_read(&in, version, &icmp));
        assert_int_equal(icmp.type, 11);
        assert_int_equal(icmp.code, 1);
        assert_int_equal(icmp.id, 0x1234);
        assert_int_equal(icmp.seq, 0x5678);
        assert_int_equal(icmp.rest, 0x12345678);
        assert_false(icmp.is_neighbor);
        assert_int_equal(reader_left(&in), 2);
    }
}

static void a_neighbour_advertisement_tells_target_and_mac(void **state)
{
    (void)state;
    struct icmp_header icmp;
    struct addr target = host_v6();
    assert_true(read_hex(ADVERTISEMENT "0201 020000000002", 6, &icmp));
    assert_true(icmp.is_neighbor && icmp.has_neighbor_mac);
    assert_true(addr_equal(&icmp.neighbor_target, &target));
    assert_memory_equal(icmp.neighbor_mac, ((uint8_t[6]){2, 0, 0, 0, 0, 2}), 6);
}

static void other_options_of_an_advertisement_are_passed_over(void **state)
{
    (void)state;
    struct icmp_header icmp;
    assert_true(read_hex(ADVERTISEMENT, 6, &icmp));
    assert_true(icmp.is_neighbor);
    assert_false(icmp.has_neighbor_mac);
    assert_true(read_hex(
        ADVERTISEMENT "0101 020000000009 ee02 0000000000000000000000000000 0201 020000000002", 6, &icmp));
    assert_true(icmp.has_neighbor_mac);
    assert_int_equal(icmp.neighbor_mac[5], 2);
    assert_true(
        read_hex(ADVERTISEMENT "0202 0000000000000000000000000000", 6, &icmp)); /* not an Ethernet one */
    assert_false(icmp.has_neighbor_mac);
}

/* RFC 4861 section 7.1.2 */
static void an_advertisement_with_an_option_of_length_0_or_a_code_is_refused(void **state)
{
    (void)state;
    struct icmp_header icmp;
    assert_false(read_hex(ADVERTISEMENT "0200 020000000002", 6, &icmp));
    assert_false(read_hex("8801 0000 60000000 20010db8 00000000 00000000 00000002", 6, &icmp));
}

static void only_icmpv6_knows_advertisements(void **state)
{
    (void)state;
    struct icmp_header icmp;
    assert_true(read_hex("8800 0000 60000000", 4, &icmp));
    assert_false(icmp.is_neighbor);
}

static void a_message_cut_anywhere_is_truncated(void **state)
{
    (void)state;
    struct test_bytes bytes = from_hex(ADVERTISEMENT "0201 020000000002");
    for (size_t len = 0; len < bytes.len; len++) {
        if (len == 24) /* just without its option */
            continue;
        struct reader in = reader_over(bytes.data, len);
        struct icmp_header icmp = {.type = 77};
        if (icmp_read(&in, 6, &icmp))
            fail_msg("taken with %zu bytes", len);
        assert_int_equal(icmp.type, 77);
    }
}

static void error_messages_are_those_that_quote(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        bool error4 = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
        assert_int_equal(icmp_is_error(4, (uint8_t)type), error4);
        assert_int_equal(icmp_is_error(6, (uint8_t)type), type < 128);
    }
}

static void a_written_echo_is_byte_for_byte_the_known_one(void **state)
{
    (void)state;
    struct addr src = host_v4(), dst = us_v4();
    struct icmp_header header = {.type = ICMP4_ECHO_REPLY, .rest = 0x00010002};
    struct test_bytes expected = from_hex("0000 212c 0001 0002 70696e67");
    uint8_t bytes[20];
    struct writer out = writer_over(bytes, sizeof bytes);
    icmp_write(&out, &src, &dst, &header, (const uint8_t *)"ping", 4);
    assert_int_equal(writer_len(&out), expected.len);
    assert_memory_equal(bytes, expected.data, expected.len);
}

static void what_is_written_is_read_back_with_a_right_checksum(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct rand rand = {.state = seed};
        uint8_t family = seed % 2 ? ADDR_V4 : ADDR_V6;
        struct addr src = random_addr(&rand, family), dst = random_addr(&rand, family);
        struct icmp_header header = {.type = (uint8_t)rand_below(&rand, ICMP6_NEIGHBOR_ADVERTISEMENT),
                                     .code = (uint8_t)rand_next(&rand),
                                     .rest = (uint32_t)rand_next(&rand)};
        uint8_t payload[60], bytes[68];
        size_t payload_len = (size_t)rand_below(&rand, sizeof payload + 1);
        random_bytes(&rand, payload, sizeof payload);
        struct writer out = writer_over(bytes, sizeof bytes);
        icmp_write(&out, &src, &dst, &header, payload, payload_len);

        size_t len = writer_len(&out);
        uint16_t left_over = family == ADDR_V6 ? checksum_transport(&src, &dst, IP_PROTO_ICMPV6, bytes, len)
                                               : checksum_finish(checksum_add(0, bytes, len));
        struct reader in = reader_over(bytes, len);
        struct icmp_header back;
        if (!out.ok || left_over != 0 || !icmp_read(&in, family, &back) || back.type != header.type ||
            back.code != header.code || back.rest != header.rest || reader_left(&in) != payload_len ||
            memcmp(in.at, payload, payload_len) != 0)
            fail_msg("seed %ju", (uintmax_t)seed);
    }
}

/* RFC 4861 section 4.3: type 135, target, source link-layer address. */
static void a_solicitation_asks_for_the_target_and_tells_our_mac(void **state)
{
    (void)state;
    struct addr src = us_v6(), target = host_v6(), dst = icmp_solicited_node(&target);
    struct test_bytes expected =
        from_hex("8700 0000 00000000 20010db8 00000000 00000000 00000002 0101 020000000001");
    uint8_t bytes[40];
    struct writer out = writer_over(bytes, sizeof bytes);
    icmp_write_neighbor_solicitation(&out, &src, &dst, &target, (const uint8_t[6]){2, 0, 0, 0, 0, 1});
    assert_int_equal(writer_len(&out), expected.len);
    assert_int_equal(checksum_transport(&src, &dst, IP_PROTO_ICMPV6, bytes, expected.len), 0);
    put_be16(bytes + 2, 0);
    assert_memory_equal(bytes, expected.data, expected.len);
}

/* RFC 4291 section 2.7.1: the group of 4037::01:800:200e:8c6c is ff02::1:ff0e:8c6c. */
static void the_solicited_node_group_is_that_of_the_rfc(void **state)
{
    (void)state;
    struct addr target, group, expected;
    assert_true(addr_parse("4037::01:800:200e:8c6c", &target) && addr_parse("ff02::1:ff0e:8c6c", &expected));
    group = icmp_solicited_node(&target);
    assert_true(addr_equal(&group, &expected));
    target.scope = 5;
    assert_int_equal(icmp_solicited_node(&target).scope, 5);
}

static void a_message_that_does_not_fit_is_not_written_past_the_end(void **state)
{
    (void)state;
    struct addr src = us_v6(), dst = host_v6();
    struct icmp_header header = {.type = ICMP6_ECHO};
    for (size_t room = 0; room < 32; room++) {
        uint8_t bytes[33];
        memset(bytes, 0xee, sizeof bytes);
        struct writer out = writer_over(bytes, room);
        icmp_write_neighbor_solicitation(&out, &src, &dst, &dst, (const uint8_t[6]){0});
        assert_false(out.ok);
        out = writer_over(bytes, room < 8 ? room : 8);
        icmp_write(&out, &src, &dst, &header, (const uint8_t *)"x", 1);
        assert_false(out.ok);
        assert_int_equal(bytes[room], 0xee);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fields_of_a_header_are_read),
        cmocka_unit_test(a_neighbour_advertisement_tells_target_and_mac),
        cmocka_unit_test(other_options_of_an_advertisement_are_passed_over),
        cmocka_unit_test(an_advertisement_with_an_option_of_length_0_or_a_code_is_refused),
        cmocka_unit_test(only_icmpv6_knows_advertisements),
        cmocka_unit_test(a_message_cut_anywhere_is_truncated),
        cmocka_unit_test(error_messages_are_those_that_quote),
        cmocka_unit_test(a_written_echo_is_byte_for_byte_the_known_one),
        cmocka_unit_test(what_is_written_is_read_back_with_a_right_checksum),
        cmocka_unit_test(a_solicitation_asks_for_the_target_and_tells_our_mac),
        cmocka_unit_test(the_solicited_node_group_is_that_of_the_rfc),
        cmocka_unit_test(a_message_that_does_not_fit_is_not_written_past_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
