/* The end of a host: what is still known of its ports is said, and it leaves its block. */
#include "base/bitset.h"
#include "engine/internal.h"

/* Soft errors that no second answer confirmed are what is known of a port. An open that only a port number
 * proved, and that nothing confirmed, is not. */
static void report_provisional(struct engine *engine, struct scan_block *scan_block, uint32_t slot,
                               const struct addr *host)
{
    for (uint32_t spec = 0; engine->provisional.count && spec < scan_block->block.spec_count; spec++) {
        uint64_t bit = scan_block_bit(scan_block, slot, spec);
        if (!bitset_get(scan_block->block.pending, bit))
            continue;
        struct provisional *entry = provisional_find(&engine->provisional, scan_block->block.id, bit);
        if (!entry || entry->weak)
            continue;
        entry->final = true;
        bitset_clear(scan_block->block.pending, bit);
        scan_block->slots[slot].open--;
        emit_port(engine, host, &scan_block->block.specs[spec], &entry->verdict, 0,
                  (uint8_t)(entry->try_number + 1), 0);
    }
}

static void finish_discovery(struct engine *engine, struct scan_block *scan_block, uint32_t slot,
                             uint8_t flags)
{
    struct addr host = block_host(&scan_block->block, slot);
    host_table_give_back(&engine->hosts, scan_block->slots[slot].record);
    scan_block->slots[slot].record = HOST_RECORD_NONE;
    scan_block_drop_host(scan_block, slot, false);
    if (flags & RECORD_UNFINISHED)
        return; /* not known to be up or down */
    if (scan_block->kind == BLOCK_NEIGHBOR && engine->config.assume_up) {
        struct verdict user_set = {.state = PORT_OPEN, .reason = REASON_USER_SET};
        emit_host_up(engine, &host, &user_set, 0);
        emit_host_unreachable(engine, &host);
        return;
    }
    emit_host_down(engine, &host, REASON_NO_RESPONSE);
}

/* Did none of the probes leave, because nobody on the link has the address? */
static bool next_hop_is_missing(struct engine *engine, const struct addr *host)
{
    const struct netio_ops *ops = engine->io->ops;
    return ops->next_hop_missing && ops->next_hop_missing(engine->io, host);
}

static void report_unreachable(struct engine *engine, struct host_slot *slot, const struct addr *host)
{
    emit_host_unreachable(engine, host);
    host_table_give_back(&engine->hosts, slot->record);
    slot->record = HOST_RECORD_NONE;
}

static uint8_t note_cap(struct engine *engine, const struct scan_block *scan_block, uint32_t slot)
{
    struct addr host = block_host(&scan_block->block, slot);
    if (scan_block->kind != BLOCK_PORTS)
        return 0;
    emit_note(engine, NOTE_RETRY_CAP, &host, scan_block->slots[slot].open, scan_block->valid_tries);
    return RECORD_CAPPED;
}

void host_finish(struct engine *engine, struct scan_block *scan_block, uint32_t slot_index, uint8_t flags)
{
    struct host_slot *slot = &scan_block->slots[slot_index];
    if (scan_block->kind != BLOCK_PORTS) {
        finish_discovery(engine, scan_block, slot_index, flags);
        return;
    }
    struct addr host = block_host(&scan_block->block, slot_index);
    if (slot->open)
        report_provisional(engine, scan_block, slot_index, &host);
    /* Probes that never left say nothing. */
    if (slot->open && slot->unsent_try == scan_block->try_number + 1)
        flags |= RECORD_UNFINISHED;
    if (flags & RECORD_UNFINISHED)
        flags &= (uint8_t)~RECORD_CAPPED;
    else if (slot->open && !slot->certain)
        engine->account.doubt += silence_doubt(engine, scan_block, slot);
    if (flags & RECORD_CAPPED)
        engine->account.ports_capped += slot->open;
    if (slot->open && !(flags & RECORD_UNFINISHED) && next_hop_is_missing(engine, &host))
        report_unreachable(engine, slot, &host);
    else
        closing_take(engine, scan_block, slot_index, flags);
    scan_block_drop_host(scan_block, slot_index, !(flags & RECORD_UNFINISHED));
}

void host_finish_asked(struct engine *engine, struct scan_block *scan_block, uint32_t slot, bool certain)
{
    host_finish(engine, scan_block, slot, certain ? 0 : note_cap(engine, scan_block, slot));
}
