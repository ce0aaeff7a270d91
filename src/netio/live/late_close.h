/* Packet sockets that are closed without waiting. */
#pragma once

/* Closing a packet socket for good takes a grace period of the kernel, some 8 ms, and one with a ring two. A
 * ring of io_uring that nobody ever uses takes hold of these descriptors as well: who closes one is then not
 * the last, and what the ring holds a thread of the kernel closes, after the process has gone.
 *
 * Returns the descriptor of that ring, to be kept as long as they are, or -1 where this is not allowed or not
 * known: closing them takes its time then. */
int late_close_hold(const int *fds, unsigned count);
