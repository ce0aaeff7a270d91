/* Reading a store: queries, their rows and values. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "store/database.h"

struct sqlite3_stmt;

/* Look everything over, as a file that may be damaged needs it. EX_DATAERR names what is wrong. */
int database_check(struct database *database, struct error *err);

/* The one number that a query answers. */
int query_number(struct database *database, const char *sql, int64_t *ret, struct error *err);

/* A query is made by database_query, stepped by query_next, and ended by query_done. EX_DATAERR, EX_IOERR. */
int database_query(struct database *database, const char *sql, struct sqlite3_stmt **ret, struct error *err);

/* The next row. 1, 0 at the end, or an error. */
int query_next(struct database *database, struct sqlite3_stmt *query, struct error *err);
void query_done(struct sqlite3_stmt *query); /* NULL is allowed */

/* Ask again, with other values. */
void query_again(struct sqlite3_stmt *query);
void query_bind(struct sqlite3_stmt *query, int number, int64_t value); /* number from 1 */
int64_t query_int(struct sqlite3_stmt *query, int column);              /* column from 0 */
const char *query_text(struct sqlite3_stmt *query, int column);         /* NULL: none; until the next step */
const uint8_t *query_blob(struct sqlite3_stmt *query, int column, size_t *ret_len);
