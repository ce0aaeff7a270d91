/* What is left to ask when the silence of a host's ports is certain: payloads that have not had their turn, and a second
 * answer where the first was proved by nothing but a port number. Only these ports are asked again. */
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

bool remainder_keep(struct engine *engine, struct scan_block *scan_block, uint32_t slot)
{
    bool is_left = false;
    for (uint32_t spec = 0; spec < scan_block->block.spec_count; spec++) {
        uint64_t bit = scan_block_bit(scan_block, slot, spec);
        if (!bitset_get(scan_block->block.pending, bit))
            continue;
        const struct provisional *heard =
            engine->provisional.count ? provisional_find(&engine->provisional, scan_block->block.id, bit)
                                      : NULL;
        bool unconfirmed =
            heard && heard->weak && scan_block->try_number < heard->try_number + CONFIRMING_TRIES;
        if (unconfirmed || tries_of_payloads(&scan_block->block.specs[spec]) > scan_block->valid_tries)
            is_left = true;
        else if (!heard)
            scan_block_drop_probe(scan_block, slot, spec);
    }
    return is_left;
}
