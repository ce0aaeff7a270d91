/* Shared by the files that speak with SQLite about the file of a store. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>

#include "store/database.h"
#include "store/incoming.h"

struct database {
    sqlite3 *handle;
    sqlite3_stmt *statements[STORE_STATEMENT_COUNT];
    struct incoming incoming; /* what the statement that runs takes in */
    char *path;               /* owned; for messages */
    int lock_fd;              /* held open behind SQLite's back: closing it would drop SQLite's own locks */
    bool reads;               /* and changes nothing */
    bool writes;              /* it was looked through before: what is damaged now, the disk has damaged */
    bool begun;               /* a transaction was written; from the next one on each is waited for */
    bool failed;
};

/* What went wrong, as an exit status; nothing is written after it.
 *   code  of SQLite, extended */
int database_fail(struct database *database, int code, struct error *err);

/* The error number behind a failure; 0: there is none. */
int database_system_error(struct database *database);
