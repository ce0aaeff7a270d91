/* Names of ports and protocol numbers, and which of them are open most often. One table is built in, made
 * from data/services.tsv and data/ranking.txt; another can be read from a file in Nmap's format. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "plan/port_set.h"

#define SERVICE_NAME_MAX 63 /* bytes of a name */

struct service {
    uint16_t port;
    uint32_t name; /* where it starts in the list's names */
};

/* The services of one protocol. */
struct service_list {
    const struct service *services; /* ascending by port; of several for one port, the first is its name */
    const char *names;              /* zero-terminated, one after the other; printable ASCII without blanks */
    const uint16_t *ranked; /* ports, the most often open first; each once; never 0 except for PORTS_IP */
    size_t service_count;
    size_t ranked_count;
};

struct service_table {
    struct service_list lists[PORTS_PROTOCOL_COUNT];
};

/* The built-in table. */
const struct service_table *services_builtin(void);

/* Read a table from a file of lines "name port/protocol frequency", the frequency (0 to 1, or a ratio a/b)
 * optional and '#' starting a comment. The first line of a port counts, others only add names; ports are
 * ranked by frequency, ties as in the file, and those without are not ranked. Protocols other than tcp, udp
 * and sctp are passed over; protocol numbers keep their built-in names. EX_NOINPUT when it cannot be read,
 * EX_DATAERR ("file:line: ...") for what is in it, EX_OSERR without memory. */
int services_read(const char *path, struct service_table **ret, struct error *err);
void services_free(struct service_table *table); /* only what services_read gave; NULL is allowed */

/* The name, or NULL when it has none. Valid as long as the table. */
const char *services_name(const struct service_table *table, enum port_protocol protocol, uint16_t port);

/* The `count` most common ports: the ranked ones; when there are not enough, then those with a name and then
 * the others, both ascending and without 0. Returns how many were written, fewer than count only when there
 * are no more.
 *   ret  room for count */
size_t services_top(const struct service_table *table, enum port_protocol protocol, size_t count,
                    uint16_t *ret);

/* Those of the `count` most common ports that are in the set, the most common first: what is worth probing
 * early.
 *   ret  room for count. Returns how many were written. */
size_t services_popular(const struct service_table *table, enum port_protocol protocol, size_t count,
                        const struct port_set *set, uint16_t *ret);
