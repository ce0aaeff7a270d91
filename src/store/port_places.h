/* Where the ports of each host are in a store: their rows stand in the order in which the answers came. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/database.h"

struct port_place {
    int64_t position; /* of the host, */
    int64_t id;       /* and of the row */
};

struct port_places {
    struct port_place *list; /* owned; in the order of position, then id */
    size_t count;
};

/* 16 bytes for each row of ports. EX_OSERR, or as database_query; to be ended with port_places_done, whatever
 * the outcome. */
int port_places_load(struct database *database, struct port_places *ret, struct error *err);

/* The first place of this host, if it has one; else that of the next, or the end of the list. */
const struct port_place *port_places_find(const struct port_places *places, uint64_t position);
void port_places_done(struct port_places *places);
