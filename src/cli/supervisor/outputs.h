/* The reports of one scan and the files they go to. A file that cannot be written any more is remembered, and
 * the scan ends. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "cli/options/options.h"
#include "cli/supervisor/sink.h"
#include "report/report.h"

#define OUTPUTS_MAX 48

struct output {
    const struct report_ops *ops;
    struct report *report; /* owned */
    FILE *file;            /* owned */
    struct sink *sink;     /* behind the file; knows why it failed */
    char *path;            /* owned; "-": standard output */
};

struct outputs {
    struct output list[OUTPUTS_MAX];
    unsigned count;
    bool interactive;   /* the last is for people, on standard output */
    bool written;       /* something may still be in the buffers of the files */
    bool failed;        /* a file could not be written: */
    bool reader_left;   /* ... because nobody reads standard output any more */
    struct error error; /* EX_IOERR and which */
};

/* Open the files, of which nothing is lost yet. EX_CANTCREAT names the file; EX_OSERR without memory. */
int outputs_open(const struct options *options, struct outputs *ret, struct error *err);

/* Begin the documents, in place of what the files held. Nothing else writes to standard output while a report
 * does. EX_IOERR names the file; EX_OSERR without memory.
 *   run  borrowed until outputs_done */
int outputs_begin(struct outputs *outputs, const struct report_run *run, struct error *err);

void outputs_port(struct outputs *outputs, const struct addr *host, const struct port_result *port);
void outputs_host(struct outputs *outputs, const struct host_result *host);

/* Nobody has to wait for a reader of standard output or of a pipe: what it did not take yet is held. A
 * descriptor to wait for with POLLOUT, -1 when nothing is held; and write what can be written of that and of
 * what was handed over since the last time: not port by port, which would cost more than the scan. */
int outputs_waiting_fd(const struct outputs *outputs);
void outputs_flush(struct outputs *outputs);

/* A descriptor that shows when nobody reads standard output any more (POLLERR), which may be long before
 * something is to be written; -1: it is a file. And that it has shown so: a failure as any other. */
int outputs_reader_fd(const struct outputs *outputs);
void outputs_reader_left(struct outputs *outputs);

/* Complete the documents, and wait until they are written, or a signal wants to end us. What fails here is
 * seen in `failed` too. */
void outputs_end(struct outputs *outputs, const struct report_end *end);

/* Close the files and free everything; again, a failure is seen in `failed`. */
void outputs_done(struct outputs *outputs);
