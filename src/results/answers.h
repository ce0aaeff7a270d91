/* The answers of one open host, packed: 16 bytes each. As long as few of its ports have answered this is a
 * list in order of arrival, in which the last entry of a port counts; it grows only when more than half of it
 * is needed. A host most of whose ports answer gets one place per port. No call can make it larger than
 * that. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "results/results.h"

#define ANSWER_SOURCES_MAX 255 /* foreign senders kept per host; 0 stands for none */

#define ANSWER_INDEX_BITS  18
#define ANSWER_TIME_BITS   45
#define ANSWER_RTT_BITS    27
#define ANSWER_REASON_BITS 6

struct answer {
    uint64_t index : ANSWER_INDEX_BITS;  /* of the port in the plan's list of ports */
    uint64_t time_us : ANSWER_TIME_BITS; /* since the host's first record */
    uint64_t present : 1;
    uint64_t rtt_us : ANSWER_RTT_BITS; /* rounded up, so that 0 is "not known" */
    uint64_t ttl : 8;
    uint64_t tries : 8;
    uint64_t reason : ANSWER_REASON_BITS;
    uint64_t state : 3;
    uint64_t weak : 1;
    uint64_t confirmation : 3;
    uint64_t source : 8; /* 1-based number of the sender in the host's list; 0: the host itself, or silence */
};

struct answers {
    struct answer *list; /* owned; NULL while there is none */
    uint32_t count;      /* entries in use; with one place per port: all */
    uint32_t capacity;   /* port_count: one place per port */
};

/* Ports of the plan, which all hosts share. */
struct answer_space {
    uint32_t port_count; /* <= 2^ANSWER_INDEX_BITS */
    uint64_t *seen;      /* a bit per port, clear between calls */
};

/* Packs what a RECORD_PORT says.
 *   index     of the port, < port_count
 *   start_ns  when the host's first record was made
 *   source    number of the sender */
struct answer answer_pack(const struct record *record, uint32_t index, int64_t start_ns, uint8_t source);

/* The reverse, except for port, protocol and source, which stay as they are in *ret. */
void answer_unpack(const struct answer *answer, int64_t start_ns, struct port_result *ret);

/* Takes in one answer, which replaces an earlier one of the same port. 0 or -ENOMEM (nothing has changed
 * then). */
int answers_put(struct answers *answers, const struct answer_space *space, struct answer answer);

/* What became of a port that was looked at once more. False: it is none of the answers. */
bool answers_confirm(struct answers *answers, const struct answer_space *space, uint32_t index,
                     enum confirmation confirmation);
void answers_done(struct answers *answers); /* frees what it owns and empties it */
