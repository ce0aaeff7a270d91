/* What our own side lost: it is void, and asked again. */
#include "base/time.h"
#include "engine/internal.h"

/* What left between these times, or was to be answered then, is asked again. Returns how many positions that
 * is. */
static uint64_t void_span(struct engine *engine, int64_t from_ns, int64_t to_ns)
{
    uint64_t positions = 0;
    for (unsigned i = 0; i < engine->block_count; i++) {
        struct scan_block *scan_block = engine->blocks[i];
        if (scan_block->lane)
            lane_void(engine, scan_block);
        else if (scan_block->calm)
            calm_void(scan_block);
        else if (scan_block->phase != PHASE_FINISHED)
            positions += scan_block_void_time(scan_block, from_ns - block_rto_ns(engine, scan_block), to_ns);
    }
    engine->void_positions += positions;
    return positions;
}

void losses_on_dropped(void *context, int64_t from_ns, int64_t to_ns, uint64_t count)
{
    struct engine *engine = context;
    paths_dropped(engine);
    emit_note(engine, NOTE_RING_DROPS, NULL, count, void_span(engine, from_ns, to_ns));
}

void losses_on_disturbed(void *context, enum disturbance what, int64_t from_ns, int64_t to_ns)
{
    static const enum note notes[] = {
        [DISTURBANCE_GONE] = NOTE_WAY_GONE,       [DISTURBANCE_BACK] = NOTE_WAY_BACK,
        [DISTURBANCE_SOURCE] = NOTE_NEW_SOURCE,   [DISTURBANCE_REROUTED] = NOTE_REROUTED,
        [DISTURBANCE_SWALLOWED] = NOTE_SWALLOWED,
    };
    struct engine *engine = context;
    uint64_t positions = void_span(engine, from_ns, to_ns);
    emit_note(engine, notes[what], NULL, positions, (uint64_t)((to_ns - from_ns) / MSEC));
}
