/* When a probe left: after its order was given, and before it was carried out. The time in its token lies
 * between the two, however long our own process was kept from sending it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "technique/token.h"

struct departure {
    int64_t from_ns, to_ns;
};

/* While it is sent, its answer may come already. */
static inline struct departure departure_begin(int64_t now_ns)
{
    return (struct departure){now_ns, TIME_NEVER};
}

/* sent_ns: as an answer tells it, rounded down to TOKEN_TIME_STEP_NS */
static inline bool departure_was(const struct departure *departure, int64_t sent_ns)
{
    return sent_ns > departure->from_ns - TOKEN_TIME_STEP_NS && sent_ns <= departure->to_ns;
}
