#include "plan/permutation.h"

#include <assert.h>

/* The two halves of a value, each in the low bits of its word. */
struct halves {
    uint64_t left;
    uint64_t right;
};

static uint64_t mask(unsigned bits)
{
    return (UINT64_C(1) << bits) - 1;
}

struct permutation permutation_new(uint64_t size, uint64_t key)
{
    assert(size >= 1 && size <= UINT64_C(1) << 63);
    unsigned bits = 0;
    while (UINT64_C(1) << bits < size)
        bits++;
    return (struct permutation){
        .size = size, .key = key, .left_bits = bits - bits / 2, .right_bits = bits / 2};
}

struct permutation permutation_identity(uint64_t size)
{
    assert(size >= 1 && size <= UINT64_C(1) << 63);
    return (struct permutation){.size = size, .identity = true};
}

/* The round function: two multiplications by odd constants with a shift between carry every bit of the half and of the
 * key into the top 32 bits, which are all that the other half (at most 32 bits) takes. */
static uint64_t scramble(uint64_t half, uint64_t key, unsigned round)
{
    uint64_t z = (half ^ (key + round * UINT64_C(0x9e3779b97f4a7c15))) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 32)) * UINT64_C(0x94d049bb133111eb);
    return z >> 32;
}

static struct halves split(const struct permutation *permutation, uint64_t value)
{
    return (struct halves){value >> permutation->right_bits, value & mask(permutation->right_bits)};
}

static uint64_t join(const struct permutation *permutation, struct halves halves)
{
    return halves.left << permutation->right_bits | halves.right;
}

static uint64_t forth(const struct permutation *permutation, uint64_t value)
{
    struct halves h = split(permutation, value);
    for (unsigned round = 0; round < PERMUTATION_ROUNDS; round += 2) {
        h.left ^= scramble(h.right, permutation->key, round) & mask(permutation->left_bits);
        h.right ^= scramble(h.left, permutation->key, round + 1) & mask(permutation->right_bits);
    }
    return join(permutation, h);
}

static uint64_t back(const struct permutation *permutation, uint64_t value)
{
    struct halves h = split(permutation, value);
    for (unsigned round = PERMUTATION_ROUNDS; round > 0; round -= 2) {
        h.right ^= scramble(h.left, permutation->key, round - 1) & mask(permutation->right_bits);
        h.left ^= scramble(h.right, permutation->key, round - 2) & mask(permutation->left_bits);
    }
    return join(permutation, h);
}

/* The walks end: the value they start from lies inside, on the same cycle. */
uint64_t permutation_at(const struct permutation *permutation, uint64_t position)
{
    assert(position < permutation->size);
    if (permutation->identity)
        return position;
    uint64_t value = position;
    do {
        value = forth(permutation, value);
    } while (value >= permutation->size);
    return value;
}

uint64_t permutation_find(const struct permutation *permutation, uint64_t value)
{
    assert(value < permutation->size);
    if (permutation->identity)
        return value;
    uint64_t position = value;
    do {
        position = back(permutation, position);
    } while (position >= permutation->size);
    return position;
}
