/* DNS look-ups, many at a time. The only file that knows the library behind them, c-ares, which keeps ids,
 * time-outs, repeats, several servers and TCP; what reverse replies hold is read by ptr.h. */
#pragma once

#include <poll.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/error.h"
#include "resolve/dns_servers.h"
#include "resolve/forward.h"

#define LOOKUP_FDS_MAX (2 * DNS_SERVERS_MAX) /* UDP and TCP */

struct lookup;

enum lookup_result {
    LOOKUP_NAME,   /* there is a name */
    LOOKUP_NONE,   /* a server said that there is none, or nothing that could be used */
    LOOKUP_FAILED, /* the servers refused, failed or could not be reached; known at once */
    LOOKUP_SILENT, /* no server answered in time */
};

/* One reverse look-up. The caller owns it and keeps it in place until `done` was called. */
struct lookup_question {
    void (*done)(struct lookup_question *question, enum lookup_result result, const char *name);
    void *context;
};

/* servers->count == 0: those of resolv.conf, at most DNS_SERVERS_MAX of them. EX_OSERR. */
int lookup_new(const struct dns_servers *servers, struct lookup **ret, struct error *err);

/* Ask for a name. done() is called exactly once: from here, from lookup_work or from lookup_free; the name is
 * valid in it, and NULL unless LOOKUP_NAME. */
void lookup_ptr(struct lookup *lookup, const struct addr *addr, struct lookup_question *question);

/* Addresses of a name, from the hosts file or the servers. Blocks until there is an answer, at most
 * `limit_ms`. Not while reverse look-ups are in flight. */
void lookup_forward(struct lookup *lookup, const char *name, enum addr_family family, int limit_ms,
                    struct forward *ret);

/* What to poll for, and for how long at most; then hand the result to lookup_work. */
size_t lookup_fds(const struct lookup *lookup, struct pollfd ret[static LOOKUP_FDS_MAX]);
int lookup_wait_ms(const struct lookup *lookup, int at_most_ms);
void lookup_work(struct lookup *lookup, const struct pollfd *fds, size_t count);

void lookup_free(struct lookup *lookup); /* NULL is allowed */
