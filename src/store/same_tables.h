/* Is a database a store, to the letter? */
#pragma once

#include <stdbool.h>

struct sqlite3;

/* Does it hold the tables of schema.h, and nothing beside them? Returns a result code of SQLite: SQLITE_OK,
 * or why that could not be read. */
int same_tables(struct sqlite3 *database, bool *ret_same);
