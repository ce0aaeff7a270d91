#include "resolve/worker.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/descriptors.h"
#include "base/time.h"
#include "resolve/clock.h"
#include "resolve/forward.h"
#include "resolve/hosts.h"
#include "resolve/lookup.h"
#include "resolve/message.h"

#define IN_FLIGHT_MAX     256
#define QUESTIONS_A_TURN  32        /* then the DNS sockets are looked after again */
#define PTR_LIMIT_NS      (4 * SEC) /* longest time for one reverse look-up */
#define FORWARD_LIMIT_MS  15000     /* below what the program waits */
#define TICK_MS           250       /* how exactly PTR_LIMIT_NS is kept */
#define SILENT_IN_ROW_MAX 64 /* so many unanswered look-ups in a row, and the servers are taken as gone */
#define OWN_FD            3  /* where the socket to the program is moved */

/* A reverse look-up in flight. */
struct slot {
    struct lookup_question question;
    uint32_t id;
    int64_t deadline_ns;
    bool used;
    bool answered; /* at its deadline; the library still holds the question */
};

struct worker {
    int fd;
    bool own_servers; /* --dns-servers, for names too */
    struct lookup *lookup;
    struct hosts hosts;
    struct slot slots[IN_FLIGHT_MAX];
    unsigned in_flight;
    unsigned silent_in_row;
};

static void reply(const struct worker *worker, const struct message *message)
{
    enum message_result result;
    while ((result = message_send(worker->fd, message, 0)) == MESSAGE_BUSY) {
        struct timespec moment = {.tv_nsec =
                                      10 * MSEC}; /* no buffer for it now; every answer is waited for */
        nanosleep(&moment, NULL);
    }
    if (result == MESSAGE_CLOSED)
        _exit(EXIT_SUCCESS);
}

static void reply_ptr(const struct worker *worker, uint32_t id, const char *name, bool failed)
{
    struct message answer = {.kind = MESSAGE_PTR, .id = id, .status = failed};
    message_set_text(&answer, name);
    reply(worker, &answer);
}

static void on_ptr(struct lookup_question *question, enum lookup_result result, const char *name)
{
    struct worker *worker = question->context;
    struct slot *slot = (struct slot *)question; /* its first member */
    if (result != LOOKUP_SILENT)
        worker->silent_in_row = 0;
    else if (!slot->answered)
        worker->silent_in_row++;

    if (!slot->answered)
        reply_ptr(worker, slot->id, result == LOOKUP_NAME ? name : "", result >= LOOKUP_FAILED);
    slot->used = false;
    worker->in_flight--;
}

/* Answer for those that take too long, whatever the library still tries. */
static void expire(struct worker *worker)
{
    int64_t now_ns = clock_now_ns();
    for (size_t i = 0; i < IN_FLIGHT_MAX; i++) {
        struct slot *slot = &worker->slots[i];
        if (!slot->used || slot->answered || now_ns < slot->deadline_ns)
            continue;
        slot->answered = true;
        worker->silent_in_row++;
        reply_ptr(worker, slot->id, "", true);
    }
}

static void ask_ptr(struct worker *worker, const struct message *question)
{
    const char *known = hosts_find(&worker->hosts, &question->addr);
    /* Servers that seem gone are asked one question at a time, so that it shows when they are back. */
    bool gone = worker->silent_in_row >= SILENT_IN_ROW_MAX && worker->in_flight > 0;
    if (known || gone) {
        reply_ptr(worker, question->id, known ? known : "", !known);
        return;
    }
    struct slot *slot = worker->slots;
    while (slot->used) /* the caller made sure that there is a free one */
        slot++;
    *slot = (struct slot){
        .question = {.done = on_ptr, .context = worker},
        .id = question->id,
        .deadline_ns = clock_now_ns() + PTR_LIMIT_NS,
        .used = true,
    };
    worker->in_flight++;
    lookup_ptr(worker->lookup, &question->addr, &slot->question);
}

static void ask_forward(struct worker *worker, const struct message *question)
{
    struct forward found;
    enum addr_family family = question->addr.family;
    if (worker->own_servers)
        lookup_forward(worker->lookup, question->text, family, FORWARD_LIMIT_MS, &found);
    else
        forward_system(question->text, family, &found);

    struct message answer = {.kind = MESSAGE_ADDRESS, .id = question->id};
    for (size_t i = 0; i < found.count; i++) {
        answer.addr = found.addrs[i];
        reply(worker, &answer);
    }
    answer = (struct message){.kind = MESSAGE_FORWARD_END, .id = question->id};
    message_set_text(&answer, found.reason);
    reply(worker, &answer);
}

static void take_questions(struct worker *worker)
{
    for (int i = 0; i < QUESTIONS_A_TURN && worker->in_flight < IN_FLIGHT_MAX; i++) {
        struct message question;
        enum message_result result = message_receive(worker->fd, MSG_DONTWAIT, &question);
        if (result == MESSAGE_BUSY)
            return;
        if (result == MESSAGE_OK && question.kind == MESSAGE_ASK_PTR)
            ask_ptr(worker, &question);
        else if (result == MESSAGE_OK && question.kind == MESSAGE_ASK_FORWARD)
            ask_forward(worker, &question);
        else
            _exit(EXIT_SUCCESS); /* the program has gone */
    }
}

static _Noreturn void serve(struct worker *worker)
{
    for (;;) {
        struct pollfd fds[1 + LOOKUP_FDS_MAX];
        fds[0] = (struct pollfd){.fd = worker->fd};
        if (worker->in_flight < IN_FLIGHT_MAX)
            fds[0].events = POLLIN;
        size_t count = lookup_fds(worker->lookup, fds + 1);
        poll(fds, 1 + count, worker->in_flight ? lookup_wait_ms(worker->lookup, TICK_MS) : -1);

        lookup_work(worker->lookup, fds + 1, count);
        expire(worker);
        if (fds[0].revents & POLLIN)
            take_questions(worker);
        else if (fds[0].revents)
            _exit(EXIT_SUCCESS);
    }
}

/* Keep nothing of the program but the socket and, for the sanitizers' reports, standard error. */
static void shed(int fd)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGINT,
           SIG_IGN); /* a Ctrl-C is the program's to deal with: it still wants the names it asked for */
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);

    if (fd != OWN_FD)
        dup2(fd, OWN_FD);
    int keep[] = {OWN_FD};
    if (descriptors_null_standard() < 0 || descriptors_keep_only(keep, 1) < 0)
        _exit(EXIT_FAILURE);
    prctl(PR_SET_NAME, "portolan-names");
}

_Noreturn void worker_run(const struct worker_config *config)
{
    struct error error = {.status = 0};
    shed(config->fd);
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        _exit(EXIT_FAILURE);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* if the program has died before, the socket says so */
    int status = config->confine ? config->confine(config->context, &error) : 0;

    /* The name service of libc is patient; what it asks must end before the program gives up on it. */
    setenv("RES_OPTIONS", "timeout:2 attempts:2", 0);
    if (!status)
        status = lookup_new(&config->servers, &worker->lookup, &error);

    struct message ready = {.kind = MESSAGE_READY, .status = (uint16_t)-status};
    if (status)
        message_set_text(&ready, error.text);
    if (message_send(OWN_FD, &ready, 0) != MESSAGE_OK || status)
        _exit(EXIT_FAILURE);

    worker->fd = OWN_FD;
    worker->own_servers = config->servers.count > 0;
    hosts_load("/etc/hosts", &worker->hosts);
    serve(worker);
}
