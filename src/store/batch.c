#include "store/batch.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

#define CAPACITY_FIRST 4096
#define SPARE          sizeof(uint64_t) /* behind the last byte: numbers are put and read as a whole */
#define PLACES_FIRST   64
#define MARK_ROW       0xff /* before each row */
#define ROW_LEN        2    /* the mark, and the statement */
#define KIND_BITS      2    /* of the first byte of a value; the rest: how many bytes of a number follow */
#define KIND_MASK      ((1u << KIND_BITS) - 1)
#define DIGIT_BITS     8
#define DIGITS         (1u << DIGIT_BITS)
#define NUMBER_BITS    64
#define PLACE_MASK     ((UINT64_C(1) << 56) - 1)

/* Twice as much, until so many items find room. NULL: no memory, and nothing has changed. */
static void *grow(void *items, size_t item_len, size_t first, size_t needed, size_t *capacity)
{
    size_t count = *capacity ? *capacity : first;
    while (count < needed)
        count *= 2;
    void *grown = realloc(items, count * item_len);
    if (grown)
        *capacity = count;
    return grown;
}

static bool grow_bytes(struct batch *batch, size_t needed)
{
    uint8_t *bytes = grow(batch->bytes, 1, CAPACITY_FIRST, needed, &batch->capacity);
    batch->failed = !bytes;
    batch->bytes = bytes ? bytes : batch->bytes;
    return bytes;
}

/* Room for so many more bytes, or NULL. */
static inline uint8_t *extend(struct batch *batch, size_t len)
{
    size_t needed = batch->len + len + SPARE;
    if (batch->failed || (batch->capacity < needed && !grow_bytes(batch, needed)))
        return NULL;
    uint8_t *place = batch->bytes + batch->len;
    batch->len += len;
    return place;
}

/* Room for the places of so many more rows. */
static bool extend_places(struct batch *batch, size_t count)
{
    size_t needed = batch->row_count + count;
    if (!batch->failed && needed > batch->place_capacity) {
        struct batch_place *places =
            grow(batch->places, sizeof *places, PLACES_FIRST, needed, &batch->place_capacity);
        batch->failed = !places;
        batch->places = places ? places : batch->places;
    }
    return !batch->failed;
}

void batch_row(struct batch *batch, enum store_statement statement)
{
    if (!extend_places(batch, 1))
        return;
    size_t at = batch->len;
    uint8_t *place = extend(batch, ROW_LEN);
    if (!place)
        return;
    place[0] = MARK_ROW;
    place[1] = (uint8_t)statement;
    batch->places[batch->row_count++] =
        (struct batch_place){.at = at & PLACE_MASK, .statement = (unsigned)statement & UINT8_MAX};
    batch->row_at = batch->len;
}

void batch_null(struct batch *batch)
{
    uint8_t *place = extend(batch, 1);
    if (place)
        *place = BATCH_NULL;
}

/* There is room behind it for all eight bytes, of which those that are not needed are overwritten by what
 * follows. */
static void put_number(struct batch *batch, enum batch_kind kind, uint64_t number)
{
    unsigned len = number ? (unsigned)(NUMBER_BITS + 7 - __builtin_clzll(number)) / 8 : 0;
    uint64_t little = htole64(number);
    uint8_t *place = extend(batch, 1 + len);
    if (!place)
        return;
    place[0] = (uint8_t)((unsigned)kind | len << KIND_BITS);
    memcpy(place + 1, &little, sizeof little);
}

void batch_int(struct batch *batch, int64_t number)
{
    if (batch->len == batch->row_at && batch->row_count > 0)
        batch->places[batch->row_count - 1].first = number;
    put_number(batch, BATCH_INT, (uint64_t)number);
}

static void put_bytes(struct batch *batch, enum batch_kind kind, const void *bytes, size_t len)
{
    put_number(batch, kind, len);
    uint8_t *place = len > 0 ? extend(batch, len) : NULL;
    if (place)
        memcpy(place, bytes, len);
}

void batch_text(struct batch *batch, const char *text)
{
    if (text)
        put_bytes(batch, BATCH_TEXT, text, strlen(text));
    else
        batch_null(batch);
}

void batch_blob(struct batch *batch, const void *bytes, size_t len)
{
    put_bytes(batch, BATCH_BLOB, bytes, len);
}

void batch_foreign_text(struct batch *batch, const char *text)
{
    char *escaped = text ? escape_new(ESCAPE_TEXT, text) : NULL;
    if (text && !escaped)
        batch->failed = true;
    batch_text(batch, escaped);
    free(escaped);
}

