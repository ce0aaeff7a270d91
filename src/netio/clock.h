/* The machine's monotonic clock, for backends that live in real time. */
#pragma once

#include <stdint.h>
#include <time.h>

#include "base/time.h"

static inline int64_t clock_ns(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * SEC + time.tv_nsec;
}

static inline int64_t clock_monotonic_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}
