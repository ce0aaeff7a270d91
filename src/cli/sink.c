#include "cli/sink.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

struct sink {
    int fd;
    int error;
};

/* Some terminals and pipes are set not to block by whoever shares them with us: wait. */
static ssize_t write_some(const struct sink *sink, const char *bytes, size_t len)
{
    for (;;) {
        ssize_t written = write(sink->fd, bytes, len);
        if (written >= 0 || (errno != EINTR && errno != EAGAIN))
            return written;
        struct pollfd room = {.fd = sink->fd, .events = POLLOUT};
        poll(&room, 1, -1);
    }
}

static ssize_t sink_write(void *cookie, const char *bytes, size_t len)
{
    struct sink *sink = cookie;
    size_t done = 0;
    while (done < len && sink->error == 0) {
        ssize_t written = write_some(sink, bytes + done, len - done);
        if (written < 0)
            sink->error = errno;
        else
            done += (size_t)written;
    }
    return sink->error ? 0 : (ssize_t)done; /* 0 says "failed" to stdio */
}

static int sink_close(void *cookie)
{
    struct sink *sink = cookie;
    int r = close(sink->fd);
    free(sink);
    return r;
}

FILE *sink_open(int fd, struct sink **ret_sink)
{
    struct sink *sink = calloc(1, sizeof *sink);
    if (!sink)
        return NULL;
    *sink = (struct sink){.fd = fd};
    cookie_io_functions_t functions = {.write = sink_write, .close = sink_close};
    FILE *file = fopencookie(sink, "w", functions);
    if (file)
        *ret_sink = sink;
    else
        free(sink);
    return file;
}

int sink_error(const struct sink *sink)
{
    return sink->error;
}
