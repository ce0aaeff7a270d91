/* Blocks of an interrupted scan: the same hosts in the same order, without the probes that were answered.
 * What the answers had taught about losses and limiters is learned from them again. */
#include <stdlib.h>

#include "base/bitset.h"
#include "engine/internal.h"

static struct scan_block *make_block(struct engine *engine, const struct resumed_block *resumed)
{
    struct waiting_host *hosts = calloc(resumed->host_count, sizeof *hosts);
    if (!hosts)
        return NULL;
    struct addr first = plan_host_at(engine->config.plan, resumed->hosts[0]);
    unsigned path = paths_find(engine, &first); /* a block has one */
    for (uint32_t slot = 0; slot < resumed->host_count; slot++)
        hosts[slot] = (struct waiting_host){.position = resumed->hosts[slot], .path = path};
    path_add_hosts(&engine->paths[path], resumed->host_count);
    engine->next_block_id = resumed->id;
    struct scan_block *scan_block =
        blocks_make(engine, (enum block_kind)resumed->kind, hosts, resumed->host_count);
    free(hosts);
    return scan_block;
}

/* As if the answer came now, but for what is told of it. */
static void take_again(struct engine *engine, struct scan_block *scan_block,
                       const struct resumed_answer *answer)
{
    const uint32_t *of_port = engine->spec_of_port[answer->protocol];
    if (!of_port || !of_port[answer->port] || answer->slot >= scan_block->block.host_count ||
        answer->tries == 0)
        return;
    uint32_t spec = of_port[answer->port] - 1;
    uint64_t bit = scan_block_bit(scan_block, answer->slot, spec);
    struct host_slot *slot = &scan_block->slots[answer->slot];
    if (!bitset_get(scan_block->block.pending, bit))
        return;
    bitset_clear(scan_block->block.pending, bit);
    if (answer->open)
        bitset_set(scan_block->served, bit);
    slot->open--;
    if (slot->record == HOST_RECORD_NONE)
        slot->record = host_table_take(&engine->hosts, &engine->rtt_limits);
    struct host_record *record = host_table_get(&engine->hosts, slot->record);
    loss_count(&path_of(engine, scan_block)->loss, answer->tries, answer->tries - 1u);
    if (!record)
        return;
    loss_count(&record->loss, answer->tries, answer->tries - 1u);
    if (answer->open && answer->protocol != PROTOCOL_UDP)
        canary_learn_service(record, spec);
    if (answer->limited)
        canary_learn_limited(record, spec, answer->limited == RANK_ICMP_TARGET);
}

/* What a store says lies behind the end of the order, if somebody else made it, is not sent again. */
static void void_again(struct scan_block *scan_block, const struct resumed_block *resumed)
{
    uint64_t probes = block_probe_count(&scan_block->block);
    for (size_t i = 0; i < resumed->void_count; i++) {
        struct order_range range = resumed->voids[i];
        range.end = range.end < probes ? range.end : probes;
        scan_block_void_range(scan_block, range);
    }
}

/* Hosts that were finished, and those all of whose ports had answered. */
static void drop_hosts(struct engine *engine, struct scan_block *scan_block,
                       const struct resumed_block *resumed)
{
    for (uint32_t slot = 0; slot < resumed->host_count; slot++) {
        if (!resumed->open[slot])
            scan_block_drop_host(scan_block, slot, false);
        else if (scan_block->slots[slot].open == 0)
            host_finish(engine, scan_block, slot, 0);
    }
}

bool restore_block(struct engine *engine, const struct resumed_block *resumed)
{
    bool askable = resumed->kind != BLOCK_NEIGHBOR || engine->has_neighbor_spec;
    if (resumed->kind == BLOCK_PING && engine->ping_spec_count == 0)
        askable = false;
    struct scan_block *scan_block = askable ? make_block(engine, resumed) : NULL;
    if (!scan_block)
        return false;
    for (size_t i = 0; i < resumed->answer_count; i++)
        take_again(engine, scan_block, &resumed->answers[i]);
    void_again(scan_block, resumed);
    scan_block_resume_sweep(scan_block, resumed->tries, resumed->next, engine->now_ns);
    drop_hosts(engine, scan_block, resumed);
    return true;
}
