/* The target language: what a user may name as a target, or as excluded.
 *
 *   198.18.0.1           an address                     2001:db8::1, fe80::1%eth0
 *   198.18.0.0/24        a network; host bits are cut   2001:db8::/112
 *   198.18.0-3.1,5-9     a list of ranges in each octet; "*" or "-" is all of them, "5-" and "-5" are open at
 *                        one end
 *   www.example.net      a name, its addresses asked of a resolver; www.example.net/28 the network around
 *                        each
 *
 * Nothing here opens a socket: names go to a callback. Errors quote what the user wrote as it is; escape at
 * the sink. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "plan/addr_set.h"

#define TARGET_TEXT_MAX 1024 /* bytes of one target */
#define TARGET_NAME_MAX 253  /* bytes of a host name (RFC 1035 section 2.3.4, without the root) */

/* A file must not be able to take all memory: half of this many separate ranges of addresses are certain to
 * be taken, many more than this never. */
#define TARGETS_RANGES_MAX (UINT32_C(1) << 25)

/* The name by which the user called an address. */
struct target_name {
    struct addr addr;
    size_t order; /* when it was added */
    char *name;   /* owned */
};

struct targets {
    struct addr_set set;       /* not normalized; ready for plan_init */
    struct target_name *names; /* owned; of the addresses that came from names */
    size_t name_count;
    size_t name_capacity;
    bool names_sorted;         /* see targets_name */
    uint64_t unresolved_count; /* names that the resolver knew nothing of */
    bool excluded;       /* set before use: these are to be left out, so networks of any size may be named */
    uint32_t ranges_max; /* set before use: instead of TARGETS_RANGES_MAX; 0 for that */
};

/* How names become addresses. */
struct target_resolver {
    /* All addresses of a name, best first, at most `capacity` of them. 0, or what error_set returned, which
     * ends the reading. 0 with *ret_count 0: there are none; the name is counted and passed over. */
    int (*resolve)(void *context, const char *name, struct addr *ret, size_t capacity, size_t *ret_count,
                   struct error *err);
    void *context;
    enum addr_family
        prefer; /* without `all`: take the first of this family, or the first of all when there is none */
    bool all;   /* take every address, of both families */
};

/* Add one target.
 *   resolver  may be NULL: names are then an error
 * Fails with EX_USAGE for what is not a target, EX_OSERR without memory, or as the resolver does. */
int targets_add(struct targets *targets, const char *text, const struct target_resolver *resolver,
                struct error *err);

/* Add the targets of a comma-separated list, as --exclude takes it. A comma between octets (198.18.0.1,5-9)
 * belongs to the octet. Fails like targets_add. */
int targets_add_list(struct targets *targets, const char *text, const struct target_resolver *resolver,
                     struct error *err);

/* Add the targets in a file, separated by blanks or line ends; '#' starts a comment.
 *   path  "-" is the standard input
 * Fails with EX_NOINPUT when it cannot be read, EX_DATAERR ("file:line: ...") for what is in it. */
int targets_read(struct targets *targets, const char *path, const struct target_resolver *resolver,
                 struct error *err);

/* Say by which name an address was called; the address itself is added by others. 0 or -ENOMEM. */
int targets_add_name(struct targets *targets, const struct addr *addr, const char *name);

/* The name an address was called by, the first if there were several, or NULL. Sorts the names at the first
 * call after one was added. Valid until targets_done or the next name is added. */
const char *targets_name(struct targets *targets, const struct addr *addr);

void targets_done(struct targets *targets); /* frees what it owns; NULL is allowed */
