/* The dialogue on a control connection: what is said next, and how long an answer may take. */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/bounce/internal.h"

/* How long the server may take for what has nothing to do with a target. These are no waits: every reply is
 * taken when it comes. A greeting may have to wait for name servers, a login for delays against guessing. */
#define CONNECT_LIMIT_NS  (15 * SEC)
#define GREETING_LIMIT_NS (40 * SEC)
#define LOGIN_LIMIT_NS    (30 * SEC)
#define TARGET_LIMIT_NS   (40 * SEC)

/* The kernel of the server sends a SYN at 0, 1 and 3 s (RFC 6298 section 2); we wait for the answer to the
 * third. Before the second leaves, only a slow target answers. */
#define THIRD_SYN_NS  (3 * SEC)
#define SECOND_SYN_NS (900 * MSEC)

/* How long a connection is kept on which the server still waits for a silent port. */
#define STUCK_LIMIT_NS (15 * SEC)

#define REPLY_LIMIT_NS (40 * SEC) /* from the first byte of a reply to its last */

#define ANSWERS_A_CONNECTION 32

#define REPLIES_MAX 16 /* to one command: a server that says more is talking to itself */
#define COMMAND_MAX 512

static void start_step(struct bounce *bounce, struct bounce_session *session, enum bounce_step step,
                       int64_t limit_ns)
{
    session->step = (uint8_t)step;
    session->asked_ns = bounce->now_ns;
    session->deadline_ns = bounce->now_ns + limit_ns;
    session->marked = false;
    session->replies = 0;
}

static void close_session(struct bounce *bounce, uint32_t number)
{
    bounce->io->ops->streams->close(bounce->io, number);
    bounce->sessions[number].step = STEP_NONE;
}

/* Has a 1xx shown that the server is connected? It says no more of that, so it does not matter what comes
 * after. */
static bool is_open_by_mark(const struct bounce *bounce, const struct bounce_session *session)
{
    return session->marked && bounce->habits.connects_first;
}

static void take_mark(struct bounce *bounce, struct bounce_session *session)
{
    bounce->answers++;
    bounce->syns_seen += session->probe.syns + 1U;
    bounce->syns_lost += session->probe.syns;
    work_settle(bounce, &session->probe, PORT_OPEN, REASON_FTP_OPEN, 0);
    session->fruitful = true;
    bounce->has_told = true;
}

/* The connection is of no more use, whoever ended it. */
static void lose(struct bounce *bounce, uint32_t number, enum relay_trouble trouble, unsigned why)
{
    struct bounce_session *session = &bounce->sessions[number];
    enum bounce_step step = (enum bounce_step)session->step;
    close_session(bounce, number);
    if (step == STEP_LIST && is_open_by_mark(bounce, session))
        take_mark(bounce, session);
    else if (step == STEP_TARGET || step == STEP_LIST)
        work_dropped(bounce, &session->probe);
    if (!session->fruitful)
        relay_session_failed(bounce, step < STEP_READY, trouble, why);
}

__attribute__((format(printf, 5, 6))) static void
say(struct bounce *bounce, uint32_t number, enum bounce_step step, int64_t limit_ns, const char *format, ...)
{
    char command[COMMAND_MAX];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    assert(len > 0 && (size_t)len < sizeof command);
    start_step(bounce, &bounce->sessions[number], step, limit_ns);
    /* A server that does not take one line is as good as silent: the deadline sees to it. */
    bounce->io->ops->streams->send(bounce->io, number, command, (size_t)len);
}

void talk_open(struct bounce *bounce, uint32_t number)
{
    struct bounce_session *session = &bounce->sessions[number];
    *session = (struct bounce_session){.step = STEP_NONE};
    int error = bounce->io->ops->streams->open(bounce->io, number, &bounce->relay.addr, bounce->relay.port);
    if (error)
        relay_session_failed(bounce, true, RELAY_UNREACHABLE, (unsigned)error);
    else
        start_step(bounce, session, STEP_CONNECT, CONNECT_LIMIT_NS);
}

void talk_quit(struct bounce *bounce, uint32_t number)
{
    static const char quit[] = "QUIT\r\n";
    struct bounce_session *session = &bounce->sessions[number];
    if (session->step > STEP_CONNECT)
        bounce->io->ops->streams->send(bounce->io, number, quit, sizeof quit - 1);
    close_session(bounce, number);
}

