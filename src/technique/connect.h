/* Connect scan (-sT) has no packets of its own to judge: the kernel does the handshake and reports how it
 * ended. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "technique/technique.h"

/* How one connect() ended. */
struct connect_outcome {
    uint8_t version; /* 4 or 6 */
    int error;       /* 0: connected; else errno */
    bool reset_seen; /* a segment was received: a refusal by RST, not by ICMP */
    bool has_icmp;   /* the error queue named the ICMP message: */
    uint8_t icmp_type, icmp_code;
    struct addr offender; /* who sent it; ADDR_NONE: not known */
    struct addr dst;      /* whom we connected to */
};

/* What the outcome says of the port. False: nothing (a time-out is silence). */
bool connect_judge(const struct connect_outcome *outcome, struct verdict *ret);
