#include "packet/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/checksum.h"
#include "packet/test_packets.h"

/* TCP from 198.18.0.2 to 198.18.0.1: 60 bytes in all, id 1234, DF, TTL 64 */
static const char *const plain_v4 = "4500 003c 1234 4000 40 06 9c60 c6120002 c6120001";

/* The start of a packet from 2001:db8::2 to 2001:db8::1 with 40 bytes behind the first header, or none, hop
 * limit 64; the next header follows. */
#define V6_START "60000000 0028"
#define V6_EMPTY "60000000 0000"
#define V6_REST  "40 20010db8 00000000 00000000 00000002 20010db8 00000000 00000000 00000001"

static bool read_hex(const char *text, struct ip_header *ret, size_t *ret_used)
{
    struct test_bytes bytes = from_hex(text);
    struct reader in = read_test_bytes(&bytes);
    bool valid = ip_read(&in, ret);
    *ret_used = (size_t)(in.at - bytes.data);
    return valid;
}

static void assert_refused(const char *text)
{
    struct ip_header ip = {.version = 77};
    size_t used;
    if (read_hex(text, &ip, &used))
        fail_msg("taken: %s", text);
    assert_int_equal(ip.version, 77);
}

static void the_fields_of_an_ipv4_header_are_read(void **state)
{
    (void)state;
    struct ip_header ip;
    size_t used;
    struct addr src = host_v4(), dst = us_v4();
    assert_true(read_hex(plain_v4, &ip, &used));
    assert_int_equal(ip.version, 4);
    assert_int_equal(ip.proto, IP_PROTO_TCP);
    assert_int_equal(ip.ttl, 64);
    assert_true(addr_equal(&ip.src, &src) && addr_equal(&ip.dst, &dst));
    assert_int_equal(ip.id, 0x1234);
    assert_true(ip.dont_fragment);
    assert_false(ip.more_fragments || ip.has_fragment_header);
    assert_int_equal(ip.fragment_offset, 0);
    assert_int_equal(ip.total_len, 60);
    assert_int_equal(ip.header_len, 20);
    assert_int_equal(used, 20);
}

static void ipv4_fragments_count_in_eights(void **state)
{
    (void)state;
    struct ip_header ip;
    size_t used;
    assert_true(read_hex("4500 003c 1234 3fff 40 06 0000 c6120002 c6120001", &ip, &used));
    assert_int_equal(ip.fragment_offset, 65528);
    assert_true(ip.more_fragments);
    assert_false(ip.dont_fragment);
}

static void ipv4_options_belong_to_the_header(void **state)
{
    (void)state;
    struct ip_header ip;
    size_t used;
    assert_true(
        read_hex("4700 003c 1234 4000 40 06 0000 c6120002 c6120001 94040000 01010101 ffff", &ip, &used));
    assert_int_equal(ip.header_len, 28);
    assert_int_equal(used, 28);
    assert_refused("4f00 003c 1234 4000 40 06 0000 c6120002 c6120001 94040000 01010101");
}

static void an_ipv4_header_has_at_least_twenty_bytes(void **state)
{
    (void)state;
    for (uint8_t words = 0; words < 5; words++) {
        struct test_bytes bytes = from_hex(plain_v4);
        struct ip_header ip;
        bytes.data[0] = (uint8_t)(0x40 | words);
        struct reader in = read_test_bytes(&bytes);
        assert_false(ip_read(&in, &ip));
        assert_true(in.ok); /* a length that cannot be, not one too short */
    }
}

static void only_versions_4_and_6_are_read(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 16; version++) {
        struct test_bytes bytes = from_hex("0500003c 12344000 40069c60 c6120002 c6120001 00000000"
                                           "00000000 00000000 00000000 00000000");
        struct ip_header ip;
        bytes.data[0] = (uint8_t)(version << 4 | 5);
        struct reader in = read_test_bytes(&bytes);
        bool valid = ip_read(&in, &ip);
        assert_int_equal(valid, version == 4 || version == 6);
    }
}

static void the_fields_of_an_ipv6_header_are_read(void **state)
{
    (void)state;
    struct ip_header ip;
    size_t used;
    struct addr src = host_v6(), dst = us_v6();
    assert_true(read_hex(V6_START "06" V6_REST, &ip, &used));
    assert_int_equal(ip.version, 6);
    assert_int_equal(ip.proto, IP_PROTO_TCP);
    assert_int_equal(ip.ttl, 64);
    assert_true(addr_equal(&ip.src, &src) && addr_equal(&ip.dst, &dst));
    assert_int_equal(ip.total_len, 80);
    assert_int_equal(ip.header_len, 40);
    assert_false(ip.has_fragment_header);
    assert_int_equal(used, 40);
}

