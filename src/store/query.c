#include "store/query.h"

#include <errno.h>
#include <string.h>

#include "store/database_internal.h"

int database_check(struct database *database, struct error *err)
{
    sqlite3_stmt *query = NULL;
    int r = database_query(database, "PRAGMA quick_check(1)", &query, err);
    if (r == 0)
        r = query_next(database, query, err);
    if (r == 1 && database_system_error(database) == EIO)
        r = database_fail(database, SQLITE_IOERR_READ, err);
    else if (r == 1 && strcmp(query_text(query, 0), "ok") != 0)
        r = error_set(err, EX_DATAERR, "%s: damaged: %s", database->path, query_text(query, 0));
    query_done(query);
    return r < 0 ? r : 0;
}

int database_query(struct database *database, const char *sql, struct sqlite3_stmt **ret, struct error *err)
{
    int code = sqlite3_prepare_v2(database->handle, sql, -1, ret, NULL);
    return code == SQLITE_OK ? 0 : database_fail(database, code, err);
}

int query_next(struct database *database, struct sqlite3_stmt *query, struct error *err)
{
    int code = sqlite3_step(query);
    return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : database_fail(database, code, err);
}

void query_done(struct sqlite3_stmt *query)
{
    sqlite3_finalize(query);
}

void query_again(struct sqlite3_stmt *query)
{
    sqlite3_reset(query);
}

void query_bind(struct sqlite3_stmt *query, int number, int64_t value)
{
    sqlite3_bind_int64(query, number, value);
}

int64_t query_int(struct sqlite3_stmt *query, int column)
{
    return sqlite3_column_int64(query, column);
}

const char *query_text(struct sqlite3_stmt *query, int column)
{
    return (const char *)sqlite3_column_text(query, column);
}

const uint8_t *query_blob(struct sqlite3_stmt *query, int column, size_t *ret_len)
{
    *ret_len = (size_t)sqlite3_column_bytes(query, column);
    return sqlite3_column_blob(query, column);
}

int query_number(struct database *database, const char *sql, int64_t *ret, struct error *err)
{
    sqlite3_stmt *query = NULL;
    int code = sqlite3_prepare_v2(database->handle, sql, -1, &query, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(query);
    int r = code == SQLITE_ROW ? 0 : database_fail(database, code, err);
    if (r == 0)
        *ret = sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    return r;
}
