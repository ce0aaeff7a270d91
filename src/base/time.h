/* Units of time. Every time and duration in Portolan is an int64_t in nanoseconds, its name ends in _ns. */
#pragma once

#include <stdint.h>

#define USEC INT64_C(1000)
#define MSEC INT64_C(1000000)
#define SEC  INT64_C(1000000000)

/* "Never": later than any time a clock gives. */
#define TIME_NEVER INT64_MAX