/* From when on no answer of the target is to be expected. */
static int64_t silence_limit_ns(const struct bounce *bounce)
{
    return THIRD_SYN_NS + bounce->answer_rtt.rto_ns + bounce->command_rtt.rto_ns;
}

bool talk_may_be_silent(const struct bounce *bounce, const struct bounce_session *session)
{
    return session->step == STEP_TARGET && bounce->now_ns - session->asked_ns >= silence_limit_ns(bounce);
}

void talk_ask(struct bounce *bounce, uint32_t number, const struct bounce_probe *probe)
{
    struct addr addr = work_addr(bounce, probe);
    uint16_t port = work_port(bounce, probe);
    char text[ADDR_TEXT_MAX];
    struct bounce_session *session = &bounce->sessions[number];
    session->probe = *probe;
    session->names_target = true;
    session->second_choice = addr.family == ADDR_V4 && bounce->eprt_for_v4;
    bounce->probes_sent++;
    addr.scope = 0; /* a link of ours means nothing there */
    if (addr.family == ADDR_V4 && !session->second_choice)
        say(bounce, number, STEP_TARGET, TARGET_LIMIT_NS, "PORT %u,%u,%u,%u,%u,%u\r\n", addr.bytes[0],
            addr.bytes[1], addr.bytes[2], addr.bytes[3], port / 256U, port % 256U);
    else
        say(bounce, number, STEP_TARGET, TARGET_LIMIT_NS, "EPRT |%d|%s|%u|\r\n",
            addr.family == ADDR_V4 ? 1 : 2, addr_format(&addr, text), port);
}

static void ask_for_list(struct bounce *bounce, uint32_t number)
{
    bounce->sessions[number].names_target = false;
    bounce->sessions[number].second_choice = bounce->nlst;
    say(bounce, number, STEP_LIST, silence_limit_ns(bounce), bounce->nlst ? "NLST\r\n" : "LIST\r\n");
}

/* ---- replies ---- */

static void log_in(struct bounce *bounce, uint32_t number)
{
    bounce->was_in = true;
    start_step(bounce, &bounce->sessions[number], STEP_READY, 0);
}

/* Another command may be taken where this one is not. True: then the port is to be asked again. */
static bool try_second_choice(struct bounce *bounce, const struct bounce_session *session,
                              enum bounce_meaning meaning)
{
    struct addr addr = work_addr(bounce, &session->probe);
    if (session->second_choice)
        return false;
    if (meaning == BOUNCE_NO_COMMAND)
        return bounce->nlst = true;
    if (session->names_target && bounce->relay.addr.family == ADDR_V6 && addr.family == ADDR_V4 &&
        bounce->high.obeyed + bounce->low.obeyed == 0)
        return bounce->eprt_for_v4 = true;
    return false;
}

/* A server that has refused twice what it never did is of no use. Ports below 1024 and IPv6 are often refused
 * alone. */
static void refuse(struct bounce *bounce, const struct bounce_session *session, enum bounce_meaning meaning,
                   unsigned code)
{
    struct bounce_consent *consent = work_consent(bounce, &session->probe);
    struct bounce_probe probe = session->probe;
    if (try_second_choice(bounce, session, meaning)) {
        work_dropped(bounce, &probe);
        return;
    }
    work_settle(bounce, &probe, PORT_UNKNOWN, REASON_RELAY_REFUSED, 0);
    consent->refused++;
    consent->code = code;
    consent->names_target = session->names_target;
    if (consent == &bounce->high && consent->obeyed == 0 && consent->refused >= BOUNCE_REFUSALS_ENOUGH)
        relay_give_up(bounce, session->names_target ? RELAY_FORBIDS : RELAY_NO_LIST, code);
}

static void take_answer(struct bounce *bounce, const struct bounce_session *session, enum port_state state,
                        enum reason reason, bool late)
{
    int64_t took_ns = session->heard_ns - session->asked_ns;
    bounce->answers++;
    bounce->syns_seen += session->probe.syns + 1U;
    bounce->syns_lost += session->probe.syns + late;
    if (!late)
        rtt_sample(&bounce->answer_rtt, &bounce->rtt_limits, took_ns);
    work_settle(bounce, &session->probe, state, reason, late ? 0 : took_ns);
}

