#include "packet/tcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "packet/checksum.h"
#include "packet/ip.h"
#include "packet/test_packets.h"

/* Ports 80 and 40000, sequence 01020304, acknowledgement 0a0b0c0e; data offset and flags follow, then window
 * 64240. */
#define START "0050 9c40 01020304 0a0b0c0e "

static bool read_hex(const char *text, struct tcp_header *ret)
{
    struct test_bytes bytes = from_hex(text);
    struct reader in = read_test_bytes(&bytes);
    return tcp_read(&in, ret);
}

static void the_fields_of_a_header_are_read(void **state)
{
    (void)state;
    struct test_bytes bytes = from_hex(START "50 12 faf0 0000 1234 6869");
    struct reader in = read_test_bytes(&bytes);
    struct tcp_header tcp;
    assert_true(tcp_read(&in, &tcp));
    assert_int_equal(tcp.source_port, 80);
    assert_int_equal(tcp.port, 40000);
    assert_int_equal(tcp.seq, 0x01020304);
    assert_int_equal(tcp.ack, 0x0a0b0c0e);
    assert_int_equal(tcp.flags, TCP_SYN | TCP_ACK);
    assert_int_equal(tcp.window, 64240);
    assert_int_equal(tcp.urgent, 0x1234);
    assert_int_equal(tcp.options_len, 0);
    assert_int_equal(tcp.mss, 0);
    assert_true(tcp.options_valid);
    assert_int_equal(reader_left(&in), 2);
}

/* MSS, SACK permitted, timestamps, NOP, window scale: what a Linux host answers. */
static void options_are_walked_to_the_mss(void **state)
{
    (void)state;
    struct tcp_header tcp;
    assert_true(read_hex(START "a0 12 faf0 0000 0000 020405b4 0402080a 00000001 00000000 01030307", &tcp));
    assert_int_equal(tcp.options_len, 20);
    assert_int_equal(tcp.mss, 1460);
    assert_true(tcp.options_valid);
}

static void an_option_of_any_length_is_passed_over_by_its_length(void **state)
{
    (void)state;
    struct tcp_header tcp;
    assert_true(read_hex(START "80 12 faf0 0000 0000 fd02 fe06ffffffff 020405b4", &tcp));
    assert_true(tcp.options_valid);
    assert_int_equal(tcp.mss, 1460);
}

static void nothing_behind_the_end_of_options_counts(void **state)
{
    (void)state;
    struct tcp_header tcp;
    assert_true(read_hex(START "70 12 faf0 0000 0000 00050000 020405b4", &tcp));
    assert_true(tcp.options_valid);
    assert_int_equal(tcp.mss, 0);
}

/* An endless loop over such an option has stopped more than one scanner. */
static void a_broken_option_does_not_hide_the_answer(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "05000000", /* length 0 */
        "05010101", /* length 1: not even its own two bytes */
        "01010105", /* its length is missing */
        "01010a03", /* one byte past the end */
        "05ff0000", /* far past the end */
        "02030500", /* an MSS of one byte */
        "02020101", /* an MSS of none */
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct test_bytes bytes = from_hex(START "60 12 faf0 0000 0000");
        struct test_bytes options = from_hex(broken[i]);
        memcpy(bytes.data + bytes.len, options.data, options.len);
        bytes.len += options.len;
        struct reader in = read_test_bytes(&bytes);
        struct tcp_header tcp;
        assert_true(tcp_read(&in, &tcp));
        assert_int_equal(tcp.flags, TCP_SYN | TCP_ACK);
        assert_int_equal(tcp.ack, 0x0a0b0c0e);
        assert_false(tcp.options_valid);
        assert_int_equal(tcp.mss, 0);
    }
}

/* RFC 9293 section 3.1: the data offset says where the data begins. A header that ends behind the segment is
 * none. */
static void a_data_offset_past_the_end_is_truncated(void **state)
{
    (void)state;
    struct test_bytes bytes = from_hex(START "f0 12 faf0 0000 0000 020405b4");
    for (uint8_t offset = 5; offset < 16; offset++) {
        bytes.data[12] = (uint8_t)(offset << 4);
        struct reader in = read_test_bytes(&bytes);
        struct tcp_header tcp = {.seq = 77};
        assert_int_equal(tcp_read(&in, &tcp), offset <= 6);
        assert_int_equal(in.ok, offset <= 6);
        assert_int_equal(tcp.seq, offset <= 6 ? 0x01020304 : 77);
    }
}

static void a_data_offset_below_five_is_refused(void **state)
{
    (void)state;
    for (uint8_t offset = 0; offset < 16; offset++) {
        struct test_bytes bytes = from_hex(START "50 12 faf0 0000 0000");
        bytes.data[12] = (uint8_t)(offset << 4);
        struct reader in = read_test_bytes(&bytes);
        struct tcp_header tcp;
        assert_int_equal(tcp_read(&in, &tcp), offset == 5);
        assert_int_equal(in.ok, offset <= 5); /* below: it cannot be; above: it is cut */
    }
}

