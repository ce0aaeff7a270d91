/* Plan, results and one report, put together as the program does it. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "report/report.h"

struct rendering {
    const struct report_ops *ops;
    struct report_run run; /* without its plan */
    struct report_end end; /* without hosts and times: they are counted */
    void (*choose)(void *context, struct addr_set *targets, struct port_set *ports);
    void (*play)(void *context, struct results *results);
    void *context;
};

/* False when anything fails. */
bool render(const struct rendering *rendering, FILE *file);
