#include "cli/supervisor/sink.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TERMINAL_PART 256 /* a terminal that says it has room may not have more */
#define LOOK_MS       250 /* how long a signal may go unnoticed while we wait */

struct sink {
    int fd;
    int error;
    bool has_name;   /* a plain file that could be found by name when it was opened */
    size_t part_max; /* so much can be written without waiting when poll says there is room; 0: anything */
    char *held;      /* owned */
    size_t held_start, held_len, held_capacity;
};

/* Of what is no file, poll says whether there is room, and for how much depends on what it is (pipe(7):
 * PIPE_BUF). */
static size_t part_of(int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0 || S_ISREG(status.st_mode) || S_ISBLK(status.st_mode))
        return 0;
    return isatty(fd) ? TERMINAL_PART : PIPE_BUF;
}

/* Files without a name are made on purpose; one that has lost its name is lost. */
static bool has_name(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink > 0;
}

static bool has_room(const struct sink *sink, int wait_ms)
{
    struct pollfd room = {.fd = sink->fd, .events = POLLOUT};
    return sink->part_max == 0 || poll(&room, 1, wait_ms) > 0;
}

/* Write what can be written at once; returns how much. */
static size_t write_ready(struct sink *sink, const char *bytes, size_t len)
{
    size_t done = 0;
    while (done < len && sink->error == 0 && has_room(sink, 0)) {
        size_t part = len - done;
        if (sink->part_max > 0 && part > sink->part_max)
            part = sink->part_max;
        ssize_t written = write(sink->fd, bytes + done, part);
        if (written >= 0)
            done += (size_t)written;
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            sink->error = errno;
    }
    return done;
}

/* The signals that end a scan are blocked and read by the supervisor, which waits here. */
static bool should_end(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
            sigismember(&pending, SIGHUP) == 1);
}

void sink_flush(struct sink *sink)
{
    if (sink->held_len == 0)
        return;
    size_t written = write_ready(sink, sink->held + sink->held_start, sink->held_len);
    sink->held_start += written;
    sink->held_len -= written;
    if (sink->held_len == 0)
        sink->held_start = 0;
}

void sink_drain(struct sink *sink)
{
    sink_flush(sink);
    while (sink->held_len > 0 && sink->error == 0) {
        if (has_room(sink, LOOK_MS))
            sink_flush(sink);
        else if (should_end())
            sink->error = ENOBUFS;
    }
    if (sink->error == 0 && sink->has_name && !has_name(sink->fd))
        sink->error = ENOENT;
}

/* Make room behind what is held. False: there is none. */
static bool make_room(struct sink *sink, size_t len)
{
    if (sink->held_len > 0 && sink->held_start > 0)
        memmove(sink->held, sink->held + sink->held_start, sink->held_len);
    sink->held_start = 0;
    size_t needed = sink->held_len + len;
    if (needed <= sink->held_capacity)
        return true;
    size_t capacity = 2 * needed < SINK_HELD_MAX ? 2 * needed : SINK_HELD_MAX;
    char *held = needed <= SINK_HELD_MAX ? realloc(sink->held, capacity) : NULL;
    if (!held)
        return false;
    sink->held = held;
    sink->held_capacity = capacity;
    return true;
}

static ssize_t sink_write(void *cookie, const char *bytes, size_t len)
{
    struct sink *sink = cookie;
    sink_flush(sink);
    size_t done = sink->held_len == 0 ? write_ready(sink, bytes, len) : 0;
    if (done < len && sink->error == 0 && !make_room(sink, len - done)) {
        sink_drain(sink);
        if (sink->error == 0 && !make_room(sink, len - done))
            sink->error = ENOMEM;
    }
    if (sink->error)
        return 0; /* says "failed" to stdio */
    if (done < len)
        memcpy(sink->held + sink->held_len, bytes + done, len - done);
    sink->held_len += len - done;
    return (ssize_t)len;
}

static int sink_close(void *cookie)
{
    struct sink *sink = cookie;
    int r = close(sink->fd);
    free(sink->held);
    free(sink);
    return r;
}

FILE *sink_open(int fd, struct sink **ret_sink)
{
    struct sink *sink = calloc(1, sizeof *sink);
    if (!sink)
        return NULL;
    *sink = (struct sink){.fd = fd, .has_name = has_name(fd), .part_max = part_of(fd)};
    cookie_io_functions_t functions = {.write = sink_write, .close = sink_close};
    FILE *file = fopencookie(sink, "w", functions);
    if (file)
        *ret_sink = sink;
    else
        free(sink);
    return file;
}

void sink_cut(struct sink *sink)
{
    if (sink->part_max == 0 && ftruncate(sink->fd, 0) < 0 && errno != EINVAL) /* EINVAL: a device */
        sink->error = errno;
}

int sink_error(const struct sink *sink)
{
    return sink->error;
}

int sink_reader_fd(const struct sink *sink)
{
    return sink->part_max > 0 && sink->error == 0 ? sink->fd : -1;
}

void sink_reader_left(struct sink *sink)
{
    sink->error = EPIPE;
}

int sink_waiting_fd(const struct sink *sink)
{
    return sink->held_len > 0 && sink->error == 0 ? sink->fd : -1;
}
