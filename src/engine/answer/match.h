/* Which probe is it an answer to, and what proves that (design decision 5)? */
#pragma once

#include "engine/answer/flow.h"
#include "engine/internal.h"

/* A probe that an answer was matched with. */
struct match {
    struct scan_block *scan_block;
    uint32_t slot;
    uint32_t spec;
    uint16_t source; /* number of our address in the pool; 0: the usual one */
    uint8_t try_number;
    bool try_assumed; /* the answer does not tell it: it is taken for the one that is being sent */
    int64_t rtt_ns;   /* 0: not known */
    bool weak;        /* proved by a port number alone */
    bool returned;    /* it is the probe itself */
};

/* The next spec from *spec on that this answer can be to. A scan has one at most; discovery may have
 * several. */
bool match_next_spec(const struct engine *engine, const struct scan_block *scan_block,
                     const struct flow *flow, const struct packet *packet, uint32_t *spec);

/* By the numbers it carries, or, where nothing but a port comes back, by that. */
bool match_prove(const struct engine *engine, const struct answer *answer, const struct flow *flow,
                 const struct probe_spec *spec, struct match *match);
