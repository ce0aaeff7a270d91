/* Which hosts are fit as zombies of an idle scan? Each host of the plan is asked as -sI asks its zombie:
 * whether its packets carry a counter, how much it sends by itself, how far away it is. Nothing is sent in
 * anybody's name. */
#pragma once

#include "engine/engine.h"

/* A scanner. A host that answers is up, and a NOTE_ZOMBIE says what its IDs are worth; one that does not is
 * down. EX_OSERR without memory. *config is copied; what it points to must outlive the scanner.
 *   port  that is asked, open or not */
int idle_find_new(const struct engine_config *config, uint16_t port, struct scanner **ret, struct error *err);
