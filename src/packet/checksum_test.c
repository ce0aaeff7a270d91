#include "packet/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/crc32c.h"
#include "packet/test_packets.h"

#define IP_PROTO_TCP 6

/* RFC 1071 section 3: these eight bytes sum to ddf2. */
static void the_example_of_the_rfc_has_its_sum(void **state)
{
    (void)state;
    struct test_bytes example = from_hex("0001 f203 f4f5 f6f7");
    assert_int_equal(checksum_finish(checksum_add(0, example.data, example.len)), (uint16_t)~0xddf2);
}

/* The definition, two bytes at a time and with every carry added at once. */
static uint16_t sum_by_definition(const uint8_t *data, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
        sum = sum > UINT16_MAX ? sum - UINT16_MAX : sum;
    }
    return (uint16_t)~sum;
}

static void the_sum_is_that_of_the_definition_however_it_is_cut(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct rand rand = {.state = seed};
        uint8_t data[300];
        size_t len = (size_t)rand_below(&rand, sizeof data + 1);
        size_t cut = (size_t)rand_below(&rand, len + 1) / 2 * 2;
        random_bytes(&rand, data, len);
        uint16_t expected = sum_by_definition(data, len);
        uint16_t whole = checksum_finish(checksum_add(0, data, len));
        uint16_t parts = checksum_finish(checksum_add(checksum_add(0, data, cut), data + cut, len - cut));
        if (whole != expected || parts != expected)
            fail_msg("seed %ju", (uintmax_t)seed);
    }
}

static void the_longest_packet_of_ones_does_not_overflow(void **state)
{
    (void)state;
    const size_t len = 65536;
    uint8_t *data = malloc(len);
    assert_non_null(data);
    memset(data, 0xff, len);
    uint32_t sum = UINT32_MAX;
    for (int i = 0; i < 4; i++)
        sum = checksum_add(sum, data, len);
    assert_int_equal(checksum_finish(sum), 0);
    free(data);
}

/* An RST/ACK from port 80 to 40000 between 198.18.0.2 and 198.18.0.1. */
static const char *const reset_v4 = "0050 9c40 01020304 0a0b0c0e 5014 faf0 7208 0000";

/* A SYN/ACK with options between 2001:db8::2 and 2001:db8::1. */
static const char *const syn_ack_v6 =
    "0050 9c40 01020304 0a0b0c0e a012 faf0 3ada 0000 020405b4 0402080a 00000001 00000000 01030307";

static void a_right_transport_checksum_verifies_to_zero(void **state)
{
    (void)state;
    struct addr src4 = host_v4(), dst4 = us_v4(), src6 = host_v6(), dst6 = us_v6();
    struct test_bytes v4 = from_hex(reset_v4);
    struct test_bytes v6 = from_hex(syn_ack_v6);
    assert_int_equal(checksum_transport(&src4, &dst4, IP_PROTO_TCP, v4.data, v4.len), 0);
    assert_int_equal(checksum_transport(&src6, &dst6, IP_PROTO_TCP, v6.data, v6.len), 0);
}

static void a_transport_checksum_is_the_value_for_the_zeroed_field(void **state)
{
    (void)state;
    struct addr src = host_v4(), dst = us_v4();
    struct test_bytes segment = from_hex(reset_v4);
    put_be16(segment.data + 16, 0);
    assert_int_equal(checksum_transport(&src, &dst, IP_PROTO_TCP, segment.data, segment.len), 0x7208);
}

static void a_transport_checksum_covers_addresses_protocol_and_length(void **state)
{
    (void)state;
    struct addr src = host_v6(), dst = us_v6(), other = host_v6();
    struct test_bytes segment = from_hex(syn_ack_v6);
    other.bytes[2] ^= 0x10;
    assert_int_not_equal(checksum_transport(&other, &dst, IP_PROTO_TCP, segment.data, segment.len), 0);
    assert_int_not_equal(checksum_transport(&src, &other, IP_PROTO_TCP, segment.data, segment.len), 0);
    assert_int_not_equal(checksum_transport(&src, &dst, IP_PROTO_TCP + 1, segment.data, segment.len), 0);
    segment.data[segment.len] = 0; /* adds nothing to the sum but its length */
    assert_int_not_equal(checksum_transport(&src, &dst, IP_PROTO_TCP, segment.data, segment.len + 1), 0);
}

