#include "cli/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define RING_SLOTS 16384

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int open_descriptors(struct channel *channel, struct error *err)
{
    channel->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (channel->wake_fd < 0 || pipe2(channel->command_fds, O_CLOEXEC | O_NONBLOCK) < 0 ||
        pipe2(channel->ready_fds, O_CLOEXEC) < 0 || pipe2(channel->trace_fds, O_CLOEXEC) < 0 ||
        fcntl(channel->trace_fds[0], F_SETFL, O_NONBLOCK) < 0)
        return error_set(err, EX_OSERR, "cannot open a pipe: %s", strerror(errno));
    return 0;
}

int channel_open(struct channel *ret, struct error *err)
{
    struct channel channel = CHANNEL_CLOSED;
    void *totals =
        mmap(NULL, sizeof *channel.totals, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    channel.totals = totals == MAP_FAILED ? NULL : totals;
    int r = 0;
    if (!channel.totals || ring_open(RING_SLOTS, sizeof(struct record), &channel.ring) < 0)
        r = error_set(err, EX_OSERR, "out of memory");
    if (r == 0)
        r = open_descriptors(&channel, err);
    if (r < 0) {
        channel_close(&channel);
        return r;
    }
    *ret = channel;
    return 0;
}

void channel_close(struct channel *channel)
{
    close_fd(&channel->wake_fd);
    for (unsigned i = 0; i < 2; i++) {
        close_fd(&channel->command_fds[i]);
        close_fd(&channel->ready_fds[i]);
        close_fd(&channel->trace_fds[i]);
    }
    ring_close(&channel->ring);
    if (channel->totals)
        munmap(channel->totals, sizeof *channel->totals);
    channel->totals = NULL;
}

void channel_keep_worker_side(struct channel *channel)
{
    close_fd(&channel->command_fds[1]);
    close_fd(&channel->ready_fds[0]);
    close_fd(&channel->trace_fds[0]);
}

void channel_keep_supervisor_side(struct channel *channel)
{
    close_fd(&channel->command_fds[0]);
    close_fd(&channel->ready_fds[1]);
    close_fd(&channel->trace_fds[1]);
}

int channel_await_ready(const struct channel *channel, char ret_backend[static CHANNEL_BACKEND_MAX],
                        struct error *err)
{
    struct channel_ready ready = {.status = 0};
    ssize_t got;
    do {
        got = read(channel->ready_fds[0], &ready, sizeof ready);
    } while (got < 0 && errno == EINTR);
    if (got != sizeof ready)
        return error_set(err, EX_SOFTWARE, "the packet process ended before it was ready");
    ready.text[sizeof ready.text - 1] = '\0';
    if (ready.status != 0)
        return error_set(err, ready.status, "%s", ready.text);
    snprintf(ret_backend, CHANNEL_BACKEND_MAX, "%.*s", CHANNEL_BACKEND_MAX - 1, ready.text);
    return 0;
}

void channel_add_totals(const struct channel *channel, struct packet_totals *totals)
{
    const struct channel_totals *mine = channel->totals;
    totals->packets_sent += atomic_load(&mine->packets_sent);
    totals->bytes_sent += atomic_load(&mine->bytes_sent);
    totals->packets_received += atomic_load(&mine->packets_received);
    totals->bytes_received += atomic_load(&mine->bytes_received);
    for (unsigned i = 0; i < PACKET_FAULT_COUNT; i++)
        totals->faults[i] += atomic_load(&mine->faults[i]);
}
