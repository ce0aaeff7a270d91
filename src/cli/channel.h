/* What the supervisor and the packet process share: a ring of records and a descriptor that says there are
 * some, a pipe of commands one way, one message of readiness and the lines of --packet-trace the other way,
 * and running totals. Made before the fork; each side then closes what is the other's. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ring.h"
#include "packet/packet.h"
#include "verdict/record.h"

/* One byte each. The end of the pipe is an order too: the supervisor is gone. */
enum command { COMMAND_START = 'g', COMMAND_STOP = 's', COMMAND_TRACE = 't', COMMAND_NO_TRACE = 'n' };

/* Numbers for the last line of the reports, written by the packet process only. They are shown, never
 * used. */
struct channel_totals {
    _Atomic uint64_t packets_sent, bytes_sent, packets_received, bytes_received;
    _Atomic uint64_t faults[PACKET_FAULT_COUNT]; /* received and not decoded */
};

/* The same as one process reads them, or the sum of several. */
struct packet_totals {
    uint64_t packets_sent, bytes_sent, packets_received, bytes_received;
    uint64_t faults[PACKET_FAULT_COUNT];
};

/* How opening the backend ended, the first and only message of the packet process. status 0: ready, and the
 * text names the backend; else it says what failed. */
struct channel_ready {
    int status;
    char text[ERROR_TEXT_MAX];
};

#define CHANNEL_BACKEND_MAX ERROR_TEXT_MAX /* of its name, and why it is not another */

struct channel {
    struct ring ring;
    int wake_fd;        /* eventfd: records were pushed */
    int command_fds[2]; /* read by the packet process */
    int ready_fds[2];   /* read by the supervisor */
    int trace_fds[2];   /* likewise, without waiting */
    struct channel_totals *totals;
};

#define CHANNEL_CLOSED                                                                                       \
    {                                                                                                        \
        .wake_fd = -1, .command_fds = {-1, -1}, .ready_fds = {-1, -1}, .trace_fds = { -1, -1 }               \
    }

int channel_open(struct channel *ret, struct error *err);
void channel_close(struct channel *channel); /* this side's view; descriptors of -1 are passed over */

/* After the fork, on the packet process's side. */
void channel_keep_worker_side(struct channel *channel);
void channel_keep_supervisor_side(struct channel *channel);

/* Wait for what the packet process says of itself; fails with what it failed with. */
int channel_await_ready(const struct channel *channel, char ret_backend[static CHANNEL_BACKEND_MAX],
                        struct error *err);

/* Add what the packet process has counted so far. */
void channel_add_totals(const struct channel *channel, struct packet_totals *totals);
