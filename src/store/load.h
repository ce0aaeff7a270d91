/* Reading a store: what was scanned, what was found, and how far the scan is. Everything in the file is
 * checked as if a stranger had written it: EX_DATAERR says what cannot be. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "plan/plan.h"
#include "results/results.h"
#include "store/database.h"
#include "store/rows.h"

/* One port that was asked of each host, by its index. */
struct asked_port {
    uint16_t port;
    uint8_t protocol; /* enum protocol */
    uint8_t silent;   /* enum port_state: what silence means */
};

struct stored_scan {
    char *portolan, *machine, *scans, *digest; /* owned; printable */
    char *command;                             /* owned; as it was given */
    char *words;                               /* owned; each ended by a zero byte */
    size_t words_len;
    struct plan *plan;        /* owned; with the targets and ports of the scan */
    struct asked_port *asked; /* owned */
    uint32_t asked_count;
    int64_t started_ns;
    struct store_progress progress;    /* state is one of the names in rows.h */
    uint64_t account[END_VALUE_COUNT]; /* of those of its runs that were not killed */
    bool has_account;
    struct stored_reject {
        char what[STORE_REJECT_TEXT_MAX]; /* coverage.what */
        uint64_t count;
    } rejects[STORE_REJECTS_MAX]; /* the first of them, if a stranger wrote more */
    unsigned reject_count;
};

/* EX_DATAERR also when no scan has begun in it. To be ended with stored_scan_done, whatever the outcome. */
int load_scan(struct database *database, struct stored_scan *ret, struct error *err);
void stored_scan_done(struct stored_scan *scan);

/* How many packets of this kind proved nothing. */
uint64_t stored_scan_rejects(const struct stored_scan *scan, const char *kind);

/* Which of the ports that were asked is this? False: none. */
bool asked_find(const struct stored_scan *scan, const char *protocol, int64_t port, uint32_t *ret_index);

/* The addresses of the scan; ret is not normalized. */
int load_targets(struct database *database, struct addr_set *ret, struct error *err);

/* Addresses that a later --exclude took out; ret is normalized. */
int load_excluded(struct database *database, struct addr_set *ret, struct error *err);

/* A callback ends the reading with anything but 0. */
struct load_host_sink {
    int (*host)(void *context, const struct host_result *host, enum host_progress progress);
    void *context;
};

enum load_hosts { LOAD_FINISHED, LOAD_SCANNING, LOAD_ALL, LOAD_BY_POSITION, LOAD_ONE };

/* Hosts that have a row of their own, in the order in which they were finished (those that are not, and
 * LOAD_BY_POSITION: of the plan). */
int load_hosts(struct database *database, const struct stored_scan *scan, enum load_hosts which,
               const struct load_host_sink *sink, struct error *err);

/* The same, one host at a time. */
struct host_cursor;

/* LOAD_ONE: only to be asked for single hosts, with host_cursor_find. To be closed. */
int host_cursor_open(struct database *database, const struct stored_scan *scan, enum load_hosts which,
                     struct host_cursor **ret, struct error *err);
void host_cursor_close(struct host_cursor *cursor); /* NULL is allowed */

/* The next host, or the one at this position of the plan, without its ports. 1, 0 if there is none, or an
 * error. */
int host_cursor_next(struct host_cursor *cursor, enum host_progress *ret_progress, struct error *err);
int host_cursor_find(struct host_cursor *cursor, uint64_t position, enum host_progress *ret_progress,
                     struct error *err);

/* This host; borrowed until the next one. */
const struct host_result *host_cursor_host(const struct host_cursor *cursor);

/* Fill in its ports. */
int host_cursor_ports(struct host_cursor *cursor, struct error *err);

/* Three numbers of each row of a query, all >= 0. */
struct load_range_sink {
    int (*range)(void *context, uint64_t key, uint64_t first, uint64_t last);
    void *context;
};

/* Hosts that are down: key is enum reason. */
int load_down(struct database *database, const struct stored_scan *scan, const struct load_range_sink *sink,
              struct error *err);

/* Positions of hosts that are finished, ascending; key is 0. */
int load_finished(struct database *database, const struct stored_scan *scan,
                  const struct load_range_sink *sink, struct error *err);

/* Hosts of blocks, and void parts of their order, by block and first; key is the block. */
int load_block_hosts(struct database *database, const struct stored_scan *scan,
                     const struct load_range_sink *sink, struct error *err);
int load_block_voids(struct database *database, const struct load_range_sink *sink, struct error *err);

/* Blocks by id. */
int load_blocks(struct database *database, int (*sink)(void *context, const struct store_block *block),
                void *context, struct error *err);

/* The interfaces of link-local targets that this machine does not have, each once, and the scope that stands
 * for it (see text.h).
 *   interface  any bytes
 * A callback ends the reading with anything but 0. */
int load_missing_interfaces(struct database *database,
                            int (*sink)(void *context, const char *interface, uint32_t scope), void *context,
                            struct error *err);

/* Names that the user gave. */
int load_names(struct database *database,
               int (*sink)(void *context, const struct addr *address, const char *name), void *context,
               struct error *err);
