/* What silence means: when a sweep and its time-out are over, each host is either certain enough, or asked
 * again. */
#include "engine/internal.h"

/* A host that answered late once may do so again; one that took over a second is waited for longest. */
#define LINGER_LATE_NS (2 * SEC)
#define LINGER_SLOW_NS (8 * SEC)

/* What did not leave, or was lost by our own doing, so many times in a row is given up. */
#define REPAIRS_MAX 12

static bool is_capped(const struct engine *engine, const struct scan_block *scan_block)
{
    bool gives_up = scan_block->void_count > 0; /* repairing was in vain */
    return gives_up || scan_block->valid_tries > engine->config.timing.max_retries;
}

static int64_t linger_until_ns(struct engine *engine, const struct scan_block *scan_block,
                               const struct host_slot *slot)
{
    const struct host_record *record = host_table_get(&engine->hosts, slot->record);
    if (!record)
        return 0;
    int64_t linger_ns = record->slowest_ns > SEC ? LINGER_SLOW_NS : record->late ? LINGER_LATE_NS : 0;
    return scan_block->last_sent_ns + linger_ns;
}

/* One host after a sweep. True: it must be asked again. */
static bool weigh_host(struct engine *engine, struct scan_block *scan_block, uint32_t slot_index,
                       int64_t *wake_ns)
{
    struct host_slot *slot = &scan_block->slots[slot_index];
    struct host_record *record = host_table_get(&engine->hosts, slot->record);
    double path_loss = loss_of_path(&path_of(engine, scan_block)->sounded_loss);
    enum canary_verdict canary = canary_judge(record, path_loss);
    if (canary == CANARY_POLICED && calm_is_possible(engine) && calm_open(engine, scan_block, slot_index))
        return false;
    bool draws_limited = canary == CANARY_LIMITED || canary == CANARY_POLICED;
    if (draws_limited && record->has_canary && lane_open(engine, scan_block, slot_index))
        return false;
    bool capped = is_capped(engine, scan_block);
    if (!slot->certain && canary != CANARY_UNCLEAR && scan_block->void_count == 0 &&
        silence_is_certain(engine, scan_block, slot, scan_block->valid_tries)) {
        slot->certain = true;
        if (scan_block->kind == BLOCK_PORTS)
            engine->account.doubt += silence_doubt(engine, scan_block, slot);
    }
    bool asks_on =
        !slot->certain || (scan_block->kind == BLOCK_PORTS && remainder_keep(engine, scan_block, slot_index));
    if (asks_on && !capped)
        return true;

    int64_t until_ns = linger_until_ns(engine, scan_block, slot);
    if (until_ns > engine->now_ns) {
        *wake_ns = until_ns < *wake_ns ? until_ns : *wake_ns;
        return false;
    }
    host_finish_asked(engine, scan_block, slot_index, slot->certain);
    return false;
}

void silence_weigh(struct engine *engine, struct scan_block *scan_block)
{
    paths_heed_silence(engine, scan_block);
    if (scan_block->void_count && scan_block->repairs_in_a_row < REPAIRS_MAX) {
        canary_forget(engine, scan_block);
        scan_block_start_sweep(scan_block, true, engine->now_ns);
        return;
    }
    engine->has_swept |= scan_block->kind != BLOCK_PORTS;
    if (!scan_block->tries_counted) {
        scan_block->valid_tries++;
        scan_block->tries_counted = true;
    }
    bool ask_again = false;
    int64_t wake_ns = TIME_NEVER;
    for (uint32_t slot = 0; slot < scan_block->block.host_count; slot++)
        if (!scan_block->slots[slot].done)
            ask_again |= weigh_host(engine, scan_block, slot, &wake_ns);
    if (ask_again) {
        scan_block_start_sweep(scan_block, false, engine->now_ns);
        second_try_pace(engine, scan_block);
    } else
        scan_block->wake_ns = wake_ns;
}

void silence_end_block(struct engine *engine, struct scan_block *scan_block, uint8_t flags)
{
    for (uint32_t slot = 0; slot < scan_block->block.host_count; slot++)
        if (!scan_block->slots[slot].done)
            host_finish(engine, scan_block, slot, flags);
}

void silence_time_out_hosts(struct engine *engine)
{
    int64_t timeout_ns = engine->config.timing.host_timeout_ns;
    for (unsigned i = 0; timeout_ns > 0 && i < engine->block_count; i++) {
        struct scan_block *scan_block = engine->blocks[i];
        if (scan_block->kind == BLOCK_PORTS && scan_block->phase != PHASE_FINISHED &&
            engine->now_ns - scan_block->started_ns >= timeout_ns)
            silence_end_block(engine, scan_block, RECORD_UNFINISHED | RECORD_TIMED_OUT);
    }
}
