/* Records of hosts that answered, in a table of fixed size: round trip, counts, and what the end of the scan
 * reports. A host that never answered has none: it is only its bits. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/path/loss.h"
#include "engine/path/rtt.h"
#include "engine/closing/speaker.h"

#define HOST_RECORD_NONE 0

/* Ports of a host that are remembered because a service answered there, which it does whenever it is
 * asked. */
#define SERVICES_MAX 8

struct host_record {
    struct rtt rtt;
    int64_t slowest_ns;     /* longest round trip seen, */
    int64_t least_ns;       /* and shortest; 0: none yet */
    int64_t answered_ns;    /* of all that it answered the last left then */
    struct loss loss;       /* as the answers to the scan tell */
    bool late;              /* an answer came after its time-out */
    bool sends_errors;      /* an ICMP error came from the host itself */
    bool has_canary;        /* a port is known that draws a reset or an ICMP error from the host itself: */
    bool canary_draws_icmp; /* the latter */
    bool canary_asked;      /* the host was asked, at the end of this sweep, what it had answered before, */
    bool canary_was_known;  /* and such a port was among that; */
    bool canary_had_soundings; /* soundings, not of ports, were sent along */
    uint8_t canary_failures;   /* times in a row that it was silent while nothing showed that the path was */
    uint8_t canary_answers;
    uint8_t canary_soundings; /* answered, of those sent along with the canaries */
    bool has_next_canary;     /* a port drew an ICMP error while another was asked as the canary */
    bool has_sounding;        /* a probe is known that it answers whenever it is asked: */
    uint32_t canary_spec, next_canary_spec;
    uint32_t sounding_spec;
    int64_t canary_sent_ns;
    uint32_t services[SERVICES_MAX];          /* specs of TCP or SCTP, */
    uint32_t services_tried, services_lost;   /* of all that were asked with canaries, */
    uint32_t soundings_tried, soundings_lost; /* and of the soundings among them */
    /* By how much the share of the canary's resets that came back falls behind that of all else asked with
     * it: the sum over all sweeps, and that of its squares. */
    double resets_behind, resets_behind_squares;
    uint8_t service_count;  /* so many of them; */
    uint8_t services_asked; /* the first so many again, with the canaries, */
    uint8_t services_back;  /* and bit i: that one answered */
    bool answers_limited; /* services answered among canaries that did not: resets are limited, not probes */
    struct speaker speaker;
    uint32_t next_free;
};

struct host_table {
    struct host_record *records; /* owned; [0] stands for "none" */
    uint32_t capacity;
    uint32_t used; /* records from here on were never touched: a scan of one host needs no memory for them */
    uint32_t first_free; /* of those before */
};

int host_table_init(struct host_table *table, uint32_t capacity); /* 0 or -ENOMEM */
void host_table_done(struct host_table *table);

/* A fresh record, or HOST_RECORD_NONE when the table is full: the host then goes without. */
uint32_t host_table_take(struct host_table *table, const struct rtt_limits *limits);
void host_table_give_back(struct host_table *table, uint32_t record); /* HOST_RECORD_NONE is allowed */

/* NULL for HOST_RECORD_NONE. */
struct host_record *host_table_get(struct host_table *table, uint32_t record);
