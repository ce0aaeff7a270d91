/* The byte streams of the simulated network: each leads to a relay, or to a port of a host, which says
 * nothing and acknowledges what it is told; unless there is a box in front of it. Losses are mended by the
 * TCP that is not simulated. */
#pragma once

#include "base/rand.h"
#include "base/time.h"
#include "netio/sim/relay.h"
#include "netio/stream.h"

struct sim_stream {
    struct sim_session session;
    bool used, opened;
    int error;         /* of a stream that cannot be opened; 0: it can */
    int64_t opened_ns; /* when that is told */
    /* of a port of a host: round trip until something is acknowledged; TIME_NEVER: it never is */
    int64_t silence_ns;
    bool resets;             /* it is a reset instead */
    int64_t acknowledged_ns; /* when that is; TIME_NEVER: nothing was sent, or never */
    uint64_t sent_len;
    unsigned dripped; /* bytes of the first saying that have come, one by one */
    uint32_t use;     /* counts the uses of this number */
};

struct sim_streams {
    const struct sim_config *config;
    struct rand rand;
    struct sim_stream list[STREAMS_MAX];
};

void sim_streams_init(struct sim_streams *streams, const struct sim_config *config, uint64_t seed);

/* As struct stream_ops has them. */
int sim_streams_open(struct sim_streams *streams, uint32_t number, const struct addr *dst, uint16_t port,
                     int64_t now_ns);
int sim_streams_send(struct sim_streams *streams, uint32_t number, const void *bytes, size_t len,
                     int64_t now_ns);
uint64_t sim_streams_acknowledged(const struct sim_streams *streams, uint32_t number, int64_t now_ns);
void sim_streams_close(struct sim_streams *streams, uint32_t number);

/* When the next event is due; TIME_NEVER: none is on its way. */
int64_t sim_streams_next_ns(const struct sim_streams *streams);

/* Tell what is due. */
void sim_streams_deliver(struct sim_streams *streams, struct netio *io, int64_t now_ns);
