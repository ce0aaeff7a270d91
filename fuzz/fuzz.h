/* What every fuzz target shares: the entry that libFuzzer and replay.c call, and how it judges. A target
 * asserts what must hold whatever the input; the sanitizers watch over the rest. */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* These bytes, borrowed from the input, lie within it. */
static inline void assert_within(const uint8_t *part, size_t part_len, const uint8_t *data, size_t size)
{
    assert(part >= data && part <= data + size);
    assert(part_len <= (size_t)(data + size - part));
}
