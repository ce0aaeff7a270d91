/* How far the scan is, told to whoever keeps it: which hosts are in which block, and up to where the order of
 * each block was asked so long ago that an answer would be here. A scan that goes on from there asks nothing
 * twice but the last seconds. */
#include "engine/internal.h"

#define CHECKPOINT_PERIOD_NS SEC
#define INTAKE_TURNS_AHEAD   4

void checkpoint_begin_block(struct engine *engine, const struct scan_block *scan_block)
{
    const struct block *block = &scan_block->block;
    if (!engine->config.checkpoints)
        return;
    uint32_t first = 0;
    for (uint32_t slot = 1; slot <= block->host_count; slot++) {
        if (slot < block->host_count && block->hosts[slot] == block->hosts[slot - 1] + 1)
            continue;
        struct order_range run = {block->hosts[first], block->hosts[slot - 1] + 1};
        emit_checkpoint(engine, RECORD_BLOCK_HOSTS, scan_block, 0, run);
        first = slot;
    }
    /* Nothing was asked yet. Said at once: of a block without a state it would not be known what was
     * answered. */
    emit_checkpoint(engine, RECORD_BLOCK, scan_block, 0, (struct order_range){0, 0});
}

void checkpoint_end_block(struct engine *engine, struct scan_block *scan_block)
{
    if (engine->config.checkpoints && !scan_block->told_end)
        emit_checkpoint(engine, RECORD_BLOCK_END, scan_block, 0, (struct order_range){0, 0});
    scan_block->told_end = true;
}

/* Said before they are taken in, so that whatever is known of a host is known of one below. */
void checkpoint_intake(struct engine *engine, uint32_t hosts)
{
    uint64_t all = engine->config.plan->host_count;
    if (!engine->config.checkpoints || engine->told_intake == all ||
        engine->next_host + hosts <= engine->told_intake)
        return;
    uint64_t left = all - engine->next_host;
    uint64_t ahead = (uint64_t)hosts * INTAKE_TURNS_AHEAD;
    engine->told_intake = engine->next_host + (ahead < left ? ahead : left);
    emit_checkpoint(engine, RECORD_INTAKE, NULL, 0, (struct order_range){engine->told_intake, 0});
}

/* Move the marks on. What was sent before the older one has been answered by now, or is lost. */
static void update_marks(struct engine *engine, struct scan_block *scan_block)
{
    int64_t since_mark_ns = engine->now_ns - scan_block->marks[1].time_ns;
    if (since_mark_ns < CHECKPOINT_PERIOD_NS || since_mark_ns < block_rto_ns(engine, scan_block))
        return;
    scan_block->marks[0] = scan_block->marks[1];
    scan_block->marks[1] = (struct checkpoint_mark){engine->now_ns, scan_block->cursor};
}

/* Tries that count, and how much of the order was asked once more. A limited host begins anew: its pace must
 * be learned again anyway. A repair sweep is all void until it is over. */
static struct checkpoint_mark state_of(const struct scan_block *scan_block)
{
    uint64_t all = block_probe_count(&scan_block->block);
    if (scan_block->lane || scan_block->calm || scan_block->first_sent_ns[0] == TIME_NEVER)
        return (struct checkpoint_mark){0, 0};
    if (scan_block->tries_counted)
        return (struct checkpoint_mark){scan_block->valid_tries - 1, all};
    if (scan_block->repair_count)
        return (struct checkpoint_mark){scan_block->valid_tries, all};
    return (struct checkpoint_mark){scan_block->valid_tries, scan_block->marks[0].cursor};
}

static void tell_voids(struct engine *engine, const struct scan_block *scan_block)
{
    for (unsigned i = 0; i < scan_block->void_count; i++)
        emit_checkpoint(engine, RECORD_BLOCK_VOID, scan_block, 0, scan_block->voids[i]);
    for (unsigned i = 0; i < scan_block->repair_count && !scan_block->tries_counted; i++)
        emit_checkpoint(engine, RECORD_BLOCK_VOID, scan_block, 0, scan_block->repairs[i]);
}

static void checkpoint_block(struct engine *engine, struct scan_block *scan_block)
{
    if (scan_block->phase == PHASE_FINISHED) {
        checkpoint_end_block(engine, scan_block);
        return;
    }
    update_marks(engine, scan_block);
    struct checkpoint_mark state = state_of(scan_block);
    bool same = scan_block->told.time_ns == state.time_ns && scan_block->told.cursor == state.cursor;
    if (same && scan_block->void_count == 0 && scan_block->repair_count == 0)
        return;
    scan_block->told = state;
    emit_checkpoint(engine, RECORD_BLOCK, scan_block, (uint64_t)state.time_ns,
                    (struct order_range){state.cursor, 0});
    tell_voids(engine, scan_block);
}

void checkpoint_run(struct engine *engine)
{
    engine->next_checkpoint_ns = engine->now_ns + CHECKPOINT_PERIOD_NS;
    for (unsigned i = 0; i < engine->block_count; i++)
        checkpoint_block(engine, engine->blocks[i]);
}
