#include "cli/supervisor/then.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/supervisor/then_runner.h"

struct then_waiting {
    struct then_waiting *next;
    struct then_request *request; /* owned */
    size_t request_len;
};

int then_start(const char *template, struct talk *talk, struct then *ret, struct error *err)
{
    int fds[2];
    *ret = (struct then){.talk = talk, .fd = -1};
    if (!template)
        return 0;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
        return error_set(err, EX_OSERR, "--then: cannot open a socket: %s", strerror(errno));
    ret->runner = fork();
    if (ret->runner == 0)
        then_runner_run(fds[1], template);
    close(fds[1]);
    if (ret->runner < 0) {
        close(fds[0]);
        ret->runner = 0;
        return error_set(err, EX_OSERR, "--then: cannot start a process: %s", strerror(errno));
    }
    ret->fd = fds[0];
    return 0;
}

/* The open ports of a host, each number once, whatever its protocol. NULL: none, or no memory. */
static struct then_request *make_request(const struct host_result *host, size_t *ret_len)
{
    uint64_t listed[65536 / 64] = {0};
    struct then_request *request = malloc(sizeof *request + host->port_count * sizeof request->ports[0]);
    if (!request)
        return NULL;
    *request = (struct then_request){.host = host->addr};
    for (uint32_t i = 0; i < host->port_count; i++) {
        uint16_t port = host->ports[i].port;
        if (host->ports[i].state != PORT_OPEN || (listed[port >> 6] >> (port & 63) & 1))
            continue;
        listed[port >> 6] |= UINT64_C(1) << (port & 63);
        request->ports[request->port_count++] = port;
    }
    *ret_len = sizeof *request + request->port_count * sizeof request->ports[0];
    if (request->port_count > 0)
        return request;
    free(request);
    return NULL;
}

static void drop_first(struct then *then)
{
    struct then_waiting *waiting = then->first;
    then->first = waiting->next;
    if (!then->first)
        then->last = NULL;
    free(waiting->request);
    free(waiting);
}

/* The runner is gone, or ends now. */
static void forget_all(struct then *then)
{
    while (then->first)
        drop_first(then);
    if (then->fd >= 0)
        close(then->fd);
    then->fd = -1;
    then->running_count = 0;
}

/* Hand over what waits, as far as there is room. */
static void start_waiting(struct then *then)
{
    while (then->first && then->running_count < THEN_RUNNING_MAX) {
        talk_clear(then->talk);
        ssize_t sent =
            send(then->fd, then->first->request, then->first->request_len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) {
            talk_note(then->talk, "--then: the process that runs the commands has ended");
            forget_all(then);
        }
        if (sent < 0)
            return;
        drop_first(then);
        then->running_count++;
    }
}

void then_host(struct then *then, const struct host_result *host)
{
    if (then->fd < 0)
        return;
    size_t len = 0;
    struct then_request *request = make_request(host, &len);
    struct then_waiting *waiting = request ? calloc(1, sizeof *waiting) : NULL;
    if (!waiting) {
        free(request);
        return;
    }
    waiting->request = request;
    waiting->request_len = len;
    if (then->last)
        then->last->next = waiting;
    else
        then->first = waiting;
    then->last = waiting;
    start_waiting(then);
}

int then_fd(const struct then *then)
{
    return then->fd;
}

static void note_end(struct then *then, const struct then_reply *reply)
{
    if (reply->error != 0)
        talk_note(then->talk, "--then: cannot run a command: %s", strerror(reply->error));
    else if (WIFEXITED(reply->wait_status) && WEXITSTATUS(reply->wait_status) != 0)
        talk_note(then->talk, "--then: a command ended with status %d", WEXITSTATUS(reply->wait_status));
    else if (WIFSIGNALED(reply->wait_status))
        talk_note(then->talk, "--then: a command was ended by signal %d", WTERMSIG(reply->wait_status));
}

void then_read(struct then *then)
{
    while (then->fd >= 0) {
        struct then_reply reply;
        ssize_t got = recv(then->fd, &reply, sizeof reply, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (got != sizeof reply) {
            if (then_busy(then))
                talk_note(then->talk, "--then: the process that runs the commands has ended");
            forget_all(then);
            return;
        }
        then->running_count -= then->running_count > 0;
        note_end(then, &reply);
    }
    start_waiting(then);
}

bool then_busy(const struct then *then)
{
    return then->running_count > 0 || then->first;
}

void then_stop(struct then *then)
{
    forget_all(then);
    while (then->runner > 0 && waitpid(then->runner, NULL, 0) < 0 && errno == EINTR)
        ;
    then->runner = 0;
}
