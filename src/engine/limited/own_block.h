/* A host leaves its block for one of its own, because it must be asked at a pace that suits nobody else. */
#pragma once

#include <stdint.h>

struct engine;
struct scan_block;

/* The new block, in PHASE_LANE, with all that is known of the host and of its probes. NULL: no memory or
 * room; then nothing has changed. */
struct scan_block *own_block_make(struct engine *engine, struct scan_block *from, uint32_t slot);

/* What is known of a host and of its probes goes to a slot of another block, which was made with its
 * record. */
void own_block_move_host(struct engine *engine, struct scan_block *from, uint32_t slot, struct scan_block *to,
                         uint32_t to_slot);

/* How long an answer of its host may take. */
int64_t own_block_rto_ns(struct engine *engine, const struct scan_block *scan_block);
