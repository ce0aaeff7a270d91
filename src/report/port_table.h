/* The table of a host's ports, for people and for the scripts that read what people read: "PORT STATE
 * SERVICE". */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "report/report.h"

/* Writes the ports that are not folded; at least one is. */
void port_table_write(FILE *file, const struct report_run *run, bool color, const struct host_result *host,
                      const struct fold *fold);
