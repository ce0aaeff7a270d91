/* What the packet backends share: work() with its loop of sending, listening and waiting; reading the capture
 * ring; watching for packets we lost ourselves. The two differ in how a probe gets to its next hop: struct
 * live_ops. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "netio/batch.h"
#include "netio/live/capture.h"
#include "netio/live/live.h"
#include "netio/live/sockets.h"
#include "netio/netio.h"
#include "netio/route/route.h"
#include "netio/route/way_watch.h"
#include "netio/xdp/answers.h"

/* Where a probe got to. */
enum stage {
    STAGE_KEPT,   /* into the batch */
    STAGE_UNSENT, /* nowhere, and never: the errno says why */
    STAGE_FULL,   /* nowhere: the batch must be flushed first */
    STAGE_WAIT    /* nowhere: it has to wait for an answer to a question of our own */
};

/* A probe on its way into the batch. */
struct staging {
    const struct order *order;
    struct order_place place;
    int64_t now_ns;
};

struct live;

struct live_ops {
    /* Put a probe (src is set only where it is not to be the usual one) into the batch. */
    enum stage (*stage)(struct live *live, const struct staging *at, struct probe *probe, int *ret_error);

    /* These probes of a plain order (order_is_plain) come next. NULL with `quick`. */
    void (*begin)(struct live *live, const struct order *order, const struct order_place *places,
                  unsigned count, int64_t now_ns);

    /* Put a probe of a plain order into the batch without looking anything up. False: it has to be staged.
     * May be NULL. */
    bool (*quick)(struct live *live, const struct staging *at);

    /* Do what is due: may put questions into the batch. May be NULL. */
    void (*tick)(struct live *live, int64_t now_ns);

    /* When tick is due next; TIME_NEVER: not before something arrives. NULL with tick. */
    int64_t (*due)(const struct live *live);

    /* Look at a packet first. False: it is nothing for the engine. May be NULL. */
    bool (*hear)(struct live *live, struct packet *packet, uint32_t link, int64_t time_ns);

    /* live->routes is another table: what was borrowed from the one before is gone. May be NULL. */
    void (*rerouted)(struct live *live);
};

struct live {
    struct netio io; /* first: a pointer to one is a pointer to the other */
    const struct live_ops *ops;
    const struct route_table *routes; /* in force; borrowed from `ways` */
    struct way_watch ways;
    int64_t watched_ns;             /* when they were last looked at */
    int64_t heard_ns;               /* when the last packet to us arrived */
    int64_t gone_ns;                /* since when the way to a target is gone; 0: it is there */
    const struct source_pool *pool; /* borrowed; NULL: there is none */
    struct addr last_own;           /* of our addresses, the last that a packet came to */
    struct sockets sockets;
    struct capture capture;
    struct answers answers; /* of the backends with a program at the interface; else closed */
    uint8_t ttl;
    int64_t loss_checked_ns;
    uint64_t softnet_dropped; /* at that time */
    struct batch batch;
};

/* Set up all of it in zeroed memory, in which live->answers may be open already. On failure nothing else is
 * to be released and the sockets stay the caller's. */
int live_open(struct live *live, struct sockets *sockets, const struct route_table *routes,
              const struct netio_live_options *options, struct error *err);
void live_close(struct live *live); /* everything but the memory of *live */

/* For netio_ops. */
int64_t live_now(struct netio *io);
struct addr live_source(struct netio *io, const struct addr *dst);
/* Read what is there. Returns whether anything was for us. */
bool live_read(struct live *live);

/* A packet that came in; context: the struct live. */
void live_take(void *context, const struct captured *captured, int64_t time_ns);

/* Sleep until something arrives, there may be room to send again, or until_ns. */
void live_wait(struct live *live, int64_t now_ns, int64_t until_ns);

void live_work(struct netio *io, struct order *order, int64_t until_ns);

/* What live_work does at each of its turns, for a backend that sends by itself: follow changes of the ways,
 * and put questions that are due into the batch. order: whose probes the batch may hold; NULL: it holds
 * none. */
void live_attend(struct live *live, struct order *order, int64_t now_ns);

/* The way to dst, for sending there now. ROUTE_NONE: see live_refuse. */
void live_find_way(struct live *live, const struct addr *dst, struct route *ret);

/* What becomes of a probe without a way: it waits as long as one that was there may come back, else it stays
 * unsent. */
enum stage live_refuse(const struct live *live, int error, int64_t now_ns, int *ret_error);

/* Put a probe into the batch as an IP packet that the kernel routes, with the source of `route` unless it has
 * one. */
enum stage live_keep_raw(struct live *live, const struct staging *at, struct probe *probe,
                         const struct route *route, int *ret_error); /* route: there is one */

/* What the kernel routes goes out through this interface; "": as its routes say. -EX_OSERR. */
int live_bind_raw(const struct sockets *sockets, const char *interface, struct error *err);

/* The backends: memory, then live_open. Same errors. */
int raw_open(struct sockets *sockets, const struct route_table *routes,
             const struct netio_live_options *options, struct netio **ret, struct error *err);
int packet_open(struct sockets *sockets, const struct route_table *routes,
                const struct netio_live_options *options, struct netio **ret, struct error *err);

/* xdp, or kernel. -EX_NOPERM without sockets->wire, -EX_UNAVAILABLE when the interface cannot: then another
 * may be opened with the same sockets. In wire_io.c. */
int wire_io_open(struct sockets *sockets, const struct route_table *routes,
                 const struct netio_live_options *options, bool kernel, struct netio **ret,
                 struct error *err);
