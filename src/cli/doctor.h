/* `portolan doctor`: what works on this machine, and what to do about what does not. */
#pragma once

#include <stdio.h>

#include "cli/job/scans.h"

/* One line for each thing that was looked at. Sends nothing. 0, or EX_IOERR when `out` cannot be written. */
int doctor(const struct scan_privilege *privilege, FILE *out);
