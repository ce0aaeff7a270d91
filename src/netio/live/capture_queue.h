/* Packets received one at a time from a packet socket's own queue. Each costs a call and a copy, but there is
 * nothing to wait for before the first: making a ring takes as long as a small scan. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "netio/live/captured.h"

#define CAPTURE_QUEUE_ANSWERS 1024 /* the queue holds about half as many, and is read while they come */

struct capture_queue {
    int fd;          /* borrowed */
    uint8_t *buffer; /* owned: the last packet; NULL: there is no queue */
};

/* -EX_OSERR. */
int capture_queue_open(struct capture_queue *ret, int fd, struct error *err);
void capture_queue_close(struct capture_queue *queue); /* a closed one too */

/* The next packet that can be read. False: there is none. */
bool capture_queue_next(struct capture_queue *queue, struct captured *ret);