/* What the reply means for the port that was asked. */
static void conclude(struct bounce *bounce, struct bounce_session *session, enum bounce_meaning meaning,
                     const struct ftp_reply *reply, bool late)
{
    struct bounce_probe *probe = &session->probe;
    switch (meaning) {
    case BOUNCE_OPEN:
        take_answer(bounce, session, PORT_OPEN, REASON_FTP_OPEN, late);
        break;
    case BOUNCE_CLOSED:
        take_answer(bounce, session, PORT_CLOSED, REASON_FTP_REFUSED, late);
        break;
    case BOUNCE_UNREACHABLE:
        take_answer(bounce, session, PORT_FILTERED, REASON_HOST_UNREACH, late);
        break;
    case BOUNCE_SILENT:
    case BOUNCE_DOUBTFUL:
        work_missed(bounce, probe, meaning == BOUNCE_DOUBTFUL);
        break;
    case BOUNCE_REFUSED:
    case BOUNCE_NO_COMMAND:
        refuse(bounce, session, meaning, reply->code);
        break;
    case BOUNCE_WAIT:
    case BOUNCE_ACCEPTED:
    case BOUNCE_GONE:
        break; /* not the end of an answer */
    }
    session->fruitful = true;
    bounce->has_told = true;
    bounce->failures = 0;
}

/* A port that is not waited for any more. */
static void conclude_stuck(struct bounce *bounce, const struct bounce_session *session,
                           enum bounce_meaning meaning)
{
    if (meaning == BOUNCE_OPEN)
        work_correct(bounce, &session->probe, PORT_OPEN, REASON_FTP_OPEN);
}

/* The server does as it is told: it may do so on several connections. Where it took no more, now and then one
 * is tried. */
static void note_obedience(struct bounce *bounce, const struct bounce_session *session)
{
    work_consent(bounce, &session->probe)->obeyed++;
    if (!bounce->has_grown)
        bounce->allowed = BOUNCE_SESSIONS_MAX;
    else if (bounce->answers % ANSWERS_A_CONNECTION == 0 && bounce->allowed < BOUNCE_SESSIONS_MAX)
        bounce->allowed++;
    bounce->has_grown = true;
}

static void accept_target(struct bounce *bounce, uint32_t number)
{
    struct bounce_session *session = &bounce->sessions[number];
    rtt_sample(&bounce->command_rtt, &bounce->rtt_limits, session->heard_ns - session->asked_ns);
    if (session->step == STEP_STUCK)
        start_step(bounce, session, STEP_READY, 0);
    else
        ask_for_list(bounce, number);
}

static void take_port_reply(struct bounce *bounce, uint32_t number, const struct ftp_reply *reply)
{
    struct bounce_session *session = &bounce->sessions[number];
    int64_t late_ns = SECOND_SYN_NS + bounce->command_rtt.rto_ns;
    struct bounce_asked asked = {
        .names_target = session->names_target,
        .marked = session->marked,
        .late = session->heard_ns - session->asked_ns > late_ns,
    };
    bool stuck = session->step == STEP_STUCK;
    enum bounce_meaning meaning = bounce_judge(&asked, reply, &bounce->habits);
    if (meaning == BOUNCE_WAIT) {
        session->marked = true;
    } else if (meaning == BOUNCE_ACCEPTED) {
        accept_target(bounce, number);
    } else if (meaning == BOUNCE_GONE) {
        lose(bounce, number, RELAY_HANGS_UP, 0);
    } else {
        if (meaning != BOUNCE_REFUSED && meaning != BOUNCE_NO_COMMAND)
            note_obedience(bounce, session);
        if (stuck)
            conclude_stuck(bounce, session, meaning);
        else
            conclude(bounce, session, meaning, reply, asked.late);
        start_step(bounce, session, STEP_READY, 0);
    }
}

/* 120: the service is ready in some minutes. Others before the login say that it is not for us. */
static void take_login_reply(struct bounce *bounce, uint32_t number, const struct ftp_reply *reply)
{
    struct bounce_session *session = &bounce->sessions[number];
    unsigned kind = reply->code / 100;
    if (kind == 1)
        return;
    if (session->step == STEP_USER)
        rtt_sample(&bounce->command_rtt, &bounce->rtt_limits, session->heard_ns - session->asked_ns);
    if (reply->code == 421 || (session->step == STEP_GREETING && kind != 2))
        lose(bounce, number, RELAY_FULL, reply->code);
    else if (session->step == STEP_GREETING)
        say(bounce, number, STEP_USER, LOGIN_LIMIT_NS, "USER %s\r\n", bounce->relay.user);
    else if (kind == 2)
        log_in(bounce, number);
    else if (session->step == STEP_USER && reply->code == 331)
        say(bounce, number, STEP_PASS, LOGIN_LIMIT_NS, "PASS %s\r\n", bounce->relay.password);
    else
        lose(bounce, number, RELAY_NO_LOGIN, reply->code);
}

