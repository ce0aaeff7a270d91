#include "store/same_tables.h"

#include <sqlite3.h>
#include <string.h>

#include "store/schema.h"

static bool same_text(sqlite3_stmt *a, sqlite3_stmt *b, int column)
{
    const char *first = (const char *)sqlite3_column_text(a, column);
    const char *second = (const char *)sqlite3_column_text(b, column);
    return first && second ? strcmp(first, second) == 0 : first == second;
}

/* Of two lists of tables. SQLITE_OK, or why theirs cannot be read. */
static int compare_lists(sqlite3_stmt *mine, sqlite3_stmt *theirs, bool *ret_same)
{
    int mine_has = SQLITE_ROW;
    int theirs_has = SQLITE_ROW;
    bool same = true;
    while (same && mine_has == SQLITE_ROW && theirs_has == SQLITE_ROW) {
        mine_has = sqlite3_step(mine);
        theirs_has = sqlite3_step(theirs);
        for (int column = 0; column < 4 && mine_has == SQLITE_ROW && theirs_has == SQLITE_ROW; column++)
            same &= same_text(mine, theirs, column);
    }
    *ret_same = same && mine_has == theirs_has;
    return theirs_has == SQLITE_ROW || theirs_has == SQLITE_DONE ? SQLITE_OK : theirs_has;
}

static int compare_tables(sqlite3 *own, sqlite3 *database, bool *ret_same)
{
    static const char sql[] = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name";
    sqlite3_stmt *mine = NULL;
    sqlite3_stmt *theirs = NULL;
    int code = sqlite3_prepare_v2(own, sql, -1, &mine, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(database, sql, -1, &theirs, NULL);
    if (code == SQLITE_OK)
        code = compare_lists(mine, theirs, ret_same);
    bool no_memory = sqlite3_errcode(own) == SQLITE_NOMEM || sqlite3_errcode(database) == SQLITE_NOMEM;
    sqlite3_finalize(mine);
    sqlite3_finalize(theirs);
    return no_memory ? SQLITE_NOMEM : code; /* texts without memory look like no texts */
}

int same_tables(struct sqlite3 *database, bool *ret_same)
{
    sqlite3 *own = NULL;
    int code = sqlite3_open_v2(":memory:", &own, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(own, store_tables, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = compare_tables(own, database, ret_same);
    sqlite3_close(own);
    return code;
}
