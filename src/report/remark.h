/* What the states of a whole host say about the technique rather than about its ports: some stacks answer some probes alike,
 * whether a port is open or not. */
#pragma once

#include "report/report.h"

/* A sentence to show with the host, or NULL. */
const char *remark_on(const struct report_run *run, const struct host_result *host);
