/* The small table of exceptions: probes whose first answer is not enough. A soft ICMP error is tried once
 * more before it is final, and an open that only a port number proves (bare SYN) is confirmed once from
 * another port. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "verdict/verdict.h"

struct provisional {
    uint64_t key; /* block id and bit; PROVISIONAL_FREE: nothing here */
    struct verdict verdict;
    uint8_t try_number; /* that the answer came to */
    bool weak;          /* proved by a port number alone: worth nothing unless confirmed */
    bool final;         /* the verdict was reported; kept so that better evidence can replace it */
};

struct provisional_table {
    struct provisional *entries; /* owned */
    uint32_t capacity;           /* a power of two */
    uint32_t count;
};

int provisional_init(struct provisional_table *table, uint32_t capacity); /* 0 or -ENOMEM */
void provisional_done(struct provisional_table *table);

/* bit < 2^32 - 1: a block has at most 2^26 */
struct provisional *provisional_find(const struct provisional_table *table, uint32_t block_id, uint64_t bit);

/* A new entry, or NULL when the table is full enough: the caller then takes the answer as it is. */
struct provisional *provisional_add(struct provisional_table *table, uint32_t block_id, uint64_t bit);

/* What is kept of one probe is kept of another one, too, as far as there is room: a host has moved to another
 * block. */
void provisional_copy(struct provisional_table *table, uint32_t from_block_id, uint64_t from_bit,
                      uint32_t to_block_id, uint64_t to_bit);

/* Forget everything of a block. */
void provisional_forget_block(struct provisional_table *table, uint32_t block_id);
