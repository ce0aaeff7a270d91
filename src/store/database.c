#include "store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/database_internal.h"
#include "store/query.h"
#include "store/same_tables.h"

#define BUSY_MS                                                                                              \
    5000 /* so long is waited for others: for a writer's checkpoint, or for who looks at a file just made */
#define URI_MAX (3 * PATH_MAX + 32)

/* Where a disk cannot be read SQLite speaks of a damaged file (SQLITE_IOERR_CORRUPTFS), and only the file
 * itself, or its log, knows better. */
int database_system_error(struct database *database)
{
    int error = 0;
    sqlite3_file *log = NULL;
    sqlite3_file_control(database->handle, NULL, SQLITE_FCNTL_LAST_ERRNO, &error);
    if (error == 0)
        sqlite3_file_control(database->handle, NULL, SQLITE_FCNTL_JOURNAL_POINTER, (void *)&log);
    if (log && log->pMethods)
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &error);
    return error ? error : sqlite3_system_errno(database->handle);
}

int database_fail(struct database *database, int code, struct error *err)
{
    const char *why = sqlite3_errmsg(database->handle);
    int system_error = database_system_error(database);
    bool reading = database->reads || (code & 0xff) != SQLITE_IOERR || code == SQLITE_IOERR_READ;
    database->failed = true;
    switch (code & 0xff) {
    case SQLITE_FULL:
        return error_set(err, EX_TEMPFAIL, "%s: the disk is full", database->path);
    case SQLITE_NOMEM:
        return error_set(err, EX_OSERR, "out of memory for the store");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:
        if (system_error == EIO || database->writes)
            break;
        return error_set(err, EX_DATAERR, "%s: not a store, or damaged: %s", database->path, why);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(err, EX_CANTCREAT, "%s: in use by another program", database->path);
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        if (database->reads)
            return error_set(err, EX_NOINPUT, "%s: cannot be read: %s", database->path, why);
        return error_set(err, EX_CANTCREAT, "%s: cannot be opened for writing: %s", database->path, why);
    default:
        break;
    }
    if (system_error == ENOSPC || system_error == EDQUOT)
        return error_set(err, EX_TEMPFAIL, "%s: the disk is full", database->path);
    return error_set(err, EX_IOERR, "%s: cannot be %s: %s", database->path, reading ? "read" : "written",
                     system_error ? strerror(system_error) : why);
}

