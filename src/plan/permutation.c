#include "plan/permutation.h"

#include <assert.h>

#include "plan/permutation_core.h"

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

static uint64_t back(const struct permutation *permutation, uint64_t value)
{
    struct permutation_halves h = permutation_split(permutation, value);
    for (unsigned round = PERMUTATION_ROUNDS; round > 0; round -= 2) {
        h.right ^= permutation_scramble(h.left, permutation->key, round - 1) &
                   permutation_mask(permutation->right_bits);
        h.left ^= permutation_scramble(h.right, permutation->key, round - 2) &
                  permutation_mask(permutation->left_bits);
    }
    return permutation_join(permutation, h);
}

/* The walks end: the value they start from lies inside, on the same cycle. */
uint64_t permutation_at(const struct permutation *permutation, uint64_t position)
{
    assert(position < permutation->size);
    if (permutation->identity)
        return position;
    uint64_t value = position;
    do {
        value = permutation_forth(permutation, value);
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
