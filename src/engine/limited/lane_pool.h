/* A limited host seen from the addresses of the pool: Linux has a bucket of ICMP errors for every address
 * that they go to, and one for all of them together. How fast a bucket fills is learned where the usual
 * address asks (limiter.h); here is only what each is believed to hold. As there, the belief decides when to
 * ask, never what silence means. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct lane_bucket {
    double tokens; /* not promised to a probe yet */
    int64_t at_ns; /* when tokens was right */
};

struct lane_pool {
    struct lane_bucket *buckets; /* owned; NULL: there is no pool */
    uint16_t first;              /* number in the pool of the first bucket's address */
    uint32_t count;
    uint32_t turn;               /* the bucket to be asked next: each has its turn */
    struct lane_bucket together; /* what the host gives to all */
};

/* All buckets are full, as of somebody that the host has not answered yet. Without memory there is no
 * pool. */
void lane_pool_init(struct lane_pool *pool, uint16_t first, uint32_t count, int64_t now_ns);
void lane_pool_done(struct lane_pool *pool);

/* The next source from which at least one probe may leave now, and how many may. False: none.
 *   period_ns  between two tokens of a bucket; 0: not known, so none fills */
bool lane_pool_next(struct lane_pool *pool, double period_ns, int64_t now_ns, uint16_t *ret_source,
                    uint32_t *ret_allowance);
void lane_pool_promise(struct lane_pool *pool, uint16_t source, uint32_t probes);

/* When the next probe may leave; TIME_NEVER: not before the period is known. */
int64_t lane_pool_next_ns(const struct lane_pool *pool, double period_ns);

/* A probe stayed silent, which makes a token less sure; or it was answered without one. */
void lane_pool_silent(struct lane_pool *pool, uint16_t source);
void lane_pool_untouched(struct lane_pool *pool, uint16_t source);
