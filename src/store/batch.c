#include "store/batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

#define CAPACITY_FIRST 4096
#define MARK_ROW       0xff /* before each row; other values are an enum batch_kind */

/* Room for so many more bytes, or NULL. */
static uint8_t *extend(struct batch *batch, size_t len)
{
    if (batch->failed)
        return NULL;
    if (batch->capacity - batch->len < len) {
        size_t capacity = batch->capacity ? batch->capacity : CAPACITY_FIRST;
        while (capacity - batch->len < len)
            capacity *= 2;
        uint8_t *bytes = realloc(batch->bytes, capacity);
        if (!bytes) {
            batch->failed = true;
            return NULL;
        }
        batch->bytes = bytes;
        batch->capacity = capacity;
    }
    uint8_t *place = batch->bytes + batch->len;
    batch->len += len;
    return place;
}

void batch_row(struct batch *batch, enum store_statement statement)
{
    uint8_t *place = extend(batch, 2);
    if (!place)
        return;
    place[0] = MARK_ROW;
    place[1] = (uint8_t)statement;
    batch->row_count++;
}

void batch_null(struct batch *batch)
{
    uint8_t *place = extend(batch, 1);
    if (place)
        *place = BATCH_NULL;
}

void batch_int(struct batch *batch, int64_t number)
{
    uint8_t *place = extend(batch, 1 + sizeof number);
    if (!place)
        return;
    *place = BATCH_INT;
    memcpy(place + 1, &number, sizeof number);
}

static void put_bytes(struct batch *batch, enum batch_kind kind, const void *bytes, size_t len)
{
    uint8_t *place = extend(batch, 1 + sizeof len + len);
    if (!place)
        return;
    *place = (uint8_t)kind;
    memcpy(place + 1, &len, sizeof len);
    if (len > 0)
        memcpy(place + 1 + sizeof len, bytes, len);
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
    uint8_t *place = more->len > 0 ? extend(batch, more->len) : NULL;
    batch->failed = batch->failed || more->failed;
    if (!place)
        return;
    memcpy(place, more->bytes, more->len);
    batch->row_count += more->row_count;
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
    *batch = (struct batch){.bytes = NULL};
}

bool batch_next_row(const struct batch *batch, size_t *at, enum store_statement *ret)
{
    if (*at == batch->len)
        return false;
    assert(batch->bytes[*at] == MARK_ROW);
    *ret = (enum store_statement)batch->bytes[*at + 1];
    *at += 2;
    return true;
}

bool batch_next_value(const struct batch *batch, size_t *at, struct batch_value *ret)
{
    if (*at == batch->len || batch->bytes[*at] == MARK_ROW)
        return false;
    struct batch_value value = {.kind = batch->bytes[(*at)++]};
    if (value.kind == BATCH_INT) {
        memcpy(&value.number, batch->bytes + *at, sizeof value.number);
        *at += sizeof value.number;
    } else if (value.kind != BATCH_NULL) {
        memcpy(&value.len, batch->bytes + *at, sizeof value.len);
        value.bytes = batch->bytes + *at + sizeof value.len;
        *at += sizeof value.len + value.len;
    }
    *ret = value;
    return true;
}

static int compare_places(const void *a, const void *b)
{
    const struct batch_place *one = a;
    const struct batch_place *other = b;
    if (one->first != other->first)
        return one->first < other->first ? -1 : 1;
    return one->at < other->at ? -1 : one->at > other->at;
}

struct batch_place *batch_sort(const struct batch *batch, size_t *ret_count)
{
    struct batch_place *places = malloc((batch->row_count + 1) * sizeof *places);
    enum store_statement statement;
    size_t at = 0;
    size_t count = 0;
    if (!places)
        return NULL;
    for (size_t row = 0; batch_next_row(batch, &at, &statement); row = at) {
        struct batch_value value = {.kind = BATCH_NULL};
        batch_next_value(batch, &at, &value);
        assert(value.kind == BATCH_INT && count < batch->row_count);
        places[count++] = (struct batch_place){value.number, row};
        while (batch_next_value(batch, &at, &value))
            ;
    }
    qsort(places, count, sizeof *places, compare_places);
    *ret_count = count;
    return places;
}
