/* How sure a silence is: the chance that a port, or a host, was asked so often and answers all the same. */
#include "engine/internal.h"

/* The chance that a try to this host is lost. */
static double chance_of_loss(struct engine *engine, const struct scan_block *scan_block,
                             const struct host_slot *slot)
{
    static const struct loss nothing_known = {0};
    const struct host_record *record = host_table_get(&engine->hosts, slot->record);
    const struct path *path = path_of(engine, scan_block);
    if (scan_block->kind == BLOCK_NEIGHBOR)
        return loss_of_path(&path->neighbor_loss);
    return loss_of_host(path_chance_of_loss(path), record ? &record->loss : &nothing_known);
}

double silence_risk(struct engine *engine, const struct scan_block *scan_block, const struct host_slot *slot)
{
    uint32_t asked = scan_block->block.spec_count;
    return loss_silence_risk(chance_of_loss(engine, scan_block, slot), asked - slot->open, asked,
                             scan_block->valid_tries);
}

bool silence_is_certain(struct engine *engine, const struct scan_block *scan_block,
                        const struct host_slot *slot, unsigned tries)
{
    double p = chance_of_loss(engine, scan_block, slot);
    uint32_t asked = scan_block->block.spec_count;
    if (tries < (scan_block->kind == BLOCK_NEIGHBOR ? neighbor_tries(engine, scan_block) : 2))
        return false;
    if (scan_block->kind == BLOCK_PORTS)
        return loss_silence_is_certain(p, asked - slot->open, asked, tries, engine->config.timing.risk);
    /* Any one answer would have shown the host. */
    return loss_silence_is_certain(p, 0, 1, tries * asked, engine->config.timing.risk);
}
