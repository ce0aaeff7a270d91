/* Answers about a port that is settled already (design decision 6): better evidence replaces worse; between
 * equals the first stands, and the conflict is told. */
#include "base/bitset.h"
#include "engine/internal.h"

void settled_by(struct scan_block *scan_block, uint64_t bit, const struct verdict *verdict)
{
    if (verdict->rank == RANK_SERVICE)
        bitset_set(scan_block->served, bit);
}

static void note_conflict(struct engine *engine, const struct scan_block *scan_block, uint64_t bit)
{
    const struct block *block = &scan_block->block;
    struct addr host = block_host(block, (uint32_t)(bit % block->host_count));
    engine->account.conflicts++;
    emit_note(engine, NOTE_CONFLICT, &host, block->specs[bit / block->host_count].port, 0);
}

/* Against the answer of a service. */
static bool contradicts_service(const struct verdict *verdict)
{
    return verdict->rank == RANK_RESET && verdict->state != PORT_OPEN;
}

bool settled_outweighed(struct engine *engine, const struct scan_block *scan_block, uint64_t bit,
                        const struct verdict *verdict, bool weak)
{
    struct provisional *earlier = provisional_find(&engine->provisional, scan_block->block.id, bit);
    if (bitset_get(scan_block->served, bit)) {
        if (contradicts_service(verdict))
            note_conflict(engine, scan_block, bit);
        return false;
    }
    bool serves = verdict->rank == RANK_SERVICE;
    if (serves && weak)
        return false;
    if (!earlier || !earlier->final)
        return serves; /* it was settled by a reset, or there was no room to remember */
    if (verdict->rank == earlier->verdict.rank && verdict->state != earlier->verdict.state)
        note_conflict(engine, scan_block, bit);
    if (verdict->rank <= earlier->verdict.rank)
        return false;
    earlier->verdict = *verdict;
    return true;
}
