/* The second try of hosts of which nothing has answered yet: their silence may be that of a policer that the
 * first was too fast for. So it is slow, and a policer lets something through, which shows it. */
#include "engine/internal.h"

/* A host is asked so slowly, unless that takes too long. */
#define HOST_PPS     500
#define SWEEP_MAX_NS (2 * SEC)

void second_try_pace(struct engine *engine, struct scan_block *scan_block)
{
    uint64_t pending = 0, hosts = 0, silent = 0;
    scan_block->is_paced = false;
    if (scan_block->kind != BLOCK_PORTS || scan_block->valid_tries != 1 ||
        scan_block->block.spec_count < POLICED_PORTS_LEAST || !calm_is_possible(engine))
        return;
    for (uint32_t i = 0; i < scan_block->block.host_count; i++) {
        const struct host_slot *slot = &scan_block->slots[i];
        if (slot->done)
            continue;
        hosts++;
        pending += slot->open;
        silent += !host_is_known(engine, slot);
    }
    double by_hosts = (double)hosts * HOST_PPS;
    double by_time = (double)pending * (double)SEC / (double)SWEEP_MAX_NS;
    scan_block->is_paced = silent > 0;
    pacer_init(&scan_block->pacer, by_hosts > by_time ? by_hosts : by_time, engine->now_ns);
}
