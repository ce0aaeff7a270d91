/* The hosts of one network leave their block together, because they are on a path of their own from now
 * on. */
#pragma once

#include <stdint.h>

struct engine;
struct scan_block;

/* Those of a block of ports that are open and on this path, a part, into a new block of it; or the whole
 * block, if there are no others. What was asked and answered goes along. Returns how many; 0: none, or no
 * memory or room, and nothing has changed. */
uint32_t part_block_move(struct engine *engine, struct scan_block *from, unsigned path);
