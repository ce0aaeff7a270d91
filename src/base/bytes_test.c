#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bitset.h"
#include "base/rand.h"

static const uint8_t count_up[8] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08};

static void numbers_lie_on_the_wire_with_the_high_byte_first(void **state)
{
    (void)state;
    assert_int_equal(get_be16(count_up), 0x0102);
    assert_int_equal(get_be32(count_up), 0x01020304);
    assert_int_equal(get_be64(count_up), UINT64_C(0x0102030405060708));
}

static void what_is_put_is_got_back(void **state)
{
    (void)state;
    struct rand rand = {.state = 1};
    for (int i = 0; i < 1000; i++) {
        uint64_t number = rand_next(&rand);
        uint8_t bytes[8];
        put_be64(bytes, number);
        assert_int_equal(get_be64(bytes), number);
        put_be32(bytes, (uint32_t)number);
        assert_int_equal(get_be32(bytes), (uint32_t)number);
        put_be16(bytes, (uint16_t)number);
        assert_int_equal(get_be16(bytes), (uint16_t)number);
    }
}

static void a_reader_hands_out_fields_in_order(void **state)
{
    (void)state;
    struct reader in = reader_over(count_up, sizeof count_up);
    uint8_t rest[1];
    assert_int_equal(read_u8(&in), 0x01);
    assert_int_equal(read_be16(&in), 0x0203);
    assert_int_equal(read_be32(&in), 0x04050607);
    assert_int_equal(reader_left(&in), 1);
    read_bytes(&in, rest, 1);
    assert_int_equal(rest[0], 0x08);
    assert_int_equal(reader_left(&in), 0);
    assert_true(in.ok);
}

static void a_read_past_the_end_fails_for_good_and_gives_zero(void **state)
{
    (void)state;
    struct reader in = reader_over(count_up, 3);
    assert_int_equal(read_be32(&in), 0);
    assert_false(in.ok);
    assert_int_equal(read_u8(&in), 0); /* although three bytes are left */
    assert_int_equal(read_be16(&in), 0);
    assert_null(read_span(&in, 0));
    assert_false(in.ok);

    uint8_t copy[4] = {9, 9, 9, 9};
    read_bytes(&in, copy, sizeof copy);
    assert_memory_equal(copy, ((uint8_t[4]){0}), sizeof copy);
}

static void a_span_is_the_bytes_themselves(void **state)
{
    (void)state;
    struct reader in = reader_over(count_up, sizeof count_up);
    assert_ptr_equal(read_span(&in, 0), count_up);
    assert_ptr_equal(read_span(&in, 8), count_up);
    assert_ptr_equal(read_span(&in, 0), count_up + 8);
    assert_true(in.ok);
    assert_null(read_span(&in, 1));
    assert_false(in.ok);
}

/* SIZE_MAX would wrap around if the bound were tested by adding. */
static void a_huge_length_is_past_the_end(void **state)
{
    (void)state;
    uint8_t room[8];
    struct reader in = reader_over(count_up, sizeof count_up);
    struct writer out = writer_over(room, sizeof room);
    read_u8(&in);
    write_u8(&out, 0);
    assert_null(read_span(&in, SIZE_MAX));
    assert_null(write_span(&out, SIZE_MAX));
    assert_false(in.ok || out.ok);
}

static void a_writer_lays_fields_down_in_order(void **state)
{
    (void)state;
    uint8_t bytes[8] = {0};
    struct writer out = writer_over(bytes, sizeof bytes);
    write_u8(&out, 0x01);
    write_be16(&out, 0x0203);
    write_be32(&out, 0x04050607);
    write_bytes(&out, count_up + 7, 1);
    write_bytes(&out, NULL, 0);
    assert_true(out.ok);
    assert_int_equal(writer_len(&out), sizeof bytes);
    assert_memory_equal(bytes, count_up, sizeof bytes);
}

static void a_write_past_the_end_fails_for_good_and_is_dropped(void **state)
{
    (void)state;
    uint8_t bytes[4] = {0};
    struct writer out = writer_over(bytes, 3);
    write_be16(&out, 0x0102);
    write_be16(&out, 0xffff);
    assert_false(out.ok);
    write_u8(&out, 0xff); /* although one byte is free */
    assert_int_equal(writer_len(&out), 2);
    assert_memory_equal(bytes, ((uint8_t[4]){0x01, 0x02}), sizeof bytes);
}

static void bits_are_set_and_cleared_one_at_a_time(void **state)
{
    (void)state;
    uint64_t words[3] = {0};
    assert_int_equal(bitset_words(0), 0);
    assert_int_equal(bitset_words(64), 1);
    assert_int_equal(bitset_words(65), 2);
    for (uint64_t bit = 0; bit < 192; bit += 7) {
        bitset_set(words, bit);
        for (uint64_t other = 0; other < 192; other++)
            assert_int_equal(bitset_get(words, other), other == bit);
        bitset_clear(words, bit);
        assert_int_equal(words[0] | words[1] | words[2], 0);
    }
}

/* The first values for seed 0 of the authors' program, as Java's SplittableRandom gives them too. */
static void random_numbers_are_those_of_splitmix64(void **state)
{
    (void)state;
    struct rand rand = {.state = 0};
    assert_int_equal(rand_next(&rand), UINT64_C(0xe220a8397b1dcdaf));
    assert_int_equal(rand_next(&rand), UINT64_C(0x6e789e6aa1b965f4));
    for (int i = 0; i < 1000; i++) {
        assert_in_range(rand_below(&rand, 7), 0, 6);
        double unit = rand_unit(&rand);
        assert_true(unit >= 0 && unit < 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_lie_on_the_wire_with_the_high_byte_first),
        cmocka_unit_test(what_is_put_is_got_back),
        cmocka_unit_test(a_reader_hands_out_fields_in_order),
        cmocka_unit_test(a_read_past_the_end_fails_for_good_and_gives_zero),
        cmocka_unit_test(a_span_is_the_bytes_themselves),
        cmocka_unit_test(a_huge_length_is_past_the_end),
        cmocka_unit_test(a_writer_lays_fields_down_in_order),
        cmocka_unit_test(a_write_past_the_end_fails_for_good_and_is_dropped),
        cmocka_unit_test(bits_are_set_and_cleared_one_at_a_time),
        cmocka_unit_test(random_numbers_are_those_of_splitmix64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
