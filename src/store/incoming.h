/* Rows of a batch as a table that a statement can read, so that one run of it takes in many rows: to begin
 * and to end a statement costs as much as half a row. */
#pragma once

#include <stddef.h>

#include "store/batch.h"

struct sqlite3;

/* What is read; borrowed. */
struct incoming {
    const struct batch *batch;
    const struct batch_place *places;
    size_t count;
};

/* Give this connection the table `incoming`, with the columns c1, c2, … c19 and a row for each of the places.
 * A value that a row does not have is NULL.
 *   incoming  filled in before each statement that reads it; as long as the connection
 * Returns a result code of SQLite. */
int incoming_register(struct sqlite3 *database, struct incoming *incoming);
