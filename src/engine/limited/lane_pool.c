#include "engine/limited/lane_pool.h"

#include <assert.h>
#include <stdlib.h>

#include "base/time.h"

/* Linux saves up six ICMP errors for one address, and gives 1,000 a second to all together, 50 at once
 * (net.ipv4.icmp_ratelimit, icmp_msgs_per_sec, icmp_msgs_burst). A little less is asked for. */
#define BUCKET_TOKENS   6.0
#define TOGETHER_TOKENS 32.0
#define TOGETHER_PPS    900.0

/* What a silent probe takes of a token: either the port is silent, or the token was not there. */
#define SILENCE_COST 0.5

void lane_pool_init(struct lane_pool *pool, uint16_t first, uint32_t count, int64_t now_ns)
{
    *pool = (struct lane_pool){.first = first, .together = {TOGETHER_TOKENS, now_ns}};
    pool->buckets = count ? calloc(count, sizeof *pool->buckets) : NULL;
    if (!pool->buckets)
        return;
    pool->count = count;
    for (uint32_t i = 0; i < count; i++)
        pool->buckets[i] = (struct lane_bucket){BUCKET_TOKENS, now_ns};
}

void lane_pool_done(struct lane_pool *pool)
{
    free(pool->buckets);
    *pool = (struct lane_pool){0};
}

static void fill(struct lane_bucket *bucket, double period_ns, double capacity, int64_t now_ns)
{
    if (period_ns > 0)
        bucket->tokens += (double)(now_ns - bucket->at_ns) / period_ns;
    if (bucket->tokens > capacity)
        bucket->tokens = capacity;
    bucket->at_ns = now_ns;
}

bool lane_pool_next(struct lane_pool *pool, double period_ns, int64_t now_ns, uint16_t *ret_source,
                    uint32_t *ret_allowance)
{
    fill(&pool->together, (double)SEC / TOGETHER_PPS, TOGETHER_TOKENS, now_ns);
    for (uint32_t looked = 0; looked < pool->count && pool->together.tokens >= 1; looked++) {
        uint32_t index = pool->turn;
        struct lane_bucket *bucket = &pool->buckets[index];
        pool->turn = (pool->turn + 1) % pool->count;
        fill(bucket, period_ns, BUCKET_TOKENS, now_ns);
        if (bucket->tokens < 1)
            continue;
        double tokens = bucket->tokens < pool->together.tokens ? bucket->tokens : pool->together.tokens;
        *ret_source = (uint16_t)(pool->first + index);
        *ret_allowance = (uint32_t)tokens;
        return true;
    }
    return false;
}

static struct lane_bucket *bucket_of(struct lane_pool *pool, uint16_t source)
{
    assert(source >= pool->first && source - pool->first < (int)pool->count);
    return &pool->buckets[source - pool->first];
}

void lane_pool_promise(struct lane_pool *pool, uint16_t source, uint32_t probes)
{
    bucket_of(pool, source)->tokens -= probes;
    pool->together.tokens -= probes;
}

static int64_t token_ns(const struct lane_bucket *bucket, double period_ns)
{
    if (bucket->tokens >= 1)
        return bucket->at_ns;
    return period_ns > 0 ? bucket->at_ns + (int64_t)((1 - bucket->tokens) * period_ns) + 1 : TIME_NEVER;
}

int64_t lane_pool_next_ns(const struct lane_pool *pool, double period_ns)
{
    int64_t next_ns = TIME_NEVER;
    for (uint32_t i = 0; i < pool->count; i++) {
        int64_t at_ns = token_ns(&pool->buckets[i], period_ns);
        next_ns = at_ns < next_ns ? at_ns : next_ns;
    }
    int64_t together_ns = token_ns(&pool->together, (double)SEC / TOGETHER_PPS);
    return next_ns > together_ns ? next_ns : together_ns;
}

void lane_pool_silent(struct lane_pool *pool, uint16_t source)
{
    bucket_of(pool, source)->tokens += 1 - SILENCE_COST;
}

void lane_pool_untouched(struct lane_pool *pool, uint16_t source)
{
    bucket_of(pool, source)->tokens += 1;
}
