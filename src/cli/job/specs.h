/* What is asked of every host: the ports of each technique, the common ones first, and before them how a host
 * shows that it is up. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cli/job/scans.h"
#include "cli/options/options.h"
#include "netio/order.h"
#include "plan/port_set.h"
#include "plan/services.h"

struct specs {
    struct probe_spec *list; /* owned */
    uint32_t count;
    uint32_t early_count; /* these first ones are the common ports */
};

/* Every port of the plan, for the technique that scans its protocol. EX_OSERR without memory.
 *   in_order  no port goes before a lower one */
int specs_of_scans(const struct scans *scans, const struct port_set *ports,
                   const struct service_table *services, bool in_order, struct specs *ret, struct error *err);

/* How hosts show that they are up: what -P options ask for, or the usual probes; none with -Pn. EX_USAGE for
 * wrong ports, EX_OSERR without memory. */
int specs_of_discovery(const struct options *options, bool raw, const struct service_table *services,
                       struct specs *ret, struct error *err);

void specs_done(struct specs *specs);
