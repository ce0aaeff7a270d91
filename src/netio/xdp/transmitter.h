/* The sending side of the kernel backend: a thread that keeps the program `transmit` running in the kernel,
 * and the maps by which it is told what to send. An order goes to it whole: the program walks the
 * permutation, skips what is not pending, makes the frames, and says how far it got.
 *
 * The thread keeps the pace: it waits until a batch is due, and has the program run for so many frames. As
 * long as the program stands at an interface (answers.h) a run begins and ends within some 20 us. */
#pragma once

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "netio/live/template.h"
#include "netio/order.h"
#include "netio/xdp/wire.h"
#include "netio/xdp/wire_shared.h"

struct transmitter {
    int program_fd;           /* borrowed */
    struct wire_order *order; /* mapped, as the next three are; owned */
    struct wire_line *pending;
    struct wire_host *hosts;
    uint16_t *ports;
    cpu_set_t cores; /* that we may run on; none: not known */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* for the thread: there is an order, or none any more */
    pthread_cond_t ended;   /* from it: `running` is false */
    bool running;           /* the thread is at work on an order; under the lock */
    bool over;              /* the thread is to end; under the lock */
    int64_t start_ns;       /* of the order; CLOCK_MONOTONIC */
    double pace_ns;         /* between two of its probes */
    atomic_int error;       /* errno with which the kernel refused a run; 0: none */
};

/* Map the maps; borrows *wire. -EX_OSERR. *ret must stay where it is. The thread starts with the first
 * order. */
int transmitter_open(struct transmitter *ret, const struct wire *wire, struct error *err);
void transmitter_close(struct transmitter *transmitter); /* zeroed is fine */

/* Begin to send an order: one over a block (no list), whose hosts are in transmitter->hosts and whose probes
 * are all made by this template. Nothing else may be going on. */
void transmitter_begin(struct transmitter *transmitter, const struct order *order,
                       const struct template *template, int64_t now_ns);

/* Is it still sending? */
bool transmitter_is_busy(const struct transmitter *transmitter);

/* Take the order back, wherever it got to: moves order->next and counts limit down. Returns how many were
 * sent. Nothing is sent any more. */
uint32_t transmitter_end(struct transmitter *transmitter, struct order *order);
