/* --verify: is somebody behind an open port? Whoever answers SYNs need not take what follows. The kernel's
 * TCP connects to each port that answered, and sends an empty line: a stack that keeps the connection
 * acknowledges it, or the service speaks first. Both are confirmations; a reset, or nothing, is none. The
 * port stays open either way. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "netio/stream.h"

struct engine;
struct closing_host;
struct scan_block;

/* How far one host is. */
struct verify_host {
    uint32_t next_spec; /* of the block, to be looked at; its spec_count: none is left */
    uint8_t streams;    /* open now */
    uint8_t silent;     /* of its ports that said nothing until we lost patience */
};

struct verify_stream {
    struct scan_block *scan_block; /* NULL: none */
    uint32_t slot, spec;
    int64_t until_ns; /* then we lose patience */
    bool opened;
};

/* Part of the engine. */
struct verify {
    struct verify_stream streams[STREAMS_MAX];
    uint32_t stream_count;
};

/* A host whose ports are settled: nothing of it is known yet, or nothing is to be. */
struct verify_host verify_begin(const struct engine *engine, const struct scan_block *scan_block,
                                uint32_t slot);

/* Is everything known of this host? */
bool verify_is_over(const struct closing_host *host);

/* Begin with ports, as the rate allows, and see what became of others. */
void verify_run(struct engine *engine);

/* Give up all ports. */
void verify_end(struct engine *engine);

void verify_on_stream(void *context, const struct stream_event *event);

/* When something is to be done; TIME_NEVER: nothing. */
int64_t verify_next_ns(const struct engine *engine);
