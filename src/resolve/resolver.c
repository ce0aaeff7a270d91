#include "resolve/resolver.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "resolve/clock.h"
#include "resolve/dns_servers.h"
#include "resolve/forward.h"
#include "resolve/message.h"
#include "resolve/worker.h"

#define READY_LIMIT_NS   (10 * SEC)
#define FORWARD_LIMIT_NS (20 * SEC)
#define NAME_TEXT_MAX    253 /* RFC 1035 section 2.3.4, without the root label */
#define TROUBLE_MAX      128

/* A reverse look-up that was asked. The process names it by its place in the table, so that it cannot give a
 * name to an address that nobody asked about. */
struct pending {
    struct addr addr;
    bool used;
};

struct resolver {
    pid_t pid; /* 0: ended and waited for */
    int fd;    /* -1: ended */
    uint32_t forward_id;
    struct pending pending[RESOLVER_PENDING_MAX];
    size_t pending_count;
    size_t next_slot; /* where to begin the search for a free place */
    uint64_t asked_count;
    uint64_t failed_count; /* no server could say whether there is a name */
    char trouble[TROUBLE_MAX];
};

/* The process has ended, or does what it should not: go on without it. */
static void end(struct resolver *resolver)
{
    if (resolver->fd >= 0)
        close(resolver->fd);
    resolver->fd = -1;
    resolver->pending_count = 0;
    if (resolver->pid > 0) {
        kill(resolver->pid, SIGKILL);
        while (waitpid(resolver->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    resolver->pid = 0;
}

/* Wait for the next message. False: none by end_ns (MESSAGE_BUSY), a signal came (MESSAGE_BUSY), or the
 * end. */
static enum message_result wait_message(struct resolver *resolver, int64_t end_ns, struct message *ret)
{
    int64_t left_ns = end_ns - clock_now_ns();
    struct pollfd fd = {.fd = resolver->fd, .events = POLLIN};
    if (left_ns <= 0 || poll(&fd, 1, (int)(left_ns / MSEC + 1)) <= 0)
        return MESSAGE_BUSY;
    return message_receive(resolver->fd, MSG_DONTWAIT, ret);
}

static int wait_ready(struct resolver *resolver, struct error *err)
{
    struct message ready;
    if (wait_message(resolver, clock_now_ns() + READY_LIMIT_NS, &ready) != MESSAGE_OK ||
        ready.kind != MESSAGE_READY)
        return error_set(err, EX_OSERR, "the process that resolves names does not start");
    if (ready.status)
        return error_set(err, ready.status, "%s", ready.text);
    return 0;
}

int resolver_start(const struct resolver_config *config, struct resolver **ret, struct error *err)
{
    struct worker_config worker = {.confine = config->confine, .context = config->context};
    int status = config->dns_servers ? dns_servers_parse(config->dns_servers, &worker.servers, err) : 0;
    if (status)
        return status;

    struct resolver *resolver = calloc(1, sizeof *resolver);
    int fds[2];
    if (!resolver || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
        free(resolver);
        return error_set(err, EX_OSERR, "cannot start the process that resolves names: %s", strerror(errno));
    }
    resolver->fd = fds[0];
    resolver->pid = fork();
    if (resolver->pid == 0) {
        worker.fd = fds[1];
        worker_run(&worker);
    }
    close(fds[1]);
    if (resolver->pid < 0)
        status =
            error_set(err, EX_OSERR, "cannot start the process that resolves names: %s", strerror(errno));
    else
        status = wait_ready(resolver, err);
    if (status) {
        resolver_stop(resolver);
        return status;
    }
    *ret = resolver;
    return 0;
}

/* What is wrong with a name before anybody is asked; NULL: nothing. */
static const char *refused(const char *name)
{
    if (strlen(name) > NAME_TEXT_MAX + 1) /* a dot at the end does not count */
        return "a name has at most 253 characters";
    if (!forward_is_name(name))
        return "it is neither an address nor a name";
    return NULL;
}

/* Gather the addresses that come for question `id`. NULL, or what went wrong. */
static const char *gather(struct resolver *resolver, uint32_t id, struct message *answer,
                          struct resolver_addrs *ret)
{
    int64_t end_ns = clock_now_ns() + FORWARD_LIMIT_NS;
    struct resolver_addrs found = {.count = 0};
    for (;;) {
        enum message_result result = wait_message(resolver, end_ns, answer);
        if (result == MESSAGE_BUSY)
            return clock_now_ns() < end_ns ? "interrupted by a signal" : "no answer within 20 seconds";
        if (result == MESSAGE_CLOSED ||
            (answer->kind != MESSAGE_ADDRESS && answer->kind != MESSAGE_FORWARD_END)) {
            end(resolver);
            return "the process that resolves names has ended";
        }
        if (answer->id != id) /* of a question that was given up */
            continue;
        if (answer->kind == MESSAGE_FORWARD_END)
            break;
        if (found.count < RESOLVER_ADDRS_MAX)
            found.list[found.count++] = answer->addr;
    }
    if (!found.count)
        return answer->text_len ? answer->text : "it has no address";
    *ret = found;
    return NULL;
}

int resolver_forward(struct resolver *resolver, const char *name, enum addr_family family,
                     struct resolver_addrs *ret, struct error *err)
{
    assert(resolver->pending_count == 0);
    const char *reason = refused(name);
    if (reason)
        return error_set(err, EX_DATAERR, "cannot resolve '%.255s': %s", name, reason);

    struct message question = {
        .kind = MESSAGE_ASK_FORWARD, .id = ++resolver->forward_id, .addr.family = (uint8_t)family};
    struct message answer;
    message_set_text(&question, name);
    if (resolver->fd < 0 || message_send(resolver->fd, &question, MSG_DONTWAIT) != MESSAGE_OK)
        reason = "the process that resolves names has ended";
    else
        reason = gather(resolver, question.id, &answer, ret);
    if (!reason)
        return 0;
    return error_set(err, resolver->fd < 0 ? EX_OSERR : EX_DATAERR, "cannot resolve '%s': %s", name, reason);
}

bool resolver_ask_ptr(struct resolver *resolver, const struct addr *addr)
{
    if (resolver->fd < 0 || resolver->pending_count == RESOLVER_PENDING_MAX)
        return false;
    size_t slot = resolver->next_slot;
    while (resolver->pending[slot].used)
        slot = (slot + 1) % RESOLVER_PENDING_MAX;

    struct message question = {.kind = MESSAGE_ASK_PTR, .id = (uint32_t)slot, .addr = *addr};
    assert(message_valid(&question));
    enum message_result result = message_send(resolver->fd, &question, MSG_DONTWAIT);
    if (result == MESSAGE_CLOSED)
        end(resolver);
    if (result != MESSAGE_OK)
        return false;
    resolver->pending[slot] = (struct pending){.addr = *addr, .used = true};
    resolver->pending_count++;
    resolver->asked_count++;
    resolver->next_slot = (slot + 1) % RESOLVER_PENDING_MAX;
    return true;
}

pid_t resolver_pid(const struct resolver *resolver)
{
    return resolver->pid;
}

int resolver_fd(const struct resolver *resolver)
{
    return resolver->fd;
}

bool resolver_read(struct resolver *resolver, struct addr *ret_addr,
                   char ret_name[static RESOLVER_NAME_MAX + 1])
{
    for (;;) {
        struct message answer;
        enum message_result result =
            resolver->fd < 0 ? MESSAGE_BUSY : message_receive(resolver->fd, MSG_DONTWAIT, &answer);
        if (result == MESSAGE_BUSY)
            return false;
        bool late_forward =
            result == MESSAGE_OK && (answer.kind == MESSAGE_ADDRESS || answer.kind == MESSAGE_FORWARD_END);
        if (late_forward)
            continue;
        if (result == MESSAGE_CLOSED || answer.kind != MESSAGE_PTR || answer.id >= RESOLVER_PENDING_MAX ||
            !resolver->pending[answer.id].used) {
            end(resolver);
            return false;
        }
        struct pending *pending = &resolver->pending[answer.id];
        pending->used = false;
        resolver->pending_count--;
        resolver->failed_count += answer.status;
        *ret_addr = pending->addr;
        memcpy(ret_name, answer.text, answer.text_len + 1u);
        return true;
    }
}

size_t resolver_pending(const struct resolver *resolver)
{
    return resolver->pending_count;
}

const char *resolver_trouble(struct resolver *resolver)
{
    if (resolver->fd < 0)
        return "the process that resolves names has ended; names are missing";
    if (!resolver->failed_count)
        return NULL;
    snprintf(resolver->trouble, sizeof resolver->trouble, "the DNS servers failed for %llu of %llu addresses",
             (unsigned long long)resolver->failed_count, (unsigned long long)resolver->asked_count);
    return resolver->trouble;
}

void resolver_stop(struct resolver *resolver)
{
    if (!resolver)
        return;
    end(resolver);
    free(resolver);
}
