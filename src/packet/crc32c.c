/* Four bytes a step. The remainder of a byte is linear in its bits (a sum without carries), so each table of
 * 256 is spelled out by the preprocessor from the remainders of the eight bytes that have a single bit. */
#include "packet/crc32c.h"

/* Remainders of 0x01, 0x02, 0x04, ... 0x80 followed by so many zero bytes, modulo the reflected
 * 0x82f63b78. */
#define BEFORE_0                                                                                             \
    0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78
#define BEFORE_1                                                                                             \
    0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9
#define BEFORE_2                                                                                             \
    0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743
#define BEFORE_3                                                                                             \
    0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f

#define BIT(byte, n, remainder) ((byte) / (1 << (n)) % 2 ? (remainder) : 0)
#define ENTRY(byte, r0, r1, r2, r3, r4, r5, r6, r7)                                                          \
    (BIT(byte, 0, r0) ^ BIT(byte, 1, r1) ^ BIT(byte, 2, r2) ^ BIT(byte, 3, r3) ^ BIT(byte, 4, r4) ^          \
     BIT(byte, 5, r5) ^ BIT(byte, 6, r6) ^ BIT(byte, 7, r7))

/* The dots carry the eight remainders through as one list. */
#define ENTRY_OF(byte, ...) ENTRY(byte, __VA_ARGS__)
#define ENTRIES_4(byte, ...)                                                                                 \
    ENTRY_OF(byte, __VA_ARGS__), ENTRY_OF((byte) + 1, __VA_ARGS__), ENTRY_OF((byte) + 2, __VA_ARGS__),       \
        ENTRY_OF((byte) + 3, __VA_ARGS__)
#define ENTRIES_16(byte, ...)                                                                                \
    ENTRIES_4(byte, __VA_ARGS__), ENTRIES_4((byte) + 4, __VA_ARGS__), ENTRIES_4((byte) + 8, __VA_ARGS__),    \
        ENTRIES_4((byte) + 12, __VA_ARGS__)
#define ENTRIES_64(byte, ...)                                                                                \
    ENTRIES_16(byte, __VA_ARGS__), ENTRIES_16((byte) + 16, __VA_ARGS__),                                     \
        ENTRIES_16((byte) + 32, __VA_ARGS__), ENTRIES_16((byte) + 48, __VA_ARGS__)
#define TABLE(...)                                                                                           \
    {                                                                                                        \
        ENTRIES_64(0, __VA_ARGS__), ENTRIES_64(64, __VA_ARGS__), ENTRIES_64(128, __VA_ARGS__),               \
            ENTRIES_64(192, __VA_ARGS__)                                                                     \
    }

static const uint32_t remainder_before[4][256] = {TABLE(BEFORE_0), TABLE(BEFORE_1), TABLE(BEFORE_2),
                                                  TABLE(BEFORE_3)};

uint32_t crc32c_add(uint32_t crc, const uint8_t *data, size_t len)
{
    for (; len >= 4; data += 4, len -= 4)
        crc = remainder_before[3][(crc ^ data[0]) & 0xff] ^ remainder_before[2][(crc >> 8 ^ data[1]) & 0xff] ^
              remainder_before[1][(crc >> 16 ^ data[2]) & 0xff] ^
              remainder_before[0][(crc >> 24 ^ data[3]) & 0xff];
    for (; len > 0; data++, len--)
        crc = crc >> 8 ^ remainder_before[0][(crc ^ data[0]) & 0xff];
    return crc;
}
