#include "engine/path/part_block.h"

#include <stdlib.h>

#include "engine/internal.h"
#include "engine/limited/own_block.h"

/* The sweep in progress is begun anew, for it has another order. What was asked before stays asked, unless it
 * was too fast for these hosts: then it was no try. */
static void go_on(struct engine *engine, const struct scan_block *from, struct scan_block *to,
                  bool was_too_fast)
{
    to->started_ns = from->started_ns;
    if (from->first_sent_ns[0] == TIME_NEVER)
        return;
    to->sweep = from->sweep;
    to->valid_tries = was_too_fast ? 0 : from->valid_tries;
    for (unsigned i = 0; i < TOKEN_TRIES_MAX; i++) {
        to->valid_before[i] = from->valid_before[i];
        to->first_sent_ns[i] = from->first_sent_ns[i];
    }
    scan_block_start_sweep(to, false, engine->now_ns);
}

static bool move(struct engine *engine, struct scan_block *from, const uint32_t *slots, uint32_t count,
                 bool was_too_fast)
{
    struct waiting_host *hosts = calloc(count, sizeof *hosts);
    if (!hosts)
        return false;
    for (uint32_t i = 0; i < count; i++)
        hosts[i] = (struct waiting_host){from->hosts[slots[i]], from->slots[slots[i]].record, from->path};
    struct scan_block *to = blocks_make_part(engine, hosts, count);
    free(hosts);
    if (!to)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct host_record *record = host_table_get(&engine->hosts, from->slots[slots[i]].record);
        if (record)
            record->canary_asked = false; /* at the end of a sweep that is not over for it */
        own_block_move_host(engine, from, slots[i], to, i);
    }
    go_on(engine, from, to, was_too_fast);
    return true;
}

uint32_t part_block_move(struct engine *engine, struct scan_block *from, unsigned path)
{
    const struct path_part *part = &engine->parts[path];
    bool was_too_fast = part->is_worse && part->what != PATH_FAR;
    uint32_t count = 0;
    uint32_t *slots = calloc(from->block.host_count, sizeof *slots);
    if (!slots)
        return 0;
    for (uint32_t slot = 0; slot < from->block.host_count; slot++) {
        struct addr host = block_host(&from->block, slot);
        if (!from->slots[slot].done && network_contains(&part->network, &host))
            slots[count++] = slot;
    }
    unsigned last = engine->block_count;
    if (count > 0 && count == from->open_hosts) {
        bool sweeps = !from->lane && !from->calm;
        from->path = path;
        from->valid_tries = sweeps && was_too_fast ? 0 : from->valid_tries;
    } else if (count > 0 && move(engine, from, slots, count, was_too_fast)) {
        engine->blocks[last]->path = path;
    } else {
        count = 0;
    }
    free(slots);
    return count;
}