/* Type of the header, then its bytes: it names UDP as the next. Lengths in eights (RFC 8200), but AH's in
 * fours. */
static void each_extension_header_is_passed_over(void **state)
{
    (void)state;
    static const struct {
        const char *type, *bytes;
        size_t len;
    } headers[] = {
        {"00", "1100 000000000000", 8},
        {"00", "1101 000000000000 0000000000000000", 16},
        {"2b", "1100 000000000000", 8},
        {"2c", "1100 0000 89abcdef", 8},
        {"33", "1101 0000 00000001 00000001", 12},
        {"33", "1104 0000 00000001 00000001 000102030405060708090a0b", 24},
        {"3c", "1100 000000000000", 8},
        {"87", "1100 000000000000", 8},
        {"8b", "1100 000000000000", 8},
        {"8c", "1100 000000000000", 8},
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        char text[300];
        struct ip_header ip;
        size_t used;
        snprintf(text, sizeof text, V6_START "%s" V6_REST "%s ffffffff", headers[i].type, headers[i].bytes);
        assert_true(read_hex(text, &ip, &used));
        assert_int_equal(ip.proto, IP_PROTO_UDP);
        assert_int_equal(ip.header_len, 40 + headers[i].len);
        assert_int_equal(used, ip.header_len);

        struct test_bytes cut = from_hex(text);
        for (size_t len = 0; len < used; len++) {
            struct reader in = reader_over(cut.data, len);
            assert_false(ip_read(&in, &ip));
            assert_false(in.ok);
        }
    }
}

static void no_next_header_and_encrypted_payload_end_the_chain(void **state)
{
    (void)state;
    struct ip_header ip;
    size_t used;
    assert_true(read_hex(V6_START "3c" V6_REST "3b00 000000000000 ffff", &ip, &used));
    assert_int_equal(ip.proto, IP_PROTO_NO_NEXT);
    assert_int_equal(used, 48);
    assert_true(read_hex(V6_START "32" V6_REST "ffff", &ip, &used));
    assert_int_equal(ip.proto, 50);
    assert_int_equal(used, 40);
}

/* As a probe for a protocol that is an extension header comes back in a quote. */
static void an_empty_packet_has_no_extension_header_whatever_it_names(void **state)
{
    (void)state;
    static const char *const types[] = {"00", "2b", "2c", "33", "3c", "87", "8b", "8c"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        char text[200];
        struct ip_header ip;
        size_t used;
        snprintf(text, sizeof text, V6_EMPTY "%s" V6_REST, types[i]);
        assert_true(read_hex(text, &ip, &used));
        assert_int_equal(ip.proto, strtoul(types[i], NULL, 16));
        assert_int_equal(ip.header_len, 40);
        assert_int_equal(used, 40);
    }
}

static void a_fragment_header_tells_offset_and_id(void **state)
{
    (void)state;
    struct ip_header ip;
    size_t used;
    assert_true(read_hex(V6_START "2c" V6_REST "0600 0001 89abcdef", &ip, &used));
    assert_true(ip.has_fragment_header && ip.more_fragments);
    assert_int_equal(ip.fragment_offset, 0);
    assert_int_equal(ip.fragment_id, 0x89abcdef);

    /* Data stands behind a later fragment's header, whatever type the first fragment begins with. */
    assert_true(read_hex(V6_START "2c" V6_REST "3c00 fff8 89abcdef ffff", &ip, &used));
    assert_int_equal(ip.fragment_offset, 65528);
    assert_false(ip.more_fragments);
    assert_int_equal(ip.proto, IP_PROTO_DEST_OPTIONS);
    assert_int_equal(used, 48);
}

static void an_authentication_header_of_eight_bytes_cannot_be(void **state)
{
    (void)state;
    assert_refused(V6_START "33" V6_REST "1100 0000 00000001 00000001");
}

static void a_chain_of_extension_headers_is_followed_ten_deep(void **state)
{
    (void)state;
    for (unsigned count = 1; count <= 30; count++) {
        struct test_bytes bytes = from_hex(V6_START "3c" V6_REST);
        for (unsigned i = 0; i < count; i++, bytes.len += 8)
            bytes.data[bytes.len] = i == count - 1 ? IP_PROTO_TCP : IP_PROTO_DEST_OPTIONS;
        struct reader in = read_test_bytes(&bytes);
        struct ip_header ip;
        assert_int_equal(ip_read(&in, &ip), count <= 10);
        assert_true(in.ok);
    }
}

