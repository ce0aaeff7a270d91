#include "base/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"

/* Key 00 01 .. 0f, as two little-endian words. */
static const struct siphash_key reference_key = {
    .half = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}};

/* The designers' reference values for the inputs of 0 to 15 bytes 00 01 02 ..; the last one is worked through
 * in appendix A of their paper. */
static void reference_inputs_give_the_published_values(void **state)
{
    (void)state;
    static const uint64_t expected[] = {
        UINT64_C(0x726fdb47dd0e0e31), UINT64_C(0x74f839c593dc67fd), UINT64_C(0x0d6c8009d9a94f5a),
        UINT64_C(0x85676696d7fb7e2d), UINT64_C(0xcf2794e0277187b7), UINT64_C(0x18765564cd99a68d),
        UINT64_C(0xcbc9466e58fee3ce), UINT64_C(0xab0200f58b01d137), UINT64_C(0x93f5f5799a932462),
        UINT64_C(0x9e0082df0ba9e4b0), UINT64_C(0x7a5dbbc594ddb9f3), UINT64_C(0xf4b32f46226bada7),
        UINT64_C(0x751e8fbc860ee5fb), UINT64_C(0x14ea5627c0843d90), UINT64_C(0xf723ca908e7af2ee),
        UINT64_C(0xa129ca6149be45e5),
    };
    uint8_t input[16];
    for (size_t i = 0; i < sizeof input; i++)
        input[i] = (uint8_t)i;
    for (size_t len = 0; len < sizeof expected / sizeof expected[0]; len++)
        assert_int_equal(siphash(&reference_key, input, len), expected[len]);
}

static void words_hash_as_their_little_endian_bytes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rand rand = {.state = seed};
        struct siphash_key key = {.half = {rand_next(&rand), rand_next(&rand)}};
        uint64_t words[40];
        uint8_t bytes[sizeof words];
        size_t count = (size_t)rand_below(&rand, 41);
        for (size_t i = 0; i < count; i++) {
            words[i] = rand_next(&rand);
            for (size_t j = 0; j < 8; j++)
                bytes[8 * i + j] = (uint8_t)(words[i] >> (8 * j));
        }
        if (siphash_words(&key, words, count) != siphash(&key, bytes, 8 * count))
            fail_msg("seed %ju", (uintmax_t)seed);
    }
}

static void every_bit_of_key_and_input_counts(void **state)
{
    (void)state;
    uint64_t words[2] = {1, 2};
    uint64_t plain = siphash_words(&reference_key, words, 2);
    for (unsigned bit = 0; bit < 128; bit++) {
        struct siphash_key key = reference_key;
        key.half[bit / 64] ^= UINT64_C(1) << (bit % 64);
        assert_int_not_equal(siphash_words(&key, words, 2), plain);

        words[bit / 64] ^= UINT64_C(1) << (bit % 64);
        assert_int_not_equal(siphash_words(&reference_key, words, 2), plain);
        words[bit / 64] ^= UINT64_C(1) << (bit % 64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_inputs_give_the_published_values),
        cmocka_unit_test(words_hash_as_their_little_endian_bytes),
        cmocka_unit_test(every_bit_of_key_and_input_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