static void take_reply(struct bounce *bounce, uint32_t number, const struct ftp_reply *reply)
{
    struct bounce_session *session = &bounce->sessions[number];
    if (++session->replies > REPLIES_MAX) {
        lose(bounce, number, RELAY_NO_FTP, 0);
        return;
    }
    switch ((enum bounce_step)session->step) {
    case STEP_GREETING:
    case STEP_USER:
    case STEP_PASS:
        take_login_reply(bounce, number, reply);
        break;
    case STEP_TARGET:
    case STEP_LIST:
    case STEP_STUCK:
        take_port_reply(bounce, number, reply);
        break;
    case STEP_READY:
        bounce->rejected++; /* nothing was asked; most say so before they hang up */
        break;
    case STEP_NONE:
    case STEP_CONNECT:
        break;
    }
}

static void take_bytes(struct bounce *bounce, const struct stream_event *event)
{
    struct bounce_session *session = &bounce->sessions[event->stream];
    struct reader in = reader_over(event->bytes, event->len);
    struct ftp_reply reply;
    enum ftp_progress progress = FTP_REPLY;
    while (session->step != STEP_NONE && progress == FTP_REPLY) {
        if (session->reader.len == 0)
            session->heard_ns = event->time_ns;
        progress = ftp_read(&session->reader, &in, &reply);
        if (progress == FTP_REPLY)
            take_reply(bounce, event->stream, &reply);
    }
    if (progress == FTP_BROKEN) {
        bounce->rejected++;
        lose(bounce, event->stream, RELAY_NO_FTP, 0);
    }
}

static void on_stream(void *context, const struct stream_event *event)
{
    struct bounce *bounce = context;
    assert(event->stream < BOUNCE_SESSIONS_MAX);
    struct bounce_session *session = &bounce->sessions[event->stream];
    bounce->now_ns = event->time_ns;
    switch ((enum stream_change)event->change) {
    case STREAM_OPENED:
        start_step(bounce, session, STEP_GREETING, GREETING_LIMIT_NS);
        break;
    case STREAM_BYTES:
        take_bytes(bounce, event);
        break;
    case STREAM_CLOSED:
        lose(bounce, event->stream, RELAY_HANGS_UP, 0);
        break;
    case STREAM_FAILED:
        if (session->step == STEP_CONNECT)
            lose(bounce, event->stream, RELAY_UNREACHABLE, (unsigned)event->error);
        else
            lose(bounce, event->stream, RELAY_HANGS_UP, (unsigned)event->error);
        break;
    }
}

const struct netio_events bounce_events = {.stream = on_stream};

/* The port is silent; on this connection the server may still wait for it. */
static void get_stuck(struct bounce *bounce, struct bounce_session *session)
{
    int64_t asked_ns = session->asked_ns;
    bool marked = session->marked;
    if (is_open_by_mark(bounce, session))
        take_mark(bounce, session);
    else
        work_missed(bounce, &session->probe, false);
    note_obedience(bounce, session);
    session->fruitful = true;
    bounce->failures = 0;
    start_step(bounce, session, STEP_STUCK, STUCK_LIMIT_NS);
    session->asked_ns = asked_ns;
    session->marked = marked;
}

void talk_check_deadline(struct bounce *bounce, uint32_t number)
{
    struct bounce_session *session = &bounce->sessions[number];
    bool talks = session->step > STEP_CONNECT && session->reader.len > 0;
    if (!talks && bounce->habits.connects_at_port && talk_may_be_silent(bounce, session)) {
        get_stuck(bounce, session);
        return;
    }
    if (session->step == STEP_NONE || session->step == STEP_READY || session->deadline_ns > bounce->now_ns)
        return;
    if (talks && session->heard_ns + REPLY_LIMIT_NS > bounce->now_ns)
        session->deadline_ns = session->heard_ns + REPLY_LIMIT_NS; /* it is answering, if slowly */
    else if (session->step == STEP_CONNECT)
        lose(bounce, number, RELAY_UNREACHABLE, ETIMEDOUT);
    else if (!talks && session->step == STEP_LIST)
        get_stuck(bounce, session);
    else
        lose(bounce, number, RELAY_SILENT, 0);
}
