/* Is a host fit as a zombie? Questions at a steady pace show how it numbers its packets, how far away it is,
 * what gets lost on the way, and how much it sends by itself. */
#pragma once

#include "engine/idle/zombie.h"

#define QUALIFY_QUESTIONS_MAX 60 /* when answers get lost; as many must be remembered */
#define QUALIFY_GAP_NS        (20 * MSEC)
#define QUALIFY_HINTS_MAX     4

struct qualification {
    enum ipid_class class;
    double pps;      /* packets a second that it sends by itself; of classes that fit, and IPID_BUSY */
    int64_t span_ns; /* in which that was counted */
};

/* What makes a zombie put IDs on its packets to us: sent before the first question. Returns how many; none
 * over IPv4. */
unsigned qualify_hints(const struct zombie *zombie, struct probe ret[static QUALIFY_HINTS_MAX]);

/* Is another question wanted, QUALIFY_GAP_NS after the last one? */
bool qualify_asks_more(const struct zombie *zombie);

/* What the answers say, once no question is open. Sets how the zombie's counter is read, and its loss. */
struct qualification qualify_judge(struct zombie *zombie);
