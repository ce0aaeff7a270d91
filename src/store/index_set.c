#include "store/index_set.h"

#include <assert.h>
#include <stdlib.h>

#define VARINT_MAX 10 /* bytes of 64 bits */

static void put_varint(struct index_writer *writer, uint64_t value)
{
    do {
        uint8_t low = value & 0x7f;
        value >>= 7;
        writer->bytes[writer->len++] = value ? low | 0x80 : low;
    } while (value);
}

static bool make_room(struct index_writer *writer)
{
    if (writer->failed || writer->capacity - writer->len >= 2 * VARINT_MAX)
        return !writer->failed;
    size_t capacity = writer->capacity ? writer->capacity * 2 : 64;
    uint8_t *bytes = realloc(writer->bytes, capacity);
    writer->failed = !bytes;
    if (bytes) {
        writer->bytes = bytes;
        writer->capacity = capacity;
    }
    return bytes;
}

void index_end(struct index_writer *writer)
{
    if (writer->first == writer->next || !make_room(writer))
        return;
    put_varint(writer, writer->first - writer->end);
    put_varint(writer, writer->next - writer->first - 1);
    writer->end = writer->first = writer->next;
}

void index_add(struct index_writer *writer, uint64_t number)
{
    assert(number >= writer->next);
    if (number != writer->next || writer->first == writer->next) {
        index_end(writer);
        writer->first = number;
    }
    writer->next = number + 1;
}

void index_clear(struct index_writer *writer)
{
    *writer = (struct index_writer){.bytes = writer->bytes, .capacity = writer->capacity};
}

void index_done(struct index_writer *writer)
{
    free(writer->bytes);
    *writer = (struct index_writer){.bytes = NULL};
}

struct index_reader index_reader_over(const uint8_t *bytes, size_t len)
{
    return (struct index_reader){.at = bytes, .stop = len ? bytes + len : bytes};
}

static bool get_varint(struct index_reader *reader, uint64_t *ret)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && reader->at < reader->stop; shift += 7) {
        uint8_t byte = *reader->at++;
        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret = value;
            return true;
        }
    }
    return false;
}

bool index_next(struct index_reader *reader, uint64_t limit, uint64_t *ret_first, uint64_t *ret_count)
{
    uint64_t gap = 0;
    uint64_t length = 0;
    if (reader->end > limit || !get_varint(reader, &gap) || !get_varint(reader, &length))
        return false;
    if (gap >= limit - reader->end || length >= limit - reader->end - gap)
        return false;
    *ret_first = reader->end + gap;
    *ret_count = length + 1;
    reader->end = *ret_first + *ret_count;
    return true;
}
