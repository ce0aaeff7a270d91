/* The packets that decided: put together from their parts, and written to the file of --pcap. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "cli/supervisor/sink.h"
#include "results/results.h"
#include "verdict/record.h"

/* A packet as far as one packet process has told it. */
struct evidence_parts {
    struct record last; /* the part that came last */
    uint8_t bytes[EVIDENCE_MAX];
    size_t len; /* of bytes, so far */
};

struct evidence {
    FILE *file;        /* of --pcap; NULL: none */
    struct sink *sink; /* behind the file */
};

/* Create the file. EX_CANTCREAT. */
int evidence_open(struct evidence *evidence, const char *path, struct error *err);
void evidence_done(struct evidence *evidence);

/* Take a part, a record that is valid: of a packet, or of a port with a packet. One that is whole is written.
 *   parts  of the process that told it */
void evidence_take(struct evidence *evidence, struct evidence_parts *parts, const struct record *record);

/* Is it a packet that is whole, and about this port? */
bool evidence_is_of(const struct evidence_parts *parts, const struct addr *host,
                    const struct port_result *port);

/* Write out what is buffered. 0, or EX_IOERR. */
int evidence_flush(struct evidence *evidence, struct error *err);

/* The same of everything: wait until it is written, or a signal wants to end us. EX_IOERR also when the file
 * was removed. */
int evidence_end(struct evidence *evidence, struct error *err);
