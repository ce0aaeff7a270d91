/* Byte streams: TCP connections that are talked over, for scans through a server. The third kind of request
 * beside packets and connects; they stand beside orders because a talk depends on what was said before.
 *
 * The engine numbers its streams itself, from 0 to STREAMS_MAX - 1, and may use a number again as soon as it
 * was closed or its end was told. Memory is bounded: what arrives is handed over at once, STREAM_CHUNK_MAX
 * bytes a time, and what the peer does not take is kept up to STREAM_OUT_MAX bytes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

#define STREAMS_MAX      64
#define STREAM_CHUNK_MAX 4096
#define STREAM_OUT_MAX   1024

struct netio;

enum stream_change {
    STREAM_OPENED, /* bytes can be sent */
    STREAM_BYTES,  /* these came */
    STREAM_CLOSED, /* the peer closed it, and nothing of it is left */
    STREAM_FAILED, /* it could not be opened, or broke: error. Nothing of it is left */
};

struct stream_event {
    uint32_t stream;
    uint8_t change;        /* enum stream_change */
    int error;             /* errno; ECONNRESET for a reset */
    uint64_t acknowledged; /* STREAM_CLOSED, STREAM_FAILED: bytes of ours that the peer had acknowledged */
    int64_t time_ns;
    const uint8_t *bytes; /* borrowed for the call */
    size_t len;
};

/* Of backends that have streams. What becomes of them is told by netio_events.stream, from within work()
 * alone; from there all of these may be called. */
struct stream_ops {
    /* Returns 0, or errno when it cannot even be tried. The number must be free. */
    int (*open)(struct netio *io, uint32_t stream, const struct addr *dst, uint16_t port);

    /* Returns 0, or ENOBUFS: the peer does not take what was sent before; nothing is taken. Only of an open
     * stream. */
    int (*send)(struct netio *io, uint32_t stream, const void *bytes, size_t len);

    /* How many of the bytes sent has the peer's TCP acknowledged? Only of an open stream. */
    uint64_t (*acknowledged)(struct netio *io, uint32_t stream);

    /* At once; nothing more is told of it. A stream that is not open is left alone. */
    void (*close)(struct netio *io, uint32_t stream);
};

struct stream_options {
    const char *interface; /* connect through this one; NULL: as routed. Borrowed for the call */
    struct addr source4;   /* connect from these; ADDR_NONE: the kernel chooses */
    struct addr source6;
    uint8_t ttl; /* TTL and hop limit; 0: the system's default */
};

/* A backend with streams of the kernel's TCP and nothing else. Needs no privilege. EX_UNAVAILABLE when the
 * interface or a source address is not there, EX_OSERR without memory or descriptors. */
int stream_open(const struct stream_options *options, struct netio **ret, struct error *err);
