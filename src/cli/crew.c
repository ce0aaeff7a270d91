#include "cli/crew.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/worker.h"

static int start_one(struct job *job, unsigned number, struct sockets *sockets, struct crew *crew,
                     struct error *err)
{
    struct crew_member *member = &crew->members[number];
    member->channel = (struct channel)CHANNEL_CLOSED;
    crew->count = number + 1;
    int r = channel_open(&member->channel, err);
    return r < 0 ? r : worker_start(job, number, sockets, crew, err);
}

int crew_start(struct job *job, struct sockets *sockets, struct crew *ret, struct error *err)
{
    int r = 0;
    ret->count = 0;
    ret->unused = sockets;
    for (unsigned i = 0; i < job->worker_count && r == 0; i++)
        r = start_one(job, i, sockets, ret, err);
    if (job->scans.raw)
        crew_close_unused(ret);
    for (unsigned i = 0; i < ret->count && r == 0; i++)
        r = channel_await_ready(&ret->members[i].channel, ret->members[i].backend, err);
    if (r < 0)
        crew_end(ret);
    return r;
}

void crew_close_unused(struct crew *crew)
{
    for (unsigned i = 0; crew->unused && i < crew->count; i++)
        sockets_close(&crew->unused[i]);
    crew->unused = NULL;
}

void crew_end(struct crew *crew)
{
    crew_signal(crew, SIGKILL);
    for (unsigned i = 0; i < crew->count; i++) {
        if (crew->members[i].pid)
            waitpid(crew->members[i].pid, NULL, 0);
        channel_close(&crew->members[i].channel);
    }
    crew->count = 0;
}

void crew_command(struct crew *crew, enum command command)
{
    char byte = (char)command;
    for (unsigned i = 0; i < crew->count; i++) {
        const struct crew_member *member = &crew->members[i];
        ssize_t written;
        do {
            written = write(member->channel.command_fds[1], &byte, 1);
        } while (written < 0 && errno == EINTR);
        if (written < 0 && member->pid) /* it has ended, or would wait for this command for ever */
            kill(member->pid, SIGKILL);
    }
}

void crew_signal(const struct crew *crew, int number)
{
    for (unsigned i = 0; i < crew->count; i++) {
        if (crew->members[i].pid)
            kill(crew->members[i].pid, number);
    }
}

bool crew_look(struct crew *crew)
{
    bool alive = false;
    for (unsigned i = 0; i < crew->count; i++) {
        struct crew_member *member = &crew->members[i];
        if (member->pid && waitpid(member->pid, &member->status, WNOHANG) == member->pid)
            member->pid = 0;
        alive |= member->pid != 0;
    }
    return alive;
}

struct packet_totals crew_totals(const struct crew *crew)
{
    struct packet_totals sum = {.packets_sent = 0};
    for (unsigned i = 0; i < crew->count; i++)
        channel_add_totals(&crew->members[i].channel, &sum);
    return sum;
}
