/* A FILE over a descriptor that remembers why a write failed: what stdio calls an error has lost its errno by the time somebody
 * looks. */
#pragma once

#include <stdio.h>

struct sink; /* owned by its FILE */

/* Takes over the descriptor. NULL without memory; it is then still the caller's. *ret_sink is valid until fclose. */
FILE *sink_open(int fd, struct sink **ret_sink);

/* errno of the first write that failed, or 0. */
int sink_error(const struct sink *sink);
