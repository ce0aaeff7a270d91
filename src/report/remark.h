/* What the answers of a whole host mean together, beyond its ports one by one: a box that speaks for it, a
 * technique that tells nothing apart here. */
#pragma once

#include <stdbool.h>

#include "report/report.h"

#define REMARK_MAX 1024

/* Sentences to show with the host, one behind the other. False: there are none, and text is not written
 * to. */
bool remark_on(const struct report_run *run, const struct host_result *host, char text[static REMARK_MAX]);
