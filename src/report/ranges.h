/* Port numbers as ranges in text: "1,3-4,80". */
#pragma once

#include <stdint.h>

#include "plan/port_set.h"
#include "results/fold.h"

/* The ports of a host that one folded reason stands for. To be freed; NULL without memory. */
char *ranges_of_reason(const struct host_result *host, const struct fold_reason *reason);

/* The ports of a protocol whose resets or errors came another way than the host's own answers. To be freed;
 * NULL without memory, empty when there are none. */
char *ranges_of_foreign(const struct host_result *host, enum protocol protocol);

/* The ports of a protocol that stayed silent. Likewise. */
char *ranges_of_silent(const struct host_result *host, enum protocol protocol);

/* The ports of a set, of one protocol. To be freed; NULL without memory. */
char *ranges_of_set(const struct port_set *set, enum port_protocol protocol);
