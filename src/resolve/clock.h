/* The clock of this folder: how long to wait for a name. */
#pragma once

#include <stdint.h>
#include <time.h>

#include "base/time.h"

static inline int64_t clock_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SEC + now.tv_nsec;
}
