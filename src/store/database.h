/* The one file of a store: SQLite behind one set of functions. Every transaction but the first is on disk
 * when it has succeeded; after a failure nothing is written any more, for a second attempt at a sync can
 * succeed without the data (PostgreSQL's lesson). */
#pragma once

#include "base/error.h"
#include "store/batch.h"

struct database;

enum database_use {
    DATABASE_CREATE, /* a new file, or an empty one; whoever has it open is alone with it */
    DATABASE_WRITE,  /* go on with one that is there, likewise alone */
    DATABASE_READ,   /* look at it, also while a scan writes it */
};

/* Open the file. EX_CANTCREAT when it cannot be created or is in use, EX_NOINPUT when it cannot be read,
 * EX_DATAERR when it is not a store, damaged, of a newer schema, or (with DATABASE_CREATE) not empty. */
int database_open(const char *path, enum database_use use, struct database **ret, struct error *err);

/* Write in one transaction: all of it, or nothing. EX_TEMPFAIL when the disk is full, EX_IOERR for any other
 * failure, EX_OSERR without memory. Never again after a failure. The first one of a new file is on disk when
 * the second is.
 *   found  rows that begin with a position; those of one position are written in the order in which they were
 *          put
 *   state  any rows, written behind those of `found` and in their order */
int database_write(struct database *database, const struct batch *found, const struct batch *state,
                   struct error *err);

/* The scan is over: bring everything into the one file, unless somebody reads it now, so that it can be read
 * where nothing can be written. Fails as database_write does; nothing can be written after it. */
int database_finish(struct database *database, struct error *err);

void database_close(struct database *database); /* NULL is allowed */
