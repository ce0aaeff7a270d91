/* Two backends as one: packets of one, byte streams of the other. For scans that look at what they found by
 * talking to it. */
#pragma once

#include "netio/netio.h"

/* Takes over both: they are closed with the pair, or without memory at once, and then it is NULL. Waits are
 * those of `packets`; what happens to streams is told at the end of each work(). */
struct netio *paired_new(struct netio *packets, struct netio *streams);