static void a_header_cut_anywhere_is_truncated(void **state)
{
    (void)state;
    static const char *const texts[] = {plain_v4, V6_START "06" V6_REST};
    for (size_t i = 0; i < 2; i++) {
        struct test_bytes bytes = from_hex(texts[i]);
        for (size_t len = 0; len < bytes.len; len++) {
            struct reader in = reader_over(bytes.data, len);
            struct ip_header ip;
            assert_false(ip_read(&in, &ip));
            assert_false(in.ok);
        }
    }
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct rand rand = {.state = seed};
        uint8_t family = seed % 2 ? ADDR_V4 : ADDR_V6;
        struct ip_header header = {.src = random_addr(&rand, family), .dst = random_addr(&rand, family)};
        header.proto = seed % 3 ? IP_PROTO_UDP : 200;
        header.ttl = (uint8_t)rand_next(&rand);
        header.id = (uint16_t)rand_next(&rand);
        size_t payload_len = (size_t)rand_below(&rand, 65000);

        uint8_t bytes[IPV6_HEADER_LEN];
        struct writer out = writer_over(bytes, sizeof bytes);
        ip_write(&out, &header, payload_len);
        struct reader in = reader_over(bytes, writer_len(&out));
        struct ip_header back = {0};
        if (!out.ok || !ip_read(&in, &back) || reader_left(&in) != 0 || back.version != family ||
            !addr_equal(&back.src, &header.src) || !addr_equal(&back.dst, &header.dst) ||
            back.proto != header.proto || back.ttl != header.ttl ||
            back.total_len != back.header_len + payload_len || back.fragment_offset || back.more_fragments)
            fail_msg("seed %ju", (uintmax_t)seed);
        if (family == ADDR_V4 && (back.id != header.id || !back.dont_fragment ||
                                  checksum_finish(checksum_add(0, bytes, IPV4_HEADER_LEN)) != 0))
            fail_msg("seed %ju", (uintmax_t)seed);
    }
}

static void a_written_header_is_byte_for_byte_the_known_one(void **state)
{
    (void)state;
    struct ip_header header = {
        .src = host_v4(), .dst = us_v4(), .proto = IP_PROTO_TCP, .ttl = 64, .id = 0x1234};
    uint8_t bytes[IPV6_HEADER_LEN];
    struct writer out = writer_over(bytes, sizeof bytes);
    ip_write(&out, &header, 40);
    struct test_bytes v4 = from_hex(plain_v4);
    assert_int_equal(writer_len(&out), v4.len);
    assert_memory_equal(bytes, v4.data, v4.len);

    out = writer_over(bytes, sizeof bytes);
    header.src = host_v6();
    header.dst = us_v6();
    ip_write(&out, &header, 40);
    struct test_bytes v6 = from_hex(V6_START "06" V6_REST);
    assert_int_equal(writer_len(&out), v6.len);
    assert_memory_equal(bytes, v6.data, v6.len);
}

static void a_header_that_does_not_fit_is_not_written_past_the_end(void **state)
{
    (void)state;
    struct ip_header header = {.src = host_v4(), .dst = us_v4(), .proto = IP_PROTO_TCP};
    for (size_t room = 0; room < IPV4_HEADER_LEN; room++) {
        uint8_t bytes[IPV4_HEADER_LEN + 1];
        memset(bytes, 0xee, sizeof bytes);
        struct writer out = writer_over(bytes, room);
        ip_write(&out, &header, 0);
        assert_false(out.ok);
        assert_int_equal(bytes[room], 0xee);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fields_of_an_ipv4_header_are_read),
        cmocka_unit_test(ipv4_fragments_count_in_eights),
        cmocka_unit_test(ipv4_options_belong_to_the_header),
        cmocka_unit_test(an_ipv4_header_has_at_least_twenty_bytes),
        cmocka_unit_test(only_versions_4_and_6_are_read),
        cmocka_unit_test(the_fields_of_an_ipv6_header_are_read),
        cmocka_unit_test(each_extension_header_is_passed_over),
        cmocka_unit_test(no_next_header_and_encrypted_payload_end_the_chain),
        cmocka_unit_test(an_empty_packet_has_no_extension_header_whatever_it_names),
        cmocka_unit_test(a_fragment_header_tells_offset_and_id),
        cmocka_unit_test(an_authentication_header_of_eight_bytes_cannot_be),
        cmocka_unit_test(a_chain_of_extension_headers_is_followed_ten_deep),
        cmocka_unit_test(a_header_cut_anywhere_is_truncated),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_written_header_is_byte_for_byte_the_known_one),
        cmocka_unit_test(a_header_that_does_not_fit_is_not_written_past_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
