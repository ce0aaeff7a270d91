/* Which ports of a host are open, found by asking for many at once (adaptive group testing): a group of ports
 * is tested until the evidence is enough one way or the other. A group without an open port is done; one with
 * some is halved, down to single ports. When the first half holds none, the second needs no test of its own:
 * it must be the one. When the first half holds some, of the second no more is known than of ports that were
 * never asked for, and it goes back to them (Hwang's generalized binary splitting). When no port is found in
 * a group that had shown one, a burst was taken for an answer, and its ports are tested anew.
 *
 * Each test is Wald's: it ends when the likelihood ratio leaves an interval. The ends bound the chance of
 * being wrong.
 *
 * At first tests are made with a guess of when answers show. What they do not show is kept apart until an
 * open port has proved the guess, and forgotten if none does. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rand.h"
#include "engine/idle/lag.h"

/* ln of the likelihood ratios at which a test ends. A group of closed ports is taken for one with an open
 * port with a chance of e^-3 at most, which costs time; a port is called open wrongly with one of e^-open_at,
 * which is the final word; and a group with an open port for one without with one of e^-9.3 (9e-5), at each
 * of some ten tests. */
#define GROUP_SPLIT_AT 3.0
#define GROUP_NONE_AT  (-9.3)

#define GROUP_OPEN_TESTS                                                                                     \
    3 /* whatever the evidence: traffic in bursts of one size could deceive us once, or twice */

#define GROUP_PORTS_MAX 512
#define GROUP_TESTS_MAX 100 /* a port that is still in doubt after so many tests stays so */

enum port_finding { FINDING_NONE_YET, FINDING_OPEN, FINDING_NOT_OPEN, FINDING_IN_DOUBT };

/* Ports, by their places in the list of ports: one leads to the next (port_groups.next). count 0: none. */
struct port_chain {
    uint32_t first, last, count;
};

struct group {
    struct port_chain ports;
    uint32_t root;    /* the group it was halved from in the end */
    uint32_t sibling; /* the other half; GROUP_NIL: none, or done */
    double evidence;  /* ln of the likelihood ratio so far */
    double shown,
        sent; /* of a single port: packets that its SYNs brought, and SYNs, in the tests that showed some; */
    double noise;        /* and the zombie's own that were to be expected there */
    struct lag_span lag; /* and how much later they did, as far as that was measured */
    uint8_t tests, lag_tests;
    bool second_half;
    bool in_flight;
};

#define GROUP_NIL UINT32_MAX

struct group_root {
    struct port_chain silent; /* its ports in which nothing was found */
    uint32_t parts;           /* groups of it that are not done */
    uint32_t found;           /* and so many open ports were found, or are in doubt */
    uint8_t tests;            /* times it was begun */
    bool shown;               /* it was halved: something in it moved the ID */
    bool leads;               /* it is what the guess comes from */
};

struct port_groups {
    uint32_t port_count, capacity;
    double open_at;       /* ln of the likelihood ratio at which a single port is open; > GROUP_SPLIT_AT */
    uint8_t *findings;    /* owned; enum port_finding by port */
    uint8_t *failures;    /* owned; guesses that failed at a port */
    uint32_t *next;       /* owned; the chains */
    struct group *groups; /* owned; place for as many as there are ports */
    uint32_t *live;       /* owned; the groups not done */
    uint32_t *unused;     /* owned; places free, a stack */
    struct group_root *roots; /* owned */
    uint32_t *unused_roots;   /* owned; a stack */
    uint32_t live_count, unused_count, unused_root_count;
    struct port_chain pool; /* ports that are in no group */
    struct port_chain silent,
        refuted; /* while tests are made with a guess: nothing showed; something did, and came to nothing */
    uint32_t open_count, done_count;
    double recent_open, recent_done; /* of the last few hundred ports of the list */
    uint32_t bursts;                 /* groups that had shown something that was not there */
    uint32_t leads;                  /* roots that may prove the guess */
    bool tentative; /* what is tested with is a guess: that nothing was found proves nothing */
};

/* -ENOMEM, with nothing to free.
 *   risk  the chance that is accepted of calling a closed port open; 0 < risk <= 0.1. A tenth of it is aimed
 *         at, since a law of chance is a model. */
int port_groups_init(struct port_groups *groups, uint32_t port_capacity, double risk);
void port_groups_done(struct port_groups *groups);

/* Begin a host: nothing is known of any port, nor of the way to it. port_count <= port_capacity */
void port_groups_begin(struct port_groups *groups, uint32_t port_count);

/* The next group to test, marked as in flight; GROUP_NIL: none can be tested now.
 *   rand       which of several: the order must not follow any traffic
 *   unlike     not this one again at once; GROUP_NIL: any
 *   deep       only groups that have shown something, the smallest first
 *   ahead      also second halves whose test the first may make needless
 *   root_size  how many ports a new group gets; 1 .. GROUP_PORTS_MAX */
uint32_t port_groups_next(struct port_groups *groups, struct rand *rand, uint32_t unlike, bool deep,
                          bool ahead, uint32_t root_size);

/* The test of a group came to this evidence; the group may be gone afterwards. */
void port_groups_tested(struct port_groups *groups, uint32_t index, double evidence);

/* Would such a test say that a single port is open? */
bool port_groups_would_open(const struct port_groups *groups, uint32_t index, double evidence);

/* A single port has been tried by itself: what tests have said of it before does not count. Between what
 * says that it is open and what says that it is not, it stays in doubt. */
void port_groups_tried(struct port_groups *groups, uint32_t index, double evidence);

/* The test of a group came to nothing. */
void port_groups_void(struct port_groups *groups, uint32_t index);

/* Whatever the way is like, no port of this group is open: final even while tests are tentative. */
void port_groups_rule_out(struct port_groups *groups, uint32_t index);

/* Nothing came of all its tests: whether a port of this group is open stays in doubt. */
void port_groups_doubt(struct port_groups *groups, uint32_t index);

/* The guess comes from this group, of which the search has shown so much. While `leads` is not 0 the guess
 * may be proved. */
void port_groups_lead(struct port_groups *groups, uint32_t index, double evidence);

/* The guess was wrong: what was tested with it begins anew, and all groups are gone. */
void port_groups_restart(struct port_groups *groups);

/* Tests may have been wrong: of what is not decided nothing is known but which groups were halved. */
void port_groups_doubt_all(struct port_groups *groups);

/* What is tested with is sure from now on.
 *   right  the guess was as good; else what it did not show is asked for again */
void port_groups_settle(struct port_groups *groups, bool right);

bool port_groups_all_done(const struct port_groups *groups);

/* The share of ports that are open where the next group begins: the usual ones come first, and more of them
 * are. */
double port_groups_density(const struct port_groups *groups);
