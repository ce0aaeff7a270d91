#include "engine/limited/own_block.h"

#include "base/bitset.h"
#include "engine/internal.h"

/* One probe's part of it: is it pending, and what is known of it? The answers of before may come again. */
static void move_probe(struct engine *engine, const struct scan_block *from, uint64_t bit,
                       struct scan_block *to, uint64_t to_bit)
{
    if (!bitset_get(from->block.pending, bit))
        bitset_clear(to->block.pending, to_bit);
    if (bitset_get(from->served, bit))
        bitset_set(to->served, to_bit);
    if (bitset_get(from->silent, bit))
        bitset_set(to->silent, to_bit);
    provisional_copy(&engine->provisional, from->block.id, bit, to->block.id, to_bit);
}

void own_block_move_host(struct engine *engine, struct scan_block *from, uint32_t slot, struct scan_block *to,
                         uint32_t to_slot)
{
    to->slots[to_slot].open = from->slots[slot].open;
    for (uint32_t spec = 0; spec < from->block.spec_count; spec++)
        move_probe(engine, from, scan_block_bit(from, slot, spec), to, scan_block_bit(to, to_slot, spec));
    from->slots[slot].record = HOST_RECORD_NONE; /* it went along */
    scan_block_drop_host(from, slot, false);
}

struct scan_block *own_block_make(struct engine *engine, struct scan_block *from, uint32_t slot)
{
    struct waiting_host host = {from->hosts[slot], from->slots[slot].record, from->path};
    struct scan_block *to = blocks_make(engine, BLOCK_PORTS, &host, 1);
    if (!to)
        return NULL;
    /* Answers to what was asked before are welcome still. */
    for (unsigned i = 0; i < TOKEN_TRIES_MAX; i++)
        to->first_sent_ns[i] = from->first_sent_ns[0];
    to->try_number = TOKEN_TRY_CANARY;
    to->started_ns = from->started_ns;
    to->phase = PHASE_LANE;
    to->wake_ns = engine->now_ns;
    own_block_move_host(engine, from, slot, to, 0);
    return to;
}

int64_t own_block_rto_ns(struct engine *engine, const struct scan_block *scan_block)
{
    const struct host_record *record = host_table_get(&engine->hosts, scan_block->slots[0].record);
    return record && record->rtt.has_sample ? record->rtt.rto_ns : engine->rtt_limits.initial_rto_ns;
}
