#include "packet/udp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "packet/checksum.h"
#include "packet/ip.h"
#include "packet/test_packets.h"

/* Port 53 to 40000, "answer", between 198.18.0.2 and 198.18.0.1 */
static const char *const answer_v4 = "0035 9c40 000e 9cdc 616e7377 6572";

static void the_fields_of_a_header_are_read(void **state)
{
    (void)state;
    struct test_bytes bytes = from_hex(answer_v4);
    struct reader in = read_test_bytes(&bytes);
    struct udp_header udp;
    assert_true(udp_read(&in, &udp));
    assert_int_equal(udp.source_port, 53);
    assert_int_equal(udp.port, 40000);
    assert_int_equal(udp.len, 14);
    assert_int_equal(udp.checksum, 0x9cdc);
    assert_int_equal(reader_left(&in), 6);
}

static void a_length_below_that_of_the_header_is_refused(void **state)
{
    (void)state;
    for (uint16_t len = 0; len < 20; len++) {
        struct test_bytes bytes = from_hex(answer_v4);
        struct udp_header udp;
        put_be16(bytes.data + 4, len);
        struct reader in = read_test_bytes(&bytes);
        assert_int_equal(udp_read(&in, &udp), len >= 8);
        assert_true(in.ok);
    }
}

static void a_header_cut_anywhere_is_truncated(void **state)
{
    (void)state;
    struct test_bytes bytes = from_hex(answer_v4);
    for (size_t len = 0; len < UDP_HEADER_LEN; len++) {
        struct reader in = reader_over(bytes.data, len);
        struct udp_header udp = {.len = 77};
        assert_false(udp_read(&in, &udp));
        assert_false(in.ok);
        assert_int_equal(udp.len, 77);
    }
}

static void a_written_datagram_is_byte_for_byte_the_known_one(void **state)
{
    (void)state;
    struct addr src = host_v4(), dst = us_v4();
    struct udp_header header = {.source_port = 53, .port = 40000};
    struct test_bytes expected = from_hex(answer_v4);
    uint8_t bytes[20];
    struct writer out = writer_over(bytes, sizeof bytes);
    udp_write(&out, &src, &dst, &header, (const uint8_t *)"answer", 6);
    assert_int_equal(writer_len(&out), expected.len);
    assert_memory_equal(bytes, expected.data, expected.len);
}

/* RFC 768: "If the computed checksum is zero, it is transmitted as all ones". */
static void a_computed_checksum_of_zero_is_sent_as_all_ones(void **state)
{
    (void)state;
    struct addr src = host_v4(), dst = us_v4();
    struct udp_header header = {.source_port = 53, .port = 40000};
    uint8_t bytes[10];
    struct writer out = writer_over(bytes, sizeof bytes);
    udp_write(&out, &src, &dst, &header, (const uint8_t[2]){0}, 2);

    /* The checksum itself as payload brings the sum to all ones, and its complement to zero. */
    uint8_t payload[2] = {bytes[6], bytes[7]};
    out = writer_over(bytes, sizeof bytes);
    udp_write(&out, &src, &dst, &header, payload, 2);
    assert_int_equal(get_be16(bytes + 6), 0xffff);
}

static void what_is_written_is_read_back_with_a_right_checksum(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct rand rand = {.state = seed};
        uint8_t family = seed % 2 ? ADDR_V4 : ADDR_V6;
        struct addr src = random_addr(&rand, family), dst = random_addr(&rand, family);
        struct udp_header header = {.source_port = (uint16_t)rand_next(&rand),
                                    .port = (uint16_t)rand_next(&rand)};
        uint8_t payload[100], bytes[108];
        size_t payload_len = (size_t)rand_below(&rand, sizeof payload + 1);
        random_bytes(&rand, payload, sizeof payload);
        struct writer out = writer_over(bytes, sizeof bytes);
        udp_write(&out, &src, &dst, &header, payload, payload_len);

        struct reader in = reader_over(bytes, writer_len(&out));
        struct udp_header back;
        if (!out.ok || checksum_transport(&src, &dst, IP_PROTO_UDP, bytes, writer_len(&out)) != 0 ||
            !udp_read(&in, &back) || back.source_port != header.source_port || back.port != header.port ||
            back.len != 8 + payload_len || back.checksum == 0 || reader_left(&in) != payload_len ||
            memcmp(in.at, payload, payload_len) != 0)
            fail_msg("seed %ju", (uintmax_t)seed);
    }
}

static void a_datagram_that_does_not_fit_is_not_written_past_the_end(void **state)
{
    (void)state;
    struct addr src = host_v4(), dst = us_v4();
    struct udp_header header = {.source_port = 53, .port = 40000};
    for (size_t room = 0; room < 14; room++) {
        uint8_t bytes[15];
        memset(bytes, 0xee, sizeof bytes);
        struct writer out = writer_over(bytes, room);
        udp_write(&out, &src, &dst, &header, (const uint8_t *)"answer", 6);
        assert_false(out.ok);
        assert_int_equal(bytes[room], 0xee);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fields_of_a_header_are_read),
        cmocka_unit_test(a_length_below_that_of_the_header_is_refused),
        cmocka_unit_test(a_header_cut_anywhere_is_truncated),
        cmocka_unit_test(a_written_datagram_is_byte_for_byte_the_known_one),
        cmocka_unit_test(a_computed_checksum_of_zero_is_sent_as_all_ones),
        cmocka_unit_test(what_is_written_is_read_back_with_a_right_checksum),
        cmocka_unit_test(a_datagram_that_does_not_fit_is_not_written_past_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
