/* What runs a scan. There is one for packets and connections (engine.h) and one for each kind of scan through
 * a third party; whoever runs a scan sees only these steps. All are pure state machines (design decision 1):
 * they have no clock, no socket and no thread; they are told the time, and say what to send and when to
 * wake. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct scanner {
    const struct scanner_ops *ops; /* first member of what each kind of scan really is */
};

struct scanner_ops {
    /* One turn: work out what to do at this time, let netio do it, take in what arrives. False: the scan is
     * over, and RECORD_END has been emitted. Blocks as long as netio waits, at most until_ns. */
    bool (*turn)(struct scanner *scanner, int64_t until_ns);

    /* End the scan at the next turn: everything found is reported, hosts in flight as unfinished. */
    void (*stop)(struct scanner *scanner);

    void (*free)(struct scanner *scanner);
};
