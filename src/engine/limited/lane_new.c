#include "engine/limited/lane.h"

#include <stdlib.h>

struct lane *lane_new(uint32_t bits_max, uint16_t first_source, uint32_t source_count, int64_t now_ns)
{
    struct lane *lane = calloc(1, sizeof *lane);
    if (!lane)
        return NULL;
    lane->waiting_max = source_count ? LANE_WINDOW_POOL : LANE_WINDOW;
    lane->waiting = calloc(lane->waiting_max, sizeof *lane->waiting);
    lane->bits = calloc(bits_max, sizeof *lane->bits);
    if (!lane->bits || !lane->waiting) {
        lane_free(lane);
        return NULL;
    }
    limiter_init(&lane->limiter, now_ns);
    limiter_init(&lane->errors, now_ns);
    lane_pool_init(&lane->pool, first_source, source_count, now_ns);
    lane->alone = lane->pool.count == 0;
    lane->resume_ns = now_ns;
    lane->state = LANE_PAUSE;
    return lane;
}

void lane_free(struct lane *lane)
{
    if (!lane)
        return;
    lane_pool_done(&lane->pool);
    free(lane->waiting);
    free(lane->bits);
    free(lane);
}