static int execute(struct database *database, const char *sql, struct error *err)
{
    int code = sqlite3_exec(database->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : database_fail(database, code, err);
}

/* Be alone with the file. The lock goes with the process, however it ends. */
static int lock_file(struct database *database, enum database_use use, struct error *err)
{
    int flags = O_RDWR | O_CLOEXEC | (use == DATABASE_CREATE ? O_CREAT : 0);
    database->lock_fd = open(database->path, flags, 0666);
    if (database->lock_fd < 0)
        return error_set(err, use == DATABASE_CREATE ? EX_CANTCREAT : EX_NOINPUT,
                         "cannot open the store '%s': %s", database->path, strerror(errno));
    struct stat file;
    if (fstat(database->lock_fd, &file) < 0 || !S_ISREG(file.st_mode))
        return error_set(err, EX_CANTCREAT, "'%s' is not a plain file", database->path);
    if (flock(database->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return error_set(err, EX_CANTCREAT, "'%s' is in use by another Portolan", database->path);
    return 0;
}

/* A file that a stranger made could give a name to something else, or add what is computed whenever a row is
 * read or written. */
static int check_tables(struct database *database, struct error *err)
{
    bool same = false;
    int code = same_tables(database->handle, &same);
    if (code != SQLITE_OK)
        return database_fail(database, code, err);
    return same ? 0 : error_set(err, EX_DATAERR, "'%s' has other tables than Portolan makes", database->path);
}

static int check_version(struct database *database, struct error *err)
{
    int64_t tables = 0;
    int64_t application = 0;
    int64_t version = 0;
    int r = query_number(database, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (r == 0)
        r = query_number(database, "PRAGMA user_version", &version, err);
    if (r == 0)
        r = query_number(database, "PRAGMA application_id", &application, err);
    if (r < 0)
        return r;
    if (tables == 0)
        return error_set(err, EX_DATAERR, "'%s' is empty: no scan has begun in it", database->path);
    if (application != STORE_APPLICATION_ID)
        return error_set(err, EX_DATAERR, "'%s' is a database, but not of Portolan", database->path);
    if (version != STORE_SCHEMA_VERSION)
        return error_set(err, EX_DATAERR,
                         "'%s' has version %lld of the schema; this Portolan reads version %d",
                         database->path, (long long)version, STORE_SCHEMA_VERSION);
    return check_tables(database, err);
}

/* What is in a file that was there, or was made just now? */
enum content { CONTENT_NOTHING, CONTENT_NO_SCAN, CONTENT_OTHER };

/* A file in which a scan was about to begin when it was killed is as good as a new one. */
static int look_into(struct database *database, enum content *ret, struct error *err)
{
    int64_t tables = 0;
    int64_t scans = 0;
    int r = query_number(database, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (r == 0 && tables > 0)
        r = check_version(database, err);
    if (r == 0 && tables > 0)
        r = query_number(database, "SELECT count(*) FROM scan", &scans, err);
    if (r < 0 && r != -EX_DATAERR)
        return r;
    *ret = r < 0 || scans > 0 ? CONTENT_OTHER : tables > 0 ? CONTENT_NO_SCAN : CONTENT_NOTHING;
    return 0;
}

/* Only for the empty file it is waited: the tables are on disk with the second transaction that is written
 * into them. */
static int create_tables(struct database *database, struct error *err)
{
    char sql[128];
    enum content content = CONTENT_OTHER;
    int r = look_into(database, &content, err);
    if (r < 0 || content == CONTENT_NO_SCAN)
        return r;
    if (content == CONTENT_OTHER)
        return error_set(err, EX_CANTCREAT,
                         "'%s' exists: portolan resume goes on with its scan; a new one needs a new file",
                         database->path);
    snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d;", STORE_APPLICATION_ID,
             STORE_SCHEMA_VERSION);
    r = execute(database, "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; BEGIN",
                err);
    if (r == 0)
        r = execute(database, store_tables, err);
    if (r == 0)
        r = execute(database, sql, err);
    return r == 0 ? execute(database, "COMMIT", err) : r;
}

static int prepare(struct database *database, struct error *err)
{
    int registered = incoming_register(database->handle, &database->incoming);
    if (registered != SQLITE_OK)
        return database_fail(database, registered, err);
    for (unsigned i = 0; i < STORE_STATEMENT_COUNT; i++) {
        int code = sqlite3_prepare_v3(database->handle, store_statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                                      &database->statements[i], NULL);
        if (code != SQLITE_OK)
            return database_fail(database, code, err);
    }
    return 0;
}

/* synchronous=FULL: a transaction that has succeeded survives the loss of power. Whatever the file itself
 * says of triggers, views and functions is not trusted. */
static int configure(struct database *database, enum database_use use, struct error *err)
{
    sqlite3_busy_timeout(database->handle, BUSY_MS);
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, (int *)NULL);
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, (int *)NULL);
    int r = execute(database, "PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON;", err);
    if (r < 0 || use == DATABASE_READ)
        return r;
    return execute(database,
                   "PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=1024;", err);
}

static bool exists_beside(const struct database *database, const char *ending)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s%s", database->path, ending);
    return len < (int)sizeof path && access(path, F_OK) == 0;
}

/* A store that nobody writes and that has no log beside it is whole in itself. It is then opened as one that
 * cannot change: SQLite would else make files beside it if it was left in WAL mode, which who only reads may
 * not be able to. */
static bool stands_alone(struct database *database)
{
    database->lock_fd = open(database->path, O_RDONLY | O_CLOEXEC);
    return database->lock_fd >= 0 && flock(database->lock_fd, LOCK_SH | LOCK_NB) == 0 &&
           !exists_beside(database, "-wal") && !exists_beside(database, "-journal");
}

/* The path as an URI (RFC 3986), with every byte escaped, so that none means anything. */
static void write_uri(const char *path, char ret[static URI_MAX])
{
    size_t len = (size_t)sprintf(ret, "file:");
    for (; *path && len + sizeof "%xx?immutable=1" < URI_MAX; path++)
        len += (size_t)sprintf(ret + len, "%%%02x", (unsigned)(unsigned char)*path);
    snprintf(ret + len, URI_MAX - len, "?immutable=1");
}

static int open_to_read(struct database *database)
{
    char uri[URI_MAX];
    int flags = SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READONLY;
    if (strlen(database->path) >= PATH_MAX || !stands_alone(database))
        return sqlite3_open_v2(database->path, &database->handle, flags, NULL);
    write_uri(database->path, uri);
    return sqlite3_open_v2(uri, &database->handle, flags | SQLITE_OPEN_URI, NULL);
}

static int open_handle(struct database *database, enum database_use use, struct error *err)
{
    int flags = SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE;
    int code = use == DATABASE_READ ? open_to_read(database)
                                    : sqlite3_open_v2(database->path, &database->handle, flags, NULL);
    if (!database->handle)
        return error_set(err, EX_OSERR, "out of memory for the store");
    if ((code & 0xff) == SQLITE_CANTOPEN && use == DATABASE_READ)
        return error_set(err, EX_NOINPUT, "cannot read '%s': %s", database->path,
                         strerror(sqlite3_system_errno(database->handle)));
    if (code != SQLITE_OK)
        return database_fail(database, code, err);
    int r = configure(database, use, err);
    if (r == 0)
        r = use == DATABASE_CREATE ? create_tables(database, err) : check_version(database, err);
    if (r == 0 && use != DATABASE_READ)
        r = execute(database, "PRAGMA journal_mode=WAL", err);
    if (r == 0 && use != DATABASE_READ)
        r = prepare(database, err);
    if (r == 0 && use == DATABASE_READ) /* one state of it for all queries, also while a scan writes */
        r = execute(database, "BEGIN", err);
    return r;
}

int database_open(const char *path, enum database_use use, struct database **ret, struct error *err)
{
    struct database *database = calloc(1, sizeof *database);
    char *own_path = strdup(path);
    if (!database || !own_path) {
        free(database);
        free(own_path);
        return error_set(err, EX_OSERR, "out of memory");
    }
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* else each piece of memory is counted under a lock */
    database->lock_fd = -1;
    database->reads = use == DATABASE_READ;
    database->path = own_path;
    int r = use == DATABASE_READ ? 0 : lock_file(database, use, err);
    if (r == 0)
        r = open_handle(database, use, err);
    if (r < 0) {
        database_close(database);
        return r;
    }
    *ret = database;
    return 0;
}

static int bind_value(sqlite3_stmt *statement, int number, const struct batch_value *value)
{
    switch ((enum batch_kind)value->kind) {
    case BATCH_NULL:
        break;
    case BATCH_INT:
        return sqlite3_bind_int64(statement, number, value->number);
    case BATCH_TEXT:
        return sqlite3_bind_text64(statement, number, (const char *)value->bytes, value->len, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case BATCH_BLOB:
        return sqlite3_bind_blob64(statement, number, value->bytes, value->len, SQLITE_STATIC);
    }
    return sqlite3_bind_null(statement, number);
}

static int run_statement(struct database *database, sqlite3_stmt *statement, struct error *err)
{
    int code = sqlite3_step(statement);
    if (code != SQLITE_DONE)
        return database_fail(database, code, err);
    sqlite3_reset(statement);
    return 0;
}

static int write_row(struct database *database, const struct batch *batch, const struct batch_place *place,
                     struct error *err)
{
    enum store_statement number = STORE_STATEMENT_COUNT;
    struct batch_value value;
    size_t at = place->at;
    int parameter = 0;
    int code = SQLITE_OK;
    batch_next_row(batch, &at, &number);
    sqlite3_stmt *statement = database->statements[number];
    while (batch_next_value(batch, &at, &value) && code == SQLITE_OK)
        code = bind_value(statement, ++parameter, &value);
    return code == SQLITE_OK ? run_statement(database, statement, err) : database_fail(database, code, err);
}

/* Rows for one statement, all at once if it has no parameters: it then reads them. */
static int write_run(struct database *database, const struct incoming *rows, struct error *err)
{
    sqlite3_stmt *statement = database->statements[rows->places[0].statement];
    int r = 0;
    if (sqlite3_bind_parameter_count(statement) == 0) {
        database->incoming = *rows;
        return run_statement(database, statement, err);
    }
    for (size_t i = 0; i < rows->count && r == 0; i++)
        r = write_row(database, rows->batch, &rows->places[i], err);
    return r;
}

static int write_rows(struct database *database, const struct batch *batch, const struct batch_place *places,
                      struct error *err)
{
    int r = 0;
    for (size_t i = 0; i < batch->row_count && r == 0;) {
        struct incoming rows = {batch, &places[i], 0};
        while (i < batch->row_count && places[i].statement == rows.places[0].statement) {
            rows.count++;
            i++;
        }
        r = write_run(database, &rows, err);
    }
    return r;
}

/* In the order of the tables' keys, which takes half the time of any other. */
static int write_found(struct database *database, const struct batch *found, struct error *err)
{
    struct batch_place *places = batch_sort(found);
    int r = places ? write_rows(database, found, places, err)
                   : error_set(err, EX_OSERR, "out of memory for the store");
    free(places);
    return r;
}

/* A file that has lost its name takes all that is written, and is then gone. */
static int check_place(struct database *database, struct error *err)
{
    int moved = 0;
    sqlite3_file_control(database->handle, NULL, SQLITE_FCNTL_HAS_MOVED, &moved);
    if (!moved)
        return 0;
    database->failed = true;
    return error_set(err, EX_IOERR, "'%s' was removed or replaced while it was written", database->path);
}

int database_write(struct database *database, const struct batch *found, const struct batch *state,
                   struct error *err)
{
    if (database->failed)
        return error_set(err, EX_IOERR, "%s: nothing is written after a failure", database->path);
    if (found->failed || state->failed)
        return error_set(err, EX_OSERR, "out of memory for the store");
    database->writes = true;
    int r = check_place(database, err);
    if (r == 0)
        r = execute(database, "BEGIN IMMEDIATE", err);
    if (r == 0)
        r = write_found(database, found, err);
    if (r == 0)
        r = write_rows(database, state, state->places, err);
    if (r == 0)
        r = execute(database, "COMMIT", err);
    if (r == 0 && !database->begun)
        r = execute(database, "PRAGMA synchronous=FULL", err);
    database->begun = true;
    if (r < 0)
        sqlite3_exec(database->handle, "ROLLBACK", NULL, NULL, NULL); /* of what is in memory only */
    return r;
}

int database_finish(struct database *database, struct error *err)
{
    database->writes = true;
    for (unsigned i = 0; i < STORE_STATEMENT_COUNT; i++) {
        sqlite3_finalize(database->statements[i]);
        database->statements[i] = NULL;
    }
    sqlite3_busy_timeout(database->handle, 0); /* who reads it now may do so for long */
    int code = sqlite3_exec(database->handle, "PRAGMA journal_mode=MEMORY", NULL, NULL, NULL);
    return code == SQLITE_OK || code == SQLITE_BUSY ? 0 : database_fail(database, code, err);
}

void database_close(struct database *database)
{
    if (!database)
        return;
    for (unsigned i = 0; i < STORE_STATEMENT_COUNT; i++)
        sqlite3_finalize(database->statements[i]);
    /* Else the last one to close moves everything from the log into the file, which is a second attempt. */
    if (database->handle && database->failed)
        sqlite3_db_config(database->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
    sqlite3_close(database->handle);
    if (database->lock_fd >= 0)
        close(database->lock_fd);
    free(database->path);
    free(database);
}
