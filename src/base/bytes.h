/* Bytes on the wire. Big-endian exists only inside byte arrays, and only this file converts; structs hold
 * host order.
 *
 * A reader is a bounded cursor: a read past the end clears `ok` for good and gives 0, so a parser is the
 * RFC's field list and one check at the end. A writer is the same for output: a write past the end clears
 * `ok` and is dropped. Read one field per statement: C leaves the order inside an initializer list
 * unspecified. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t get_be16(const uint8_t p[static 2])
{
    return (uint16_t)(((unsigned)p[0] << 8) | p[1]);
}

static inline uint32_t get_be32(const uint8_t p[static 4])
{
    return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

static inline uint64_t get_be64(const uint8_t p[static 8])
{
    return ((uint64_t)get_be32(p) << 32) | get_be32(p + 4);
}

static inline void put_be16(uint8_t p[static 2], uint16_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline void put_be32(uint8_t p[static 4], uint32_t value)
{
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
}

static inline void put_be64(uint8_t p[static 8], uint64_t value)
{
    put_be32(p, (uint32_t)(value >> 32));
    put_be32(p + 4, (uint32_t)value);
}

struct reader {
    const uint8_t *at;  /* next byte; borrowed */
    const uint8_t *end; /* one past the last byte */
    bool ok;            /* false for good once a read went past the end */
};

static inline struct reader reader_over(const uint8_t *data, size_t len)
{
    return (struct reader){.at = data, .end = data + len, .ok = true};
}

static inline size_t reader_left(const struct reader *in)
{
    return (size_t)(in->end - in->at);
}

/* The next `len` bytes, or NULL with ok cleared. A span of length 0 is never NULL while ok. */
static inline const uint8_t *read_span(struct reader *in, size_t len)
{
    if (!in->ok || reader_left(in) < len) {
        in->ok = false;
        return NULL;
    }
    const uint8_t *span = in->at;
    in->at += len;
    return span;
}

static inline uint8_t read_u8(struct reader *in)
{
    const uint8_t *p = read_span(in, 1);
    return p ? p[0] : 0;
}

static inline uint16_t read_be16(struct reader *in)
{
    const uint8_t *p = read_span(in, 2);
    return p ? get_be16(p) : 0;
}

static inline uint32_t read_be32(struct reader *in)
{
    const uint8_t *p = read_span(in, 4);
    return p ? get_be32(p) : 0;
}

/* Copy `len` bytes out; zeros when there are not that many. */
static inline void read_bytes(struct reader *in, uint8_t *ret, size_t len)
{
    const uint8_t *p = read_span(in, len);
    if (p)
        memcpy(ret, p, len);
    else
        memset(ret, 0, len);
}

struct writer {
    uint8_t *start;
    uint8_t *at;  /* next byte to write */
    uint8_t *end; /* one past the last that may be written */
    bool ok;
};

static inline struct writer writer_over(uint8_t *data, size_t capacity)
{
    return (struct writer){.start = data, .at = data, .end = data + capacity, .ok = true};
}

static inline size_t writer_len(const struct writer *out)
{
    return (size_t)(out->at - out->start);
}

/* Room for `len` bytes, uninitialised, or NULL with ok cleared. */
static inline uint8_t *write_span(struct writer *out, size_t len)
{
    if (!out->ok || (size_t)(out->end - out->at) < len) {
        out->ok = false;
        return NULL;
    }
    uint8_t *span = out->at;
    out->at += len;
    return span;
}

static inline void write_u8(struct writer *out, uint8_t value)
{
    uint8_t *p = write_span(out, 1);
    if (p)
        p[0] = value;
}

static inline void write_be16(struct writer *out, uint16_t value)
{
    uint8_t *p = write_span(out, 2);
    if (p)
        put_be16(p, value);
}

static inline void write_be32(struct writer *out, uint32_t value)
{
    uint8_t *p = write_span(out, 4);
    if (p)
        put_be32(p, value);
}

static inline void write_bytes(struct writer *out, const uint8_t *data, size_t len)
{
    uint8_t *p = write_span(out, len);
    if (p && len)
        memcpy(p, data, len);
}
