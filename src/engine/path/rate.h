/* The rate of a path finds itself. It grows while what is sent comes back as promptly as before, and settles
 * just under what the path carries: a queue that builds up shows its capacity before anything is lost.
 *
 * Everything is judged by when probes left, since an answer names that time: what came back from the probes
 * that left at the present rate says whether the path carries it. Answers that are long in coming tell how
 * fast the queue grows, and so what the path carries: at a rate r a queue that grows by g seconds a second
 * empties at r / (1 + g). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "verdict/record.h"

struct rate_limits {
    double start_pps; /* where it begins, */
    /* and how little it is until the path has answered RATE_ANSWERS_PROVED probes; 0: as much */
    double unproved_pps;
    double min_pps;    /* --min-rate; 0: none */
    double max_pps;    /* --max-rate; 0: RATE_CEILING_PPS */
    double share_left; /* of what the path carries, left to others; 0 .. 1 */
};

#define RATE_CEILING_PPS 1e6

#define RATE_ANSWERS_PROVED 50

/* What a host is asked at once at most, where the rate bears that: see canary.c. */
#define RATE_BURST 19

enum rate_change {
    RATE_SAME,
    RATE_UP,
    RATE_DOWN, /* pause_ns is to be waited for; what left since overload_ns was lost, perhaps */
};

struct rate {
    struct rate_limits limits;
    double pps;
    uint64_t answers;      /* in all */
    double kept_pps;       /* the last that a higher one followed: it was kept up with; 0: none */
    double knee_pps;       /* what the path was last seen to carry; 0: not known */
    int64_t knee_ns;       /* when that was */
    double growth;         /* the next step up: by this factor */
    int64_t settle_ns;     /* how long the last one must be watched: a small one fills a queue slowly */
    unsigned downs;        /* in a row */
    double usual_share;    /* of first tries that are answered; 0: not known */
    double sounding_share; /* of soundings that come back however slow we are */
    double slowed_share;   /* that came back when the rate was last reduced because of it; 0: it was not */
    int64_t base_queue_ns; /* a delay that stays however slow we are: not ours */
    enum rate_cause cause; /* of the last change */
    int64_t pause_ns;      /* after RATE_DOWN: until the queue is empty */
    int64_t overload_ns;   /* TIME_NEVER: nothing was */
    int64_t allowed_ns;    /* the delay that a queue of ours may cause */
    int64_t fine_ns;       /* when the last probe left that met no longer one: what left since may be lost */
    int64_t clean_ns;      /* what left before may have been lost by our own speed */

    /* The window: what left since the rate changed. */
    int64_t began_ns;
    uint64_t sent;        /* packets, */
    int64_t last_left_ns; /* the last of them */
    int64_t asked_from_ns;
    uint64_t asked;    /* first tries since then */
    uint64_t answered; /* of these */
    uint64_t soundings, soundings_back;
    unsigned samples; /* answers whose delay is known */
    int64_t first_sent_ns, last_sent_ns;
    int64_t first_queue_ns, last_queue_ns, least_queue_ns;
    int64_t queue_ns; /* of late, smoothed */
};

void rate_init(struct rate *rate, const struct rate_limits *limits, int64_t now_ns);

/* Until the path is proved. */
void rate_set_unproved(struct rate *rate, double unproved_pps);

/* Packets left; of them so many first tries of ports. */
void rate_sent(struct rate *rate, uint64_t packets, uint64_t first_tries, int64_t now_ns);

/* What is asked from now on is answered more or less often than what was asked before. */
void rate_new_ground(struct rate *rate, int64_t now_ns);

/* An answer to a probe that left at sent_ns.
 *   queue_ns   longer than its host's shortest round trip; < 0: not known
 *   first_try  of a port */
void rate_answered(struct rate *rate, int64_t sent_ns, int64_t queue_ns, bool first_try);

/* The fate of a probe that is known to be answered, and left at sent_ns: it is back, or lost. */
void rate_sounded(struct rate *rate, int64_t sent_ns, bool back);

/* Is the queue short that so many packets make which leave at once? */
bool rate_bears_burst(const struct rate *rate, unsigned packets);

/* Probes that are always answered left at the present rate, and none of them was. Has next to nothing else
 * shown that the path carries it? Then it becomes again what was kept up with before, and what left since
 * overload_ns was lost, perhaps. */
bool rate_is_unheard(struct rate *rate, int64_t now_ns);

/* Our own side dropped packets: it is too fast for us. */
void rate_dropped(struct rate *rate, int64_t now_ns);

/* Nothing has shown yet what the path carries: each answer brings the next step nearer. */
bool rate_is_sought(const struct rate *rate);

/* Is it time to change the rate? rtt_ns: a typical round trip, without queues; 0: not known. */
enum rate_change rate_update(struct rate *rate, int64_t now_ns, int64_t rtt_ns);
