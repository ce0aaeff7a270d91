/* The blocks that are at work: made and let go. */
#include <stdlib.h>
#include <string.h>

#include "base/bitset.h"
#include "engine/internal.h"
#include "engine/limited/lane.h"

/* What a block of this kind asks. */
static void describe(const struct engine *engine, enum block_kind kind, struct scan_block_config *config)
{
    switch (kind) {
    case BLOCK_NEIGHBOR:
        config->specs = &engine->neighbor_spec;
        config->spec_count = 1;
        break;
    case BLOCK_PING:
        config->specs = engine->ping_specs;
        config->spec_count = engine->ping_spec_count;
        break;
    case BLOCK_PORTS:
    case BLOCK_KIND_COUNT:
        config->specs = engine->port_specs;
        config->spec_count = engine->config.spec_count;
        config->early_count = engine->config.early_count;
        break;
    }
}

/* times: the room there is, for whatever leaves another block, whose own room is free only when that is
 * over */
static bool block_fits(const struct engine *engine, uint32_t hosts, uint32_t specs, unsigned times)
{
    return engine->block_count == 0 ||
           (engine->block_count < ENGINE_BLOCKS_MAX &&
            engine->hosts_in_blocks + hosts <= times * ENGINE_HOSTS_MAX &&
            engine->probes_in_blocks + (uint64_t)hosts * specs <= times * ENGINE_PROBES_MAX);
}

/* A timestamp is not asked over IPv6, for one. */
static void drop_impossible(struct scan_block *scan_block)
{
    const struct block *block = &scan_block->block;
    for (uint32_t spec = 0; spec < block->spec_count; spec++) {
        if (block->specs[spec].technique->ip_proto6 != IP_PROTO_NEVER)
            continue;
        for (uint32_t slot = 0; slot < block->host_count; slot++) {
            if (block_host(block, slot).family != ADDR_V6)
                continue;
            bitset_clear(block->pending, scan_block_bit(scan_block, slot, spec));
            scan_block->slots[slot].open--;
        }
    }
}

static struct scan_block *make(struct engine *engine, enum block_kind kind, const struct waiting_host *hosts,
                               uint32_t host_count, unsigned times)
{
    struct scan_block_config config = {
        .id = engine->next_block_id,
        .kind = kind,
        .plan = engine->config.plan,
        .hosts = hosts,
        .host_count = host_count,
        .seed = engine->config.plan->options.seed,
        .in_order = engine->config.plan->options.in_order || engine->config.timing.scan_delay_ns > 0,
        .now_ns = engine->now_ns,
    };
    describe(engine, kind, &config);
    if (!block_fits(engine, host_count, config.spec_count, times))
        return NULL;
    struct scan_block *scan_block = scan_block_new(&config);
    if (!scan_block)
        return NULL;
    engine->blocks[engine->block_count++] = scan_block;
    engine->hosts_in_blocks += host_count;
    engine->probes_in_blocks += (uint64_t)host_count * config.spec_count;
    engine->next_block_id++;
    if (kind == BLOCK_PING)
        drop_impossible(scan_block);
    checkpoint_begin_block(engine, scan_block);
    return scan_block;
}

struct scan_block *blocks_make(struct engine *engine, enum block_kind kind, const struct waiting_host *hosts,
                               uint32_t host_count)
{
    return make(engine, kind, hosts, host_count, 1);
}

struct scan_block *blocks_make_part(struct engine *engine, const struct waiting_host *hosts,
                                    uint32_t host_count)
{
    return make(engine, BLOCK_PORTS, hosts, host_count, 2);
}

struct scan_block *blocks_find(struct engine *engine, uint32_t id)
{
    for (unsigned i = 0; i < engine->block_count; i++)
        if (engine->blocks[i]->block.id == id)
            return engine->blocks[i];
    return NULL;
}

void blocks_drop(struct scan_block *scan_block)
{
    lane_free(scan_block->lane);
    free(scan_block->calm);
    scan_block_free(scan_block);
}

void blocks_free(struct engine *engine, unsigned index)
{
    struct scan_block *scan_block = engine->blocks[index];
    checkpoint_end_block(engine, scan_block);
    provisional_forget_block(&engine->provisional, scan_block->block.id);
    engine->hosts_in_blocks -= scan_block->block.host_count;
    engine->probes_in_blocks -= block_probe_count(&scan_block->block);
    blocks_drop(scan_block);
    engine->block_count--;
    memmove(&engine->blocks[index], &engine->blocks[index + 1],
            (engine->block_count - index) * sizeof engine->blocks[0]);
}
