/* The sending side of the kernel backend: a thread that keeps the program `transmit` running in the kernel, and the maps
 * by which it is told what to send. An order goes to it whole: the program walks the permutation, skips what is not
 * pending, makes the frames, keeps the pace by its own clock, and says how far it got.
 *
 * A run costs some 25 ms of waiting at its end, so one is kept up from order to order, and is ended by a signal when
 * there is nothing to send any more. */
#pragma once

#include <pthread.h>
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
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t wanted_changed;
    bool wanted; /* a run is to be kept up; under the lock */
    bool over;   /* the thread is to end; under the lock */
    atomic_bool running;
    atomic_int error;      /* errno with which the kernel refused a run; 0: none */
    atomic_uint frame_len; /* that a run is given */
};

/* Map the maps; borrows *wire. -EX_OSERR. *ret must stay where it is. The thread starts with the first order. */
int transmitter_open(struct transmitter *ret, const struct wire *wire, struct error *err);
void transmitter_close(struct transmitter *transmitter); /* zeroed is fine */

/* Begin to send an order: one over a block (no list), whose hosts are in transmitter->hosts and whose probes are all
 * made by this template. Nothing else may be going on. */
void transmitter_begin(struct transmitter *transmitter, const struct order *order,
                       const struct template *template, int64_t now_ns);

/* Is it still sending? *ret_sent: probes so far. */
bool transmitter_is_busy(const struct transmitter *transmitter, uint32_t *ret_sent);

/* Take the order back, wherever it got to: moves order->next and counts limit down. Returns how many were sent. */
uint32_t transmitter_end(struct transmitter *transmitter, struct order *order);

/* There is nothing to send for now. */
void transmitter_rest(struct transmitter *transmitter);
