/* How sure a silence is: the chance that a port, or a host, was asked so often and answers all the same. */
#include "engine/internal.h"

/* One host in so many that answer nothing is believed to be behind a policer all the same: as little is known
 * of that as of loss. */
#define POLICED_PRIOR 0.01

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

/* The chance that a silent port of this host answers all the same. */
static double silence_risk(struct engine *engine, const struct scan_block *scan_block,
                           const struct host_slot *slot)
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

bool host_is_known(struct engine *engine, const struct host_slot *slot)
{
    const struct host_record *record = host_table_get(&engine->hosts, slot->record);
    return record && (record->has_canary || record->service_count);
}

double silence_doubt(struct engine *engine, const struct scan_block *scan_block, const struct host_slot *slot)
{
    double doubt = slot->open * silence_risk(engine, scan_block, slot);
    uint32_t asked = scan_block->block.spec_count;
    if (asked >= POLICED_PORTS_LEAST && !host_is_known(engine, slot))
        doubt += POLICED_PRIOR * slot->open * loss_silence_risk(1, asked - slot->open, asked, 1);
    return doubt;
}
