/* The thread that writes. Whoever scans fills batches, hands them over when those before are on disk, and is
 * never kept waiting by a disk. Where processors are scarce it takes what sending and receiving leave. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "store/database.h"

struct writer;

/* Start the thread; it takes the database over. EX_OSERR. */
int writer_start(struct database *database, struct writer **ret, struct error *err);

/* Is something being written? */
bool writer_is_busy(struct writer *writer);

/* Hand over what is to be written in one transaction (database_write). The thread takes the rows: both are
 * empty afterwards. Only when the writer is not busy. */
void writer_submit(struct writer *writer, struct batch *found, struct batch *state);

/* How writing went so far: 0, or what the first failure was. */
int writer_status(struct writer *writer, struct error *err);

/* How long the last transaction took; 0 before the first. */
int64_t writer_took_ns(struct writer *writer);

/* Wait for what was handed over, end the thread and close the file. NULL is allowed. 0, or what the first
 * failure was.
 *   finished  the scan is complete, and nothing will be written again */
int writer_close(struct writer *writer, bool finished, struct error *err);
