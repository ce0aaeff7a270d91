/* The receiving side of the xdp and kernel backends: the program `answer` at an interface, and the ring into
 * which it puts the answers that it has proved. What it lets pass arrives as ever, through the packet
 * socket. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "netio/live/capture.h"
#include "netio/route/netlink.h"
#include "netio/xdp/wire.h"
#include "netio/xdp/wire_shared.h"

struct ring_buffer;

struct answers {
    int fd;      /* readable when answers have come; -1: closed. Borrowed */
    int link_fd; /* the attachment: closed with it */
    uint32_t link;
    struct ring_buffer *ring;   /* owned */
    struct wire_config *config; /* mapped; owned */
    int64_t sent_ns;            /* when the probe left whose answer is handed over, as token_check tells it */
    void (*take)(void *context, const struct captured *captured, int64_t time_ns);
    void *context;
};

/* Attach the program to this interface, in the driver of a card if it can, and take answers to `key` at these
 * addresses.
 *   wire       borrowed
 *   take       gets each answer, from within answers_read; its data are valid until it returns
 * -EX_UNAVAILABLE when the interface takes no program, or has one already. */
int answers_open(struct answers *ret, const struct wire *wire, const struct link *link,
                 const struct wire_config *config, struct error *err);
void answers_close(struct answers *answers); /* zeroed is fine */

/* Hand over what is there. Returns how many. */
unsigned answers_read(struct answers *answers);

/* Are we about to wait for `fd` (true), or done with it? Whoever does not wait is not woken, which each
 * answer would cost. */
void answers_wait(struct answers *answers, bool waits);
