/* What the packet backend knows of the hosts of the block that it is sending: address, station and template
 * of each, so that the second probe to a host looks up neither plan, routes nor neighbours. Only for what has
 * a template; the rest goes the general way every time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "netio/live/template.h"
#include "netio/order.h"
#include "netio/route/route.h"

#define KNOWN_HOSTS_MAX     (UINT32_C(1) << 15)
#define KNOWN_TEMPLATES_MAX 16

/* A host: found once, and believed until the block changes or KNOWN_NS have passed. */
struct known_host {
    uint32_t epoch; /* of the table, when this was found */
    uint16_t way;   /* index of known.ways */
    uint8_t mac[6];
    uint8_t dst[16];
};

/* How to send: the link and our address on it. */
struct known_way {
    const struct link *link;
    struct addr source;
};

struct known {
    struct known_host *hosts; /* by slot; owned */
    uint32_t epoch;
    uint32_t block_id;
    int64_t since_ns;
    uint8_t ttl;
    struct known_way ways[KNOWN_TEMPLATES_MAX];
    unsigned way_count;
    struct template templates[KNOWN_TEMPLATES_MAX];
    uint16_t template_ways[KNOWN_TEMPLATES_MAX]; /* of each: the way that it is for */
    unsigned template_count;
};

/* ttl: of probes. -EX_OSERR. */
int known_init(struct known *ret, uint8_t ttl, struct error *err);
void known_done(struct known *known); /* zeroed is fine */

/* Links and addresses may be others from now on. */
void known_forget(struct known *known);

/* These probes of the order come next. The table is for its block from now on; what it held of another, or
 * has held too long, is forgotten. */
void known_begin(struct known *known, const struct order *order, const struct order_place *places,
                 unsigned count, int64_t now_ns);

/* Write the frame of a probe (at least TEMPLATE_LEN_MAX bytes of room). Returns the template used, which
 * names link and length; NULL: the host or the technique is not known, go the general way. */
const struct template *known_write(struct known *known, const struct order *order, uint64_t bit,
                                   int64_t now_ns, uint8_t *ret_frame);

/* The general way has found how to reach this probe's host. */
void known_add(struct known *known, const struct order *order, const struct probe *probe,
               const struct route *route, const uint8_t mac[static 6]);
