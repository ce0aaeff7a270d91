/* A FILE over a descriptor that never makes its writer wait: what a pipe, a socket or a terminal has no room
 * for is held, and written when there is. It remembers why a write failed, too: what stdio calls an error has
 * lost its errno by the time somebody looks. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* So much may be held. Then a write waits after all, until somebody reads or a signal that is blocked wants
 * to end us. */
#define SINK_HELD_MAX ((size_t)64 << 20)

struct sink; /* owned by its FILE */

/* Takes over the descriptor. NULL without memory; it is then still the caller's. *ret_sink is valid until
 * fclose, which gives up what is held. */
FILE *sink_open(int fd, struct sink **ret_sink);

/* What a regular file held is gone. */
void sink_cut(struct sink *sink);

/* errno of the first write that failed, or 0. ENOBUFS: more was held than may be, or was when somebody wanted
 * us to end; ENOENT: the file was removed, which sink_drain() sees. */
int sink_error(const struct sink *sink);

/* The descriptor when something is held, to wait until it can be written (POLLOUT); else -1. */
int sink_waiting_fd(const struct sink *sink);

/* The descriptor of a pipe or the like, whose reader may leave (POLLERR); -1: there is none, or it has gone.
 * And it has. */
int sink_reader_fd(const struct sink *sink);
void sink_reader_left(struct sink *sink);

/* Write what is held as far as there is room; or all of it, and wait. */
void sink_flush(struct sink *sink);
void sink_drain(struct sink *sink);
