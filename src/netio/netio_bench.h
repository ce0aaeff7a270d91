/* For tests of backends: one host, a block of probes to its ports, and what came back of them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "netio/live/live.h"
#include "netio/netio.h"
#include "netio/route/route.h"

#define BENCH_PROBES       300
#define BENCH_FIRST_PORT   7000 /* of the host */
#define BENCH_SOURCE_PORT  20000
#define BENCH_SOURCE_PORTS 4096

struct bench {
    struct netio *io;
    struct route_table routes;
    struct plan plan;
    struct probe_spec specs[BENCH_PROBES];
    uint64_t pending[(BENCH_PROBES + 63) / 64];
    struct block block; /* all specs of the plan's one host, all pending */
    struct token_key key;
    const char *why_not_kernel;      /* as in struct netio_live_options */
    bool unprivileged;               /* what needs more privilege than sockets is not loaded */
    struct error why_not;            /* as netio_live_open tells it */
    uint64_t told_count;             /* how many probes the backend is told that there are; 0: not told */
    struct probe list[BENCH_PROBES]; /* room for a test that lists its probes */
    uint16_t source;                 /* number of the address in the pool that its orders name */

    /* What the events told. */
    unsigned answers[BENCH_PROBES]; /* proved ones, by port */
    unsigned answer_count;
    unsigned unproved;
    unsigned neighbor_answers;
    unsigned unsent[BENCH_PROBES]; /* by port */
    unsigned unsent_count;
    int unsent_error; /* of the last one */
    uint64_t dropped_count;
    unsigned disturbances[5];                   /* by enum disturbance */
    int64_t disturbed_from_ns, disturbed_to_ns; /* of the last one */
    int64_t last_rtt_ns;
    struct addr answered_to; /* the address that the last one came to */
};

/* Each ends the test with a message when something is wrong. */
struct bench *bench_new(const char *host, const char *technique);
void bench_free(struct bench *bench); /* closes the backend too */

/* Ask another host from now on. */
void bench_set_host(struct bench *bench, const char *host);

/* Does the backend need more privilege than sockets (wire.h)? And does this process have it? In a user
 * namespace of its own it does not. */
bool bench_needs_wire(const char *backend);
bool bench_can_open_wire(void);
void bench_require_wire(void); /* ends the process, as skipped, where it has not */

/* Take this backend. bench_open_live: packet or raw, with the routes of this namespace. */
void bench_attach(struct bench *bench, struct netio *io);
void bench_open_live(struct bench *bench, const char *backend, const struct route_options *options);

struct order bench_order(const struct bench *bench); /* everything, from the start */

/* Carry an order out, however many turns it takes. */
void bench_work_off(struct bench *bench, struct order *order);

/* Listen until so many answers are there, or patience is over; then a little longer for those that must not
 * come. */
void bench_listen(struct bench *bench, unsigned answers);

/* Send everything and fail unless each probe is answered exactly once. */
void bench_expect_all(struct bench *bench);

/* The same, so many at a time: a divisor of BENCH_PROBES. */
void bench_expect_all_in_parts(struct bench *bench, unsigned part);

/* Send everything and fail unless each probe is unsent exactly once, with this errno. */
void bench_expect_unsent(struct bench *bench, int error);