static void a_header_cut_anywhere_is_truncated(void **state)
{
    (void)state;
    struct test_bytes bytes = from_hex(START "50 12 faf0 0000 0000");
    for (size_t len = 0; len < TCP_HEADER_LEN; len++) {
        struct reader in = reader_over(bytes.data, len);
        struct tcp_header tcp = {.seq = 77};
        assert_false(tcp_read(&in, &tcp));
        assert_false(in.ok);
        assert_int_equal(tcp.seq, 77);
    }
}

static void a_written_segment_is_byte_for_byte_the_known_one(void **state)
{
    (void)state;
    struct addr src = host_v6(), dst = us_v6();
    struct test_bytes options = from_hex("020405b4 0402080a 00000001 00000000 01030307");
    struct test_bytes expected =
        from_hex(START "a0 12 faf0 3ada 0000 020405b4 0402080a 00000001 00000000 01030307");
    struct tcp_build build = {.header = {.source_port = 80,
                                         .port = 40000,
                                         .seq = 0x01020304,
                                         .ack = 0x0a0b0c0e,
                                         .flags = TCP_SYN | TCP_ACK,
                                         .window = 64240,
                                         .options = options.data,
                                         .options_len = (uint8_t)options.len}};
    uint8_t bytes[60];
    struct writer out = writer_over(bytes, sizeof bytes);
    tcp_write(&out, &src, &dst, &build);
    assert_true(out.ok);
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
        uint8_t options[40], payload[100], bytes[160];
        random_bytes(&rand, options, sizeof options);
        random_bytes(&rand, payload, sizeof payload);
        struct tcp_build build = {.header = {.source_port = (uint16_t)rand_next(&rand),
                                             .port = (uint16_t)rand_next(&rand),
                                             .seq = (uint32_t)rand_next(&rand),
                                             .ack = (uint32_t)rand_next(&rand),
                                             .flags = (uint8_t)rand_next(&rand),
                                             .window = (uint16_t)rand_next(&rand),
                                             .urgent = (uint16_t)rand_next(&rand),
                                             .options = options,
                                             .options_len = (uint8_t)(rand_below(&rand, 11) * 4)},
                                  .payload = payload,
                                  .payload_len = (size_t)rand_below(&rand, sizeof payload + 1)};
        struct writer out = writer_over(bytes, sizeof bytes);
        tcp_write(&out, &src, &dst, &build);

        struct reader in = reader_over(bytes, writer_len(&out));
        struct tcp_header back, *sent = &build.header;
        if (!out.ok || checksum_transport(&src, &dst, IP_PROTO_TCP, bytes, writer_len(&out)) != 0 ||
            !tcp_read(&in, &back) || back.source_port != sent->source_port || back.port != sent->port ||
            back.seq != sent->seq || back.ack != sent->ack || back.flags != sent->flags ||
            back.window != sent->window || back.urgent != sent->urgent ||
            back.options_len != sent->options_len || memcmp(back.options, options, back.options_len) != 0 ||
            reader_left(&in) != build.payload_len || memcmp(in.at, payload, build.payload_len) != 0)
            fail_msg("seed %ju", (uintmax_t)seed);
    }
}

static void a_segment_that_does_not_fit_is_not_written_past_the_end(void **state)
{
    (void)state;
    struct addr src = host_v4(), dst = us_v4();
    struct tcp_build build = {
        .header = {.flags = TCP_SYN}, .payload = (const uint8_t *)"hi", .payload_len = 2};
    for (size_t room = 0; room < TCP_HEADER_LEN + 2; room++) {
        uint8_t bytes[TCP_HEADER_LEN + 3];
        memset(bytes, 0xee, sizeof bytes);
        struct writer out = writer_over(bytes, room);
        tcp_write(&out, &src, &dst, &build);
        assert_false(out.ok);
        assert_int_equal(bytes[room], 0xee);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fields_of_a_header_are_read),
        cmocka_unit_test(options_are_walked_to_the_mss),
        cmocka_unit_test(an_option_of_any_length_is_passed_over_by_its_length),
        cmocka_unit_test(nothing_behind_the_end_of_options_counts),
        cmocka_unit_test(a_broken_option_does_not_hide_the_answer),
        cmocka_unit_test(a_data_offset_past_the_end_is_truncated),
        cmocka_unit_test(a_data_offset_below_five_is_refused),
        cmocka_unit_test(a_header_cut_anywhere_is_truncated),
        cmocka_unit_test(a_written_segment_is_byte_for_byte_the_known_one),
        cmocka_unit_test(what_is_written_is_read_back_with_a_right_checksum),
        cmocka_unit_test(a_segment_that_does_not_fit_is_not_written_past_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
