/* The -p language, and what is scanned without it.
 *
 * Items separated by commas: n, a-b, -b (from 1; protocol numbers from 0), a-, "-" (all but port 0), names
 * and wildcards (http*, ?map) of the service table in either case, and [items]: of the ports in the brackets
 * only those that have a name. T: U: S: P: say for which protocol an item and all after it are (inside
 * brackets: up to the closing one); before the first, items are for every protocol asked for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "plan/port_set.h"
#include "plan/services.h"

/* Protocols as bits. */
#define PORTS_BIT(protocol) (1u << (protocol))

/* Add what a list says to *set.
 *   option     the option it was given with, for the error: "-p"
 *   protocols  PORTS_BIT of each that is asked for; what the list says of others is checked and dropped
 * Returns 0 or EX_USAGE; *set is then half-filled.
 *   ret_dropped  PORTS_BIT of protocols whose ports were dropped, for a warning; may be NULL */
int ports_parse(const char *option, const char *text, unsigned protocols,
                const struct service_table *services, struct port_set *set, unsigned *ret_dropped,
                struct error *err);

/* Which ports the options ask for. At most one of spec, fast and top_count (EX_USAGE otherwise). */
struct ports_options {
    unsigned protocols;   /* PORTS_BIT of each protocol scanned */
    const char *spec;     /* -p, or NULL */
    const char *excluded; /* --exclude-ports, or NULL; taken away before the most common are counted */
    bool fast;            /* -F: the 100 most common, the named protocol numbers */
    uint32_t top_count;   /* --top-ports, 1 to 65535; 0: not given */
};

/* Without any of them: the 1000 most common TCP and UDP ports, every SCTP port with a name, every protocol
 * number. Fails with EX_USAGE, also when no port of any protocol is left.
 *   ret_dropped  as in ports_parse; may be NULL. A protocol of which nothing is left is for the caller to
 *                see. */
int ports_select(const struct ports_options *options, const struct service_table *services,
                 struct port_set *ret, unsigned *ret_dropped, struct error *err);
