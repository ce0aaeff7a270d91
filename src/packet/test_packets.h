/* For tests: bytes spelled out in hexadecimal, and the addresses that the packets in the tests use. */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/rand.h"

#define TEST_BYTES_MAX 512

struct test_bytes {
    uint8_t data[TEST_BYTES_MAX];
    size_t len;
};

/* Two digits a byte; anything between two bytes that is not a digit is only for the eye. */
static inline struct test_bytes from_hex(const char *text)
{
    static const char digits[] = "0123456789abcdef";
    struct test_bytes bytes = {.len = 0};
    unsigned count = 0;
    for (; *text; text++) {
        const char *digit = memchr(digits, *text, sizeof digits - 1);
        if (!digit)
            continue;
        assert(bytes.len < TEST_BYTES_MAX);
        uint8_t value = (uint8_t)(digit - digits);
        if (count++ % 2 == 0)
            bytes.data[bytes.len] = (uint8_t)(value << 4);
        else
            bytes.data[bytes.len++] |= value;
    }
    assert(count % 2 == 0);
    return bytes;
}

static inline struct reader read_test_bytes(const struct test_bytes *bytes)
{
    return reader_over(bytes->data, bytes->len);
}

/* 198.18.0.1 and 2001:db8::1: the scanner */
static inline struct addr us_v4(void)
{
    return addr_v4(0xc6120001);
}

static inline struct addr us_v6(void)
{
    return addr_v6((const uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, [15] = 1}, 0);
}

/* 198.18.0.2 and 2001:db8::2: the host that is scanned */
static inline struct addr host_v4(void)
{
    return addr_v4(0xc6120002);
}

static inline struct addr host_v6(void)
{
    return addr_v6((const uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, [15] = 2}, 0);
}

static inline void random_bytes(struct rand *rand, uint8_t *ret, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ret[i] = (uint8_t)rand_next(rand);
}

static inline struct addr random_addr(struct rand *rand, uint8_t family)
{
    struct addr addr = {.family = family};
    random_bytes(rand, addr.bytes, addr_len(&addr));
    return addr;
}
