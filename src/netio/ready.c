#include "netio/ready.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <time.h>

#include "base/time.h"

int ready_wait(int epoll_fd, struct epoll_event *ret, int capacity, int64_t wait_ns)
{
    const struct timespec wait = {.tv_sec = (time_t)(wait_ns / SEC), .tv_nsec = (long)(wait_ns % SEC)};
    int count = epoll_pwait2(epoll_fd, ret, capacity, &wait, NULL);
    /* Emulators, and the filters of older containers, do not know this call: two older ones do the same. */
    if (count >= 0 || (errno != ENOSYS && errno != EPERM))
        return count;
    struct pollfd set = {.fd = epoll_fd, .events = POLLIN};
    count = ppoll(&set, 1, &wait, NULL);
    return count > 0 ? epoll_wait(epoll_fd, ret, capacity, 0) : count;
}
