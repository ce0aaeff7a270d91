/* The byte streams of the simulated network: every one leads to a relay, or nowhere. */
#pragma once

#include "base/rand.h"
#include "netio/sim/relay.h"
#include "netio/stream.h"

struct sim_stream {
    struct sim_session session;
    bool used, opened;
    int error;         /* of a stream that cannot be opened; 0: it can */
    int64_t opened_ns; /* when that is told */
    unsigned dripped;  /* bytes of the first saying that have come, one by one */
    uint32_t use;      /* counts the uses of this number */
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
void sim_streams_close(struct sim_streams *streams, uint32_t number);

/* When the next event is due; TIME_NEVER: none is on its way. */
int64_t sim_streams_next_ns(const struct sim_streams *streams);

/* Tell what is due. */
void sim_streams_deliver(struct sim_streams *streams, struct netio *io, int64_t now_ns);
