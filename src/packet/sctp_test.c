#include "packet/sctp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "packet/checksum.h"
#include "packet/test_packets.h"

/* Port 80 to 40000, tag 0a0b0c0d; the checksum follows. */
#define START "0050 9c40 0a0b0c0d "

/* INIT-ACK with a cookie of four bytes */
static const char *const init_ack =
    START "286f63f1 0200001c 00000001 00010000 000a000a 00000001 00070008 01020304";

static struct sctp_header read_hex(const char *text)
{
    struct test_bytes bytes = from_hex(text);
    struct reader in = read_test_bytes(&bytes);
    struct sctp_header sctp = {0};
    assert_true(sctp_read(&in, &sctp));
    assert_ptr_equal(in.at, bytes.data + SCTP_HEADER_LEN);
    return sctp;
}

static void common_header_and_first_chunk_are_read(void **state)
{
    (void)state;
    struct sctp_header sctp = read_hex(init_ack);
    assert_int_equal(sctp.source_port, 80);
    assert_int_equal(sctp.port, 40000);
    assert_int_equal(sctp.verification_tag, 0x0a0b0c0d);
    assert_int_equal(sctp.checksum, 0x286f63f1);
    assert_true(sctp.has_chunk);
    assert_int_equal(sctp.chunk_type, SCTP_INIT_ACK);
    assert_int_equal(sctp.chunk_flags, 0);
    assert_int_equal(sctp.chunk_len, 28);
    assert_int_equal(sctp.error_cause, 0);
}

static void an_error_or_abort_names_its_first_cause(void **state)
{
    (void)state;
    assert_int_equal(read_hex(START "00000000 0900000c 00030008 00000010").error_cause, 3);
    struct sctp_header abort = read_hex(START "00000000 06010008 000c0004");
    assert_int_equal(abort.error_cause, 12);
    assert_int_equal(abort.chunk_flags, 1);
}

static void a_cause_that_is_not_all_there_is_none(void **state)
{
    (void)state;
    assert_int_equal(read_hex(START "00000000 06000004").error_cause, 0);
    assert_int_equal(read_hex(START "00000000 09000007 00030008").error_cause, 0); /* chunk ends within it */
}

static void causes_are_not_looked_for_in_other_chunks(void **state)
{
    (void)state;
    assert_int_equal(read_hex(START "00000000 0b000008 00030008").error_cause, 0);
}

static void a_chunk_shorter_than_its_header_is_none(void **state)
{
    (void)state;
    for (uint8_t len = 0; len < 8; len++) {
        struct test_bytes bytes = from_hex(START "00000000 02000000 00000000");
        bytes.data[15] = len;
        struct reader in = read_test_bytes(&bytes);
        struct sctp_header sctp;
        assert_true(sctp_read(&in, &sctp));
        assert_int_equal(sctp.has_chunk, len >= 4);
    }
    assert_false(read_hex(START "00000000").has_chunk);
    assert_false(read_hex(START "00000000 020000").has_chunk);
}

static void a_common_header_cut_anywhere_is_truncated(void **state)
{
    (void)state;
    struct test_bytes bytes = from_hex(init_ack);
    for (size_t len = 0; len < SCTP_HEADER_LEN; len++) {
        struct reader in = reader_over(bytes.data, len);
        struct sctp_header sctp = {.port = 77};
        assert_false(sctp_read(&in, &sctp));
        assert_false(in.ok);
        assert_int_equal(sctp.port, 77);
    }
}

static void a_chunk_that_ends_behind_the_packet_is_truncated(void **state)
{
    (void)state;
    struct test_bytes bytes = from_hex(init_ack);
    for (size_t len = SCTP_HEADER_LEN + 4; len <= bytes.len; len++) {
        struct reader in = reader_over(bytes.data, len);
        struct sctp_header sctp = {.port = 77};
        bool whole = len == bytes.len;
        assert_int_equal(sctp_read(&in, &sctp), whole);
        assert_int_equal(in.ok, whole);
        assert_int_equal(sctp.port, whole ? 40000 : 77);
    }
}

static void a_written_packet_is_byte_for_byte_the_known_one(void **state)
{
    (void)state;
    struct test_bytes expected = from_hex(init_ack);
    struct sctp_header header = {
        .source_port = 80, .port = 40000, .verification_tag = 0x0a0b0c0d, .chunk_type = SCTP_INIT_ACK};
    uint8_t bytes[60];
    struct writer out = writer_over(bytes, sizeof bytes);
    sctp_write(&out, &header, expected.data + 16, expected.len - 16);
    assert_int_equal(writer_len(&out), expected.len);
    assert_memory_equal(bytes, expected.data, expected.len);
}

static void what_is_written_is_read_back_padded_with_a_right_checksum(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct rand rand = {.state = seed};
        struct sctp_header header = {
            .source_port = (uint16_t)rand_next(&rand),
            .port = (uint16_t)rand_next(&rand),
            .verification_tag = (uint32_t)rand_next(&rand),
            .chunk_type = (uint8_t)rand_next(&rand),
            .chunk_flags = (uint8_t)rand_next(&rand),
        };
        uint8_t value[50], bytes[80];
        size_t value_len = (size_t)rand_below(&rand, sizeof value + 1);
        random_bytes(&rand, value, sizeof value);
        struct writer out = writer_over(bytes, sizeof bytes);
        sctp_write(&out, &header, value, value_len);

        size_t len = writer_len(&out);
        struct reader in = reader_over(bytes, len);
        struct sctp_header back;
        if (!out.ok || len % 4 != 0 || len < 16 + value_len || len > 16 + value_len + 3 ||
            !sctp_read(&in, &back) || back.checksum != checksum_crc32c(bytes, len) ||
            back.source_port != header.source_port || back.port != header.port ||
            back.verification_tag != header.verification_tag || !back.has_chunk ||
            back.chunk_type != header.chunk_type || back.chunk_flags != header.chunk_flags ||
            back.chunk_len != 4 + value_len || memcmp(bytes + 16, value, value_len) != 0)
            fail_msg("seed %ju", (uintmax_t)seed);
        for (size_t i = 16 + value_len; i < len; i++)
            assert_int_equal(bytes[i], 0);
    }
}

static void a_packet_that_does_not_fit_is_not_written_past_the_end(void **state)
{
    (void)state;
    struct sctp_header header = {.chunk_type = SCTP_COOKIE_ECHO};
    for (size_t room = 0; room < 20; room++) {
        uint8_t bytes[21];
        memset(bytes, 0xee, sizeof bytes);
        struct writer out = writer_over(bytes, room);
        sctp_write(&out, &header, (const uint8_t *)"x", 1);
        assert_false(out.ok);
        assert_int_equal(bytes[room], 0xee);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(common_header_and_first_chunk_are_read),
        cmocka_unit_test(an_error_or_abort_names_its_first_cause),
        cmocka_unit_test(a_cause_that_is_not_all_there_is_none),
        cmocka_unit_test(causes_are_not_looked_for_in_other_chunks),
        cmocka_unit_test(a_chunk_shorter_than_its_header_is_none),
        cmocka_unit_test(a_common_header_cut_anywhere_is_truncated),
        cmocka_unit_test(a_chunk_that_ends_behind_the_packet_is_truncated),
        cmocka_unit_test(a_written_packet_is_byte_for_byte_the_known_one),
        cmocka_unit_test(what_is_written_is_read_back_padded_with_a_right_checksum),
        cmocka_unit_test(a_packet_that_does_not_fit_is_not_written_past_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
