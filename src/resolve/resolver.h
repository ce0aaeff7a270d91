/* Names, resolved in a process of their own: it talks to DNS servers and parses what they say, holds no
 * privilege, and shares no memory with anybody. It is asked through a socket, in messages of one fixed size
 * that both sides check. When it dies the scan goes on without names.
 *
 * Order of use: start; then all forward look-ups, each of which blocks; then reverse look-ups, many at a
 * time, answered in any order through a descriptor to poll. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/error.h"

#define RESOLVER_NAME_MAX    255  /* bytes of a name, without the terminating zero */
#define RESOLVER_ADDRS_MAX   256  /* addresses of one name; more are left out */
#define RESOLVER_PENDING_MAX 1024 /* reverse look-ups asked and not yet answered */

struct resolver;

struct resolver_config {
    /* "address[:port],...", an IPv6 address with a port as "[address]:port"; at most 4. Used for both
     * directions (after the hosts file). NULL: the system's name service for names, and the servers of
     * resolv.conf for addresses. */
    const char *dns_servers;

    /* Called in the new process before it reads anything; a failure there is a failure of resolver_start.
     * Gives up what the process does not need. NULL: nothing to give up. */
    int (*confine)(void *context, struct error *err);
    void *context; /* of confine */
};

/* Start the process. Call it before there are threads or memory shared with the packet process, for both
 * would be inherited; open descriptors above 2 are closed there. EX_USAGE: a wrong list of servers; EX_OSERR:
 * no process; or what `confine` returned. */
int resolver_start(const struct resolver_config *config, struct resolver **ret, struct error *err);

/* The addresses of a name, in the order in which the system would try them; at most RESOLVER_ADDRS_MAX of
 * them. */
struct resolver_addrs {
    struct addr list[RESOLVER_ADDRS_MAX];
    size_t count;
};

/* Look up the addresses of a name; blocks for at most 20 s.
 *   family  ADDR_V4 or ADDR_V6: only those; ADDR_NONE: both
 *   ret     ret->count > 0
 * EX_DATAERR: the name has no such address, or nobody answered; EX_OSERR: the process has ended. Not while a
 * reverse look-up is pending. */
int resolver_forward(struct resolver *resolver, const char *name, enum addr_family family,
                     struct resolver_addrs *ret, struct error *err);

/* Ask for the name of an address. False: RESOLVER_PENDING_MAX look-ups are pending or the process is busy
 * (read answers, then ask again), or the process has ended (resolver_fd is then -1). Never blocks. */
bool resolver_ask_ptr(struct resolver *resolver, const struct addr *addr);

/* Its process; 0 once that has ended. */
pid_t resolver_pid(const struct resolver *resolver);

/* Readable when there is an answer; -1 once the process has ended, which poll() ignores. Changes no sooner
 * than in a call of ask or read. */
int resolver_fd(const struct resolver *resolver);

/* The next answer, without blocking. False: there is none now. Every accepted question is answered, within
 * about 4 s of the server's silence, unless the process ends.
 *   ret_addr  an address that was asked for
 *   ret_name  its name, or "" when it has none. Foreign bytes: anything but zero may be in it; at most
 *             RESOLVER_NAME_MAX of them. */
bool resolver_read(struct resolver *resolver, struct addr *ret_addr,
                   char ret_name[static RESOLVER_NAME_MAX + 1]);

/* Reverse look-ups that were asked and not yet answered; 0 once the process has ended. */
size_t resolver_pending(const struct resolver *resolver);

/* What the user should know about missing names: a sentence without full stop, or NULL when all is well.
 * Valid until the next call. */
const char *resolver_trouble(struct resolver *resolver);

/* End the process, whatever it is doing. NULL is allowed. */
void resolver_stop(struct resolver *resolver);
