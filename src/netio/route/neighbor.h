/* Link-layer addresses of neighbours: what the kernel knew at the start, and what answered our own questions.
 * Whoever answers without having been asked changes nothing. A hash table of fixed size: when it is full, old
 * entries that are worth least make room, gateways last. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"
#include "netio/route/netlink.h"

/* How long an answer to a question is believed. */
#define NEIGHBOR_ANSWER_NS (4 * SEC)

enum neighbor_state {
    NEIGHBOR_UNKNOWN, /* an empty place in the table */
    NEIGHBOR_ASKED,   /* asked, and no answer yet */
    NEIGHBOR_KNOWN,   /* mac is valid; it may be asked again meanwhile */
    NEIGHBOR_FAILED   /* did not answer: set by who asked, and ended by an answer */
};

struct neighbor {
    struct addr addr;
    uint32_t link; /* interface index */
    uint8_t state; /* enum neighbor_state */
    uint8_t mac[6];
    bool waiting;     /* a question is open */
    bool gateway;     /* others are reached through it */
    bool permanent;   /* set by the administrator: no need to ask */
    int64_t asked_ns; /* time of the last question, or of the entry */
};

struct neighbor_table;

/* capacity: entries, a power of two, at least 64. NULL without memory. */
struct neighbor_table *neighbor_table_new(size_t capacity);
void neighbor_table_free(struct neighbor_table *table);

/* NULL: nothing is known. Valid until the next neighbor_ask or neighbor_learn. */
struct neighbor *neighbor_find(struct neighbor_table *table, uint32_t link, const struct addr *addr);

/* A question is about to be sent: notes it, and makes an entry if there is none. */
struct neighbor *neighbor_ask(struct neighbor_table *table, uint32_t link, const struct addr *addr,
                              int64_t now_ns);

/* Somebody says that `addr` has this MAC. True, and stored, when it answers an open question and can be a
 * station's address; the first answer closes the question. */
bool neighbor_answer(struct neighbor_table *table, uint32_t link, const struct addr *addr,
                     const uint8_t mac[static 6], int64_t now_ns);

/* What the kernel knows. */
void neighbor_learn(struct neighbor_table *table, const struct kernel_neighbor *known, int64_t now_ns);
