/* Scans that never were: fixed records, fed to results and rendered by any report. The same scene gives the
 * same bytes. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "report/report.h"

struct scene {
    const char *name;
    const char *command_line;
    const struct report_scan *scans;
    size_t scan_count;
    bool show_reason;
    bool color;
    bool discovery_only;
    struct fold_options fold;
    const char *interrupted;
    void (*choose)(struct addr_set *targets, struct port_set *ports);
    void (*play)(struct results *results);
};

extern const struct scene scenes[];
extern const size_t scene_count;

/* Writes the scene's whole report. False when anything fails. */
bool scene_render(const struct scene *scene, const struct report_ops *ops, FILE *file);
