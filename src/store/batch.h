/* Rows on their way into a store: values in memory, one row after the other, until all of them are written in
 * one transaction. Without memory a batch is marked as failed, and is then never written. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/schema.h"

/* Where a row of a batch begins, what it does, and the first of its values if that is a number. */
struct batch_place {
    int64_t first;
    uint64_t at : 56;
    uint64_t statement : 8; /* enum store_statement */
};

struct batch {
    uint8_t *bytes; /* owned */
    size_t len;
    size_t capacity;
    struct batch_place *places; /* owned; of each row */
    size_t row_count;
    size_t place_capacity;
    size_t row_at; /* where the first value of the last row begins */
    bool failed;   /* no memory: something is missing */
};

enum batch_kind { BATCH_NULL, BATCH_INT, BATCH_TEXT, BATCH_BLOB };

/* One value of a row, as it is read back. */
struct batch_value {
    uint8_t kind;         /* enum batch_kind */
    const uint8_t *bytes; /* borrowed from the batch */
    union {
        int64_t number;
        size_t len; /* of bytes */
    };
};

/* Begin a row. Its values follow in the order of the statement's parameters, all of them. */
void batch_row(struct batch *batch, enum store_statement statement);
void batch_null(struct batch *batch);
void batch_int(struct batch *batch, int64_t number);
void batch_text(struct batch *batch,
                const char *text); /* NULL: the value NULL; shorter than 4 GB, as blobs */
void batch_blob(struct batch *batch, const void *bytes, size_t len);

/* What is foreign: whatever is not printable ASCII becomes \xNN, so that no reader of the file shows it to a
 * terminal. */
void batch_foreign_text(struct batch *batch, const char *text);

/* Put all rows of `more` behind those of `batch`. */
void batch_append(struct batch *batch, const struct batch *more);

void batch_clear(struct batch *batch); /* empty, and not failed; keeps the memory */
void batch_done(struct batch *batch);

/* The rows of a batch: those of one table together, in the order of the numbers that they begin with, and
 * with equal ones, or none, in the order in which they were put. NULL without memory. To be freed. */
struct batch_place *batch_sort(const struct batch *batch);

/* Reading it back. *at starts at 0. False: the end. */
bool batch_next_row(const struct batch *batch, size_t *at, enum store_statement *ret);
bool batch_next_value(const struct batch *batch, size_t *at, struct batch_value *ret); /* false: end of row */

/* The first values of the row at this place. Returns how many there are, at most `most`. */
unsigned batch_read_row(const struct batch *batch, size_t at, struct batch_value *ret, unsigned most);
