/* What is left to ask when the silence of a host's ports is certain: payloads that have not had their turn,
 * and a second answer where the first was proved by nothing but a port number. Only these ports are asked
 * again. */
#include "base/bitset.h"
#include "engine/internal.h"
#include "technique/payload.h"

/* An answer that must be confirmed is waited for so many tries. */
#define CONFIRMING_TRIES 5

static unsigned tries_of_payloads(const struct probe_spec *spec)
{
    bool has_payloads = spec->technique->protocol == PROTOCOL_UDP && !spec->technique->data;
    return has_payloads ? payload_tries(spec->port) : 1;
}

unsigned remainder_tries(const struct scan_block *scan_block, uint32_t slot)
{
    unsigned tries = 1;
    for (uint32_t spec = 0; spec < scan_block->block.spec_count; spec++) {
        unsigned of_spec = tries_of_payloads(&scan_block->block.specs[spec]);
        if (of_spec > tries && bitset_get(scan_block->block.pending, scan_block_bit(scan_block, slot, spec)))
            tries = of_spec;
    }
    return tries;
}

static const struct provisional *heard_of(struct engine *engine, const struct scan_block *scan_block,
                                          uint64_t bit)
{
    return engine->provisional.count ? provisional_find(&engine->provisional, scan_block->block.id, bit)
                                     : NULL;
}

/* Is this port, which is pending, to be asked again? */
static bool is_left(struct engine *engine, const struct scan_block *scan_block, uint32_t slot, uint32_t spec)
{
    const struct provisional *heard = heard_of(engine, scan_block, scan_block_bit(scan_block, slot, spec));
    bool unconfirmed = heard && heard->weak && scan_block->try_number < heard->try_number + CONFIRMING_TRIES;
    return unconfirmed || tries_of_payloads(&scan_block->block.specs[spec]) > scan_block->valid_tries;
}

static bool is_any_left(struct engine *engine, const struct scan_block *scan_block, uint32_t slot)
{
    for (uint32_t spec = 0; spec < scan_block->block.spec_count; spec++)
        if (bitset_get(scan_block->block.pending, scan_block_bit(scan_block, slot, spec)) &&
            is_left(engine, scan_block, slot, spec))
            return true;
    return false;
}

bool remainder_keep(struct engine *engine, struct scan_block *scan_block, uint32_t slot)
{
    if (!is_any_left(engine, scan_block, slot))
        return false; /* host_finish has the silence of them all to explain */
    for (uint32_t spec = 0; spec < scan_block->block.spec_count; spec++) {
        uint64_t bit = scan_block_bit(scan_block, slot, spec);
        if (bitset_get(scan_block->block.pending, bit) && !is_left(engine, scan_block, slot, spec) &&
            !heard_of(engine, scan_block, bit))
            scan_block_drop_probe(scan_block, slot, spec);
    }
    return true;
}
