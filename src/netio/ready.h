/* Waiting for one of many descriptors, to the nanosecond. */
#pragma once

#include <stdint.h>
#include <sys/epoll.h>

/* Wait until a descriptor that epoll_fd watches is ready, or wait_ns (>= 0) have passed. Returns how many
 * events there are, at most capacity; 0: the time is over. -1 and errno: EINTR, a signal came. */
int ready_wait(int epoll_fd, struct epoll_event *ret, int capacity, int64_t wait_ns);