static uint32_t crc32c(const uint8_t *data, size_t len)
{
    return crc32c_finish(crc32c_add(CRC32C_START, data, len));
}

/* RFC 3720 appendix B.4, where the bytes of each CRC are shown in the order of transmission. */
static void crc32c_gives_the_examples_of_iscsi(void **state)
{
    (void)state;
    uint8_t zeros[32] = {0}, ones[32], up[32], down[32];
    for (size_t i = 0; i < 32; i++) {
        ones[i] = 0xff;
        up[i] = (uint8_t)i;
        down[i] = (uint8_t)(31 - i);
    }
    assert_int_equal(crc32c(zeros, 32), 0x8a9136aa);
    assert_int_equal(crc32c(ones, 32), 0x62a8ab43);
    assert_int_equal(crc32c(up, 32), 0x46dd794e);
    assert_int_equal(crc32c(down, 32), 0x113fdb5c);

    struct test_bytes command = from_hex("01c00000 00000000 00000000 00000000 14000000 00000400"
                                         "00000014 00000018 28000000 00000000 02000000 00000000");
    assert_int_equal(crc32c(command.data, command.len), 0xd9963a56);
}

/* Bit by bit, from the polynomial alone. */
static uint32_t crc32c_by_definition(const uint8_t *data, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
    }
    return ~crc;
}

static void crc32c_is_that_of_the_polynomial_however_it_is_cut(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct rand rand = {.state = seed};
        uint8_t data[300];
        size_t len = (size_t)rand_below(&rand, sizeof data + 1);
        size_t cut = (size_t)rand_below(&rand, len + 1);
        random_bytes(&rand, data, len);
        uint32_t expected = crc32c_by_definition(data, len);
        uint32_t parts =
            crc32c_finish(crc32c_add(crc32c_add(CRC32C_START, data, cut), data + cut, len - cut));
        if (crc32c(data, len) != expected || parts != expected)
            fail_msg("seed %ju", (uintmax_t)seed);
    }
}

/* An ERROR chunk with cause 3 (stale cookie), tag 0a0b0c0d, as it is on the wire. */
static void the_checksum_of_an_sctp_packet_ignores_its_own_field(void **state)
{
    (void)state;
    struct test_bytes packet = from_hex("0050 9c40 0a0b0c0d 16291bb5 0900000c 00030008 00000010");
    assert_int_equal(checksum_crc32c(packet.data, packet.len), 0x16291bb5);
    put_be32(packet.data + 8, 0);
    assert_int_equal(checksum_crc32c(packet.data, packet.len), 0x16291bb5);
}

static void data_too_short_for_the_field_is_summed_whole(void **state)
{
    (void)state;
    struct test_bytes nine = from_hex("313233343536373839"); /* "123456789": the usual check value e3069283 */
    assert_int_equal(checksum_crc32c(nine.data, nine.len), 0x839206e3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_rfc_has_its_sum),
        cmocka_unit_test(the_sum_is_that_of_the_definition_however_it_is_cut),
        cmocka_unit_test(the_longest_packet_of_ones_does_not_overflow),
        cmocka_unit_test(a_right_transport_checksum_verifies_to_zero),
        cmocka_unit_test(a_transport_checksum_is_the_value_for_the_zeroed_field),
        cmocka_unit_test(a_transport_checksum_covers_addresses_protocol_and_length),
        cmocka_unit_test(crc32c_gives_the_examples_of_iscsi),
        cmocka_unit_test(crc32c_is_that_of_the_polynomial_however_it_is_cut),
        cmocka_unit_test(the_checksum_of_an_sctp_packet_ignores_its_own_field),
        cmocka_unit_test(data_too_short_for_the_field_is_summed_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
