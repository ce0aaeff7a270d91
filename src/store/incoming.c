/* A virtual table of SQLite, as https://sqlite.org/vtab.html describes it: eponymous, and only to be read. */
#include "store/incoming.h"

#include <sqlite3.h>
#include <stdlib.h>

#define COLUMNS 19 /* of the widest table */

struct table {
    sqlite3_vtab base;
    const struct incoming *incoming;
};

struct cursor {
    sqlite3_vtab_cursor base;
    size_t row;
    struct batch_value values[COLUMNS];
    unsigned value_count;
};

static int table_connect(sqlite3 *database, void *context, int word_count, const char *const *words,
                         sqlite3_vtab **ret, char **ret_message)
{
    (void)word_count;
    (void)words;
    (void)ret_message;
    struct table *table = calloc(1, sizeof *table);
    if (!table)
        return SQLITE_NOMEM;
    table->incoming = context;
    int code = sqlite3_declare_vtab(database, "CREATE TABLE incoming(c1, c2, c3, c4, c5, c6, c7, c8, c9, c10,"
                                              " c11, c12, c13, c14, c15, c16, c17, c18, c19)");
    if (code != SQLITE_OK) {
        free(table);
        return code;
    }
    *ret = &table->base;
    return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *base)
{
    free(base); /* the first member of a table */
    return SQLITE_OK;
}

/* There is but one way to read it: from its first row to its last. */
static int table_plan(sqlite3_vtab *base, sqlite3_index_info *info)
{
    (void)base;
    (void)info;
    return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
    (void)base;
    struct cursor *cursor = calloc(1, sizeof *cursor);
    if (!cursor)
        return SQLITE_NOMEM;
    *ret = &cursor->base;
    return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *base)
{
    free(base);
    return SQLITE_OK;
}

static const struct incoming *incoming_of(const sqlite3_vtab_cursor *base)
{
    return ((const struct table *)(const void *)base->pVtab)->incoming;
}

static int cursor_at_end(sqlite3_vtab_cursor *base)
{
    return ((const struct cursor *)(const void *)base)->row >= incoming_of(base)->count;
}

/* The values of the row where it stands. */
static void read_row(struct cursor *cursor)
{
    const struct incoming *incoming = incoming_of(&cursor->base);
    cursor->value_count = 0;
    if (cursor->row < incoming->count)
        cursor->value_count =
            batch_read_row(incoming->batch, incoming->places[cursor->row].at, cursor->values, COLUMNS);
}

static int cursor_begin(sqlite3_vtab_cursor *base, int number, const char *text, int count,
                        sqlite3_value **values)
{
    (void)number;
    (void)text;
    (void)count;
    (void)values;
    struct cursor *cursor = (struct cursor *)(void *)base;
    cursor->row = 0;
    read_row(cursor);
    return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
    struct cursor *cursor = (struct cursor *)(void *)base;
    cursor->row++;
    read_row(cursor);
    return SQLITE_OK;
}

static int cursor_value(sqlite3_vtab_cursor *base, sqlite3_context *ret, int column)
{
    const struct cursor *cursor = (const struct cursor *)(const void *)base;
    if ((unsigned)column >= cursor->value_count)
        return SQLITE_OK; /* NULL */
    const struct batch_value *value = &cursor->values[column];
    switch ((enum batch_kind)value->kind) {
    case BATCH_NULL:
        break;
    case BATCH_INT:
        sqlite3_result_int64(ret, value->number);
        break;
    case BATCH_TEXT:
        sqlite3_result_text64(ret, (const char *)value->bytes, value->len, SQLITE_STATIC, SQLITE_UTF8);
        break;
    case BATCH_BLOB:
        sqlite3_result_blob64(ret, value->bytes, value->len, SQLITE_STATIC);
        break;
    }
    return SQLITE_OK;
}

static int cursor_number(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
    *ret = (sqlite3_int64)((const struct cursor *)(const void *)base)->row;
    return SQLITE_OK;
}

int incoming_register(struct sqlite3 *database, struct incoming *incoming)
{
    static const sqlite3_module module = {.xConnect = table_connect,
                                          .xBestIndex = table_plan,
                                          .xDisconnect = table_disconnect,
                                          .xOpen = cursor_open,
                                          .xClose = cursor_close,
                                          .xFilter = cursor_begin,
                                          .xNext = cursor_next,
                                          .xEof = cursor_at_end,
                                          .xColumn = cursor_value,
                                          .xRowid = cursor_number};
    return sqlite3_create_module(database, "incoming", &module, incoming);
}
