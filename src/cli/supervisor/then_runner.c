#include "cli/supervisor/then_runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/descriptors.h"
#include "cli/supervisor/then.h"

#define HARMLESS "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:,-_%"

struct runner {
    const char *template;
    int fd;
    int signal_fd;                   /* a child has ended */
    pid_t running[THEN_RUNNING_MAX]; /* 0: free */
};

static void put_ports(const uint16_t *ports, size_t count, FILE *out)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%u", i > 0 ? "," : "", ports[i]);
}

char *then_expand(const char *template, const struct addr *host, const uint16_t *ports, size_t port_count)
{
    char address[ADDR_TEXT_MAX];
    addr_format(host, address);
    if (address[strspn(address, HARMLESS)])
        return NULL; /* the zone of a link-local address is the name of an interface, which may be any text */

    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    for (const char *at = template; *at;) {
        if (strncmp(at, "{host}", 6) == 0) {
            fputs(address, out);
            at += 6;
        } else if (strncmp(at, "{ports}", 7) == 0) {
            put_ports(ports, port_count, out);
            at += 7;
        } else {
            fputc(*at++, out);
        }
    }
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static int spawn(const char *text, pid_t *ret)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

    char *copy = strdup(text);
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, copy, NULL};
    int r = copy ? posix_spawn(ret, "/bin/sh", &actions, &attributes, argv, environ) : ENOMEM;
    free(copy);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return r;
}

static _Noreturn void end(const struct runner *runner)
{
    for (unsigned i = 0; i < THEN_RUNNING_MAX; i++) {
        if (runner->running[i] != 0)
            kill(runner->running[i], SIGTERM);
    }
    _exit(EXIT_SUCCESS);
}

static void reply(const struct runner *runner, int error, int wait_status)
{
    struct then_reply message = {.error = error, .wait_status = wait_status};
    while (send(runner->fd, &message, sizeof message, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR && errno != EAGAIN)
            end(runner); /* the supervisor waits for this reply, or is gone */
    }
}

static void run_request(struct runner *runner, const struct then_request *request)
{
    pid_t *free_place = runner->running;
    while (free_place < runner->running + THEN_RUNNING_MAX && *free_place != 0)
        free_place++;
    char *text = then_expand(runner->template, &request->host, request->ports, request->port_count);
    int error = EBUSY; /* the supervisor asks for no more than there are places */
    if (!text)
        error = EINVAL;
    else if (free_place < runner->running + THEN_RUNNING_MAX)
        error = spawn(text, free_place);
    if (error != 0)
        reply(runner, error, 0);
    free(text);
}

/* The next message, if it is one. */
static void take_request(struct runner *runner)
{
    static const size_t head_len = sizeof(struct then_request);
    ssize_t len = recv(runner->fd, NULL, 0, MSG_PEEK | MSG_TRUNC);
    if (len <= 0)
        end(runner);
    struct then_request *request = malloc((size_t)len);
    ssize_t got = recv(runner->fd, request, request ? (size_t)len : 0, 0);
    if (!request)
        reply(runner, ENOMEM, 0);
    else if (got == len && (size_t)len >= head_len && request->port_count <= 65536 &&
             (size_t)len == head_len + request->port_count * sizeof request->ports[0])
        run_request(runner, request);
    else
        end(runner);
    free(request);
}

static void reap(struct runner *runner)
{
    struct signalfd_siginfo info;
    while (read(runner->signal_fd, &info, sizeof info) == sizeof info)
        ;
    for (unsigned i = 0; i < THEN_RUNNING_MAX; i++) {
        int status = 0;
        if (runner->running[i] == 0 || waitpid(runner->running[i], &status, WNOHANG) != runner->running[i])
            continue;
        runner->running[i] = 0;
        reply(runner, 0, status);
    }
}

_Noreturn void then_runner_run(int fd, const char *template)
{
    int keep[] = {fd};
    sigset_t ended;
    if (descriptors_keep_only(keep, 1) < 0)
        _exit(EXIT_FAILURE);
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ended, NULL);
    prctl(PR_SET_NAME, "portolan-then");
    struct runner runner = {
        .template = template, .fd = fd, .signal_fd = signalfd(-1, &ended, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (runner.signal_fd < 0)
        _exit(EXIT_FAILURE);
    for (;;) {
        struct pollfd waits[] = {
            {.fd = fd, .events = POLLIN},
            {.fd = runner.signal_fd, .events = POLLIN},
        };
        poll(waits, 2, -1);
        if (waits[1].revents)
            reap(&runner);
        if (waits[0].revents)
            take_request(&runner);
    }
}
