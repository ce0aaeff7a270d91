/* A path: what the hosts that are reached the same way share. It has a rate of its own, and a measure of what
 * it loses. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "engine/path/loss.h"
#include "engine/path/pacer.h"
#include "engine/path/rate.h"
#include "engine/path/rtt.h"
#include "engine/path/sounding.h"
#include "netio/netio.h"

#define PATHS_MAX 64

struct path {
    /* The way: */
    enum reach reach;
    struct addr source; /* ours on the interface it leaves by */

    struct rate rate;
    double told_pps; /* that the user was last told of */
    struct pacer pacer;
    struct loss loss;         /* of probes that were answered in the end, */
    struct loss sounded_loss; /* and of soundings, which tell sooner that it has changed */
    struct loss loss_before,
        sounded_before; /* the rate changed last: what was lost since then may be our own doing */
    /* of requests to neighbours: most are broadcast, which a radio link loses more often */
    struct loss neighbor_loss;
    struct rtt rtt;
    int64_t least_rtt_ns;      /* of any host; 0: not known */
    int64_t base_rtt_ns;       /* a typical round trip, without what queues add; 0: not known */
    uint64_t hosts;            /* that were sent to over it */
    int64_t unproved_until_ns; /* until it is proved: when it may be a little faster */
    struct soundings soundings;

    /* Since the last answer: */
    int64_t answered_ns; /* when that came */
    /* probes left that were always answered; so many are counted at most: PATH_SILENT_PROBES */
    unsigned known_asked;
    int64_t known_sent_ns; /* when the last of these did */
    bool is_silent;        /* and it was said that none of them is answered */
};

#define PATH_SILENT_PROBES 16

struct path_limits {
    double start_pps;
    double min_pps, max_pps; /* 0: none */
    double share_left;       /* see rate.h */
};

void path_init(struct path *path, enum reach reach, const struct addr *source,
               const struct path_limits *limits, const struct rtt_limits *rtt_limits, int64_t now_ns);

/* The chance that a try is lost. */
double path_chance_of_loss(const struct path *path);

/* So many more hosts will be sent to over this path. */
void path_add_hosts(struct path *path, uint64_t hosts);

/* Is it time to change the rate? The pacer follows it. */
enum rate_change path_update(struct path *path, int64_t now_ns);

/* Was nothing heard of all that left at the present rate (rate_is_unheard)? The pacer follows. */
bool path_is_unheard(struct path *path, int64_t now_ns);

/* What left then stood in a queue of our own making, longer than we allow: how long it took says little of
 * the way. */
bool path_was_overrun(const struct path *path, int64_t sent_ns);

/* An answer to a probe that left at sent_ns, of a host whose shortest round trip is least_ns (0: not known
 * before). first_try: of a port. */
void path_answered(struct path *path, const struct rtt_limits *rtt_limits, int64_t sent_ns, int64_t rtt_ns,
                   int64_t least_ns, bool first_try);