void batch_append(struct batch *batch, const struct batch *more)
{
    size_t behind = batch->len;
    batch->failed = batch->failed || more->failed;
    if (more->row_count == 0 || !extend_places(batch, more->row_count))
        return;
    uint8_t *place = extend(batch, more->len);
    if (!place)
        return;
    memcpy(place, more->bytes, more->len);
    for (size_t i = 0; i < more->row_count; i++) {
        struct batch_place *put = &batch->places[batch->row_count++];
        *put = more->places[i];
        put->at = (behind + put->at) & PLACE_MASK;
    }
}

void batch_clear(struct batch *batch)
{
    batch->len = 0;
    batch->row_count = 0;
    batch->failed = false;
}

void batch_done(struct batch *batch)
{
    free(batch->bytes);
    free(batch->places);
    *batch = (struct batch){.bytes = NULL};
}

bool batch_next_row(const struct batch *batch, size_t *at, enum store_statement *ret)
{
    if (*at == batch->len)
        return false;
    assert(batch->bytes[*at] == MARK_ROW);
    *ret = (enum store_statement)batch->bytes[*at + 1];
    *at += ROW_LEN;
    return true;
}

/* A value that begins at this byte; returns the byte behind it. */
static inline const uint8_t *read_value(const uint8_t *byte, struct batch_value *ret)
{
    unsigned len = *byte >> KIND_BITS;
    uint64_t number = 0;
    ret->kind = *byte & KIND_MASK;
    memcpy(&number, byte + 1, sizeof number);
    number = len ? le64toh(number) & UINT64_MAX >> (NUMBER_BITS - 8 * len) : 0;
    ret->number = (int64_t)number;
    ret->bytes = byte + 1 + len;
    return ret->kind > BATCH_INT ? ret->bytes + number : ret->bytes;
}

bool batch_next_value(const struct batch *batch, size_t *at, struct batch_value *ret)
{
    if (*at == batch->len || batch->bytes[*at] == MARK_ROW)
        return false;
    *at = (size_t)(read_value(batch->bytes + *at, ret) - batch->bytes);
    return true;
}

unsigned batch_read_row(const struct batch *batch, size_t at, struct batch_value *ret, unsigned most)
{
    const uint8_t *end = batch->bytes + batch->len;
    const uint8_t *byte = batch->bytes + at + ROW_LEN;
    unsigned count = 0;
    while (count < most && byte < end && *byte != MARK_ROW)
        byte = read_value(byte, &ret[count++]);
    return count;
}

/* Where they stand in the order of numbers: the negative ones first. Behind all digits of the number comes
 * the table: who takes rows out of one goes together with who puts them in. */
static unsigned digit_of(const struct batch_place *place, unsigned shift)
{
    if (shift == NUMBER_BITS)
        return place->statement == STORE_HOST_UNFOLD ? STORE_FOLDED : (unsigned)place->statement;
    return (((uint64_t)place->first ^ (UINT64_C(1) << 63)) >> shift) & (DIGITS - 1);
}

/* Sorted by one digit alone; equal ones stay in their order. False: all were equal, and nothing was done. */
static bool sort_by_digit(const struct batch_place *places, size_t count, unsigned shift,
                          struct batch_place *ret)
{
    size_t starts[DIGITS + 1] = {0};
    for (size_t i = 0; i < count; i++)
        starts[digit_of(&places[i], shift) + 1]++;
    if (count == 0 || starts[digit_of(&places[0], shift) + 1] == count)
        return false;
    for (unsigned digit = 0; digit < DIGITS; digit++)
        starts[digit + 1] += starts[digit];
    for (size_t i = 0; i < count; i++)
        ret[starts[digit_of(&places[i], shift)]++] = places[i];
    return true;
}

struct batch_place *batch_sort(const struct batch *batch)
{
    size_t len = (batch->row_count + 1) * sizeof(struct batch_place);
    struct batch_place *sorted = malloc(len);
    struct batch_place *spare = malloc(len);
    if (!sorted || !spare) {
        free(sorted);
        free(spare);
        return NULL;
    }
    if (batch->row_count > 0)
        memcpy(sorted, batch->places, batch->row_count * sizeof *sorted);
    for (unsigned shift = 0; shift <= NUMBER_BITS; shift += DIGIT_BITS) {
        if (!sort_by_digit(sorted, batch->row_count, shift, spare))
            continue;
        struct batch_place *better = spare;
        spare = sorted;
        sorted = better;
    }
    free(spare);
    return sorted;
}
