/* A set of small numbers (ports by their place in the plan, hosts by their position) as bytes: pairs of a gap
 * and a length, each in the base-128 encoding of LEB128 (7 bits a byte, least significant first, the top bit
 * set in all but the last). A run begins `gap` numbers behind the end of the one before and has `length` + 1
 * members. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct index_writer {
    uint8_t *bytes; /* owned */
    size_t len, capacity;
    uint64_t end;         /* one past the last run that is written */
    uint64_t first, next; /* the run that is open: [first, next); empty when equal */
    bool failed;          /* no memory */
};

/* Add a number, greater than all before. */
void index_add(struct index_writer *writer, uint64_t number);

/* Write the last run; afterwards bytes and len are the set. */
void index_end(struct index_writer *writer);
void index_clear(struct index_writer *writer); /* empty again; keeps the memory */
void index_done(struct index_writer *writer);

struct index_reader {
    const uint8_t *at, *stop; /* borrowed */
    uint64_t end;             /* one past the last run that was read */
};

struct index_reader index_reader_over(const uint8_t *bytes, size_t len);

/* The next run, all of it below `limit`. False: the end, or no set. */
bool index_next(struct index_reader *reader, uint64_t limit, uint64_t *ret_first, uint64_t *ret_count);
