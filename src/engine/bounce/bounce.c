#include "engine/bounce/bounce.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/bounce/internal.h"

#define PROGRESS_PERIOD_NS (200 * MSEC)
#define TURN_MAX_NS        (100 * MSEC) /* between two looks at what has timed out */
#define FIRST_SESSIONS_MAX 4            /* until the server has done something for us */

static struct bounce *bounce_of(struct scanner *scanner)
{
    return (struct bounce *)scanner; /* the scanner is the first member */
}

static void emit_progress(struct bounce *bounce)
{
    const struct engine_config *config = &bounce->config;
    struct record record = record_new(config, bounce->now_ns, RECORD_PROGRESS, NULL);
    record.value[PROGRESS_PROBES_SENT] = bounce->probes_sent;
    record.value[PROGRESS_PROBES_PLANNED] = bounce->probes_sent + work_left(bounce);
    record.value[PROGRESS_ANSWERS] = bounce->answers;
    record.value[PROGRESS_REJECTED] = bounce->rejected;
    record.value[PROGRESS_HOSTS_DONE] = bounce->hosts_done;
    record.value[PROGRESS_HOSTS_UP] = bounce->hosts_walked + (bounce->next_spec > 0);
    bounce_emit(bounce, &record);
}

static bool end(struct bounce *bounce)
{
    relay_note_refusals(bounce);
    bool finished = work_is_done(bounce);
    work_abandon(bounce);
    for (uint32_t i = 0; i < BOUNCE_SESSIONS_MAX; i++)
        talk_quit(bounce, i);
    emit_progress(bounce);
    struct record record = record_new(&bounce->config, bounce->now_ns, RECORD_END, NULL);
    record.flags = finished ? 0 : RECORD_UNFINISHED;
    bounce_emit(bounce, &record);
    bounce->over = true;
    return false;
}

/* Whether the pace lets another port be asked now. */
static bool may_start(const struct bounce *bounce)
{
    return bounce->next_start_ns <= bounce->now_ns && !bounce->given_up;
}

static void keep_pace(struct bounce *bounce)
{
    const struct timing *timing = &bounce->config.timing;
    int64_t gap_ns = timing->max_rate_pps > 0 ? (int64_t)((double)SEC / timing->max_rate_pps) : 0;
    if (timing->scan_delay_ns > gap_ns)
        gap_ns = timing->scan_delay_ns;
    bounce->next_start_ns = bounce->now_ns + gap_ns;
}

/* Every connection that is ready gets a port. */
static void ask_ports(struct bounce *bounce)
{
    struct bounce_probe probe;
    for (uint32_t i = 0; i < BOUNCE_SESSIONS_MAX && may_start(bounce); i++) {
        if (bounce->sessions[i].step != STEP_READY)
            continue;
        if (!work_next(bounce, &probe))
            return;
        talk_ask(bounce, i, &probe);
        keep_pace(bounce);
    }
}

/* Until the server has obeyed once it gets one connection, and one more for each on which it may be waiting
 * for a silent port: some servers connect at PORT already. */
static unsigned connections_allowed(const struct bounce *bounce)
{
    unsigned allowed = bounce->allowed;
    for (unsigned i = 0; i < BOUNCE_SESSIONS_MAX && !bounce->has_grown; i++)
        allowed += talk_may_be_silent(bounce, &bounce->sessions[i]);
    return allowed < FIRST_SESSIONS_MAX || bounce->has_grown ? allowed : FIRST_SESSIONS_MAX;
}

/* As many connections as there are ports to ask, and as the server bears; the first shows whether it is of
 * use at all. */
static void open_sessions(struct bounce *bounce)
{
    for (uint32_t i = 0; i < BOUNCE_SESSIONS_MAX && !bounce->given_up; i++) {
        unsigned working = relay_sessions(bounce, true);
        unsigned asking = 0;
        for (unsigned k = 0; k < BOUNCE_SESSIONS_MAX; k++)
            asking += bounce->sessions[k].step == STEP_TARGET || bounce->sessions[k].step == STEP_LIST;
        if (bounce->next_open_ns > bounce->now_ns || working >= BOUNCE_WORKING_MAX ||
            relay_sessions(bounce, false) >= connections_allowed(bounce) ||
            work_left(bounce) <= working - asking)
            return;
        if (bounce->sessions[i].step == STEP_NONE)
            talk_open(bounce, i);
    }
}

static int64_t next_wake_ns(const struct bounce *bounce, int64_t until_ns)
{
    int64_t wake_ns = bounce->now_ns + TURN_MAX_NS < until_ns ? bounce->now_ns + TURN_MAX_NS : until_ns;
    for (unsigned i = 0; i < BOUNCE_SESSIONS_MAX; i++) {
        const struct bounce_session *session = &bounce->sessions[i];
        if (session->step != STEP_NONE && session->step != STEP_READY && session->deadline_ns < wake_ns)
            wake_ns = session->deadline_ns;
    }
    if (bounce->next_start_ns > bounce->now_ns && bounce->next_start_ns < wake_ns)
        wake_ns = bounce->next_start_ns;
    return wake_ns;
}

static bool bounce_turn(struct scanner *scanner, int64_t until_ns)
{
    struct bounce *bounce = bounce_of(scanner);
    if (bounce->over)
        return false;
    bounce->now_ns = bounce->io->ops->now(bounce->io);
    if (bounce->now_ns >= bounce->next_progress_ns) {
        emit_progress(bounce);
        bounce->next_progress_ns = bounce->now_ns + PROGRESS_PERIOD_NS;
    }
    for (uint32_t i = 0; i < BOUNCE_SESSIONS_MAX; i++)
        talk_check_deadline(bounce, i);
    work_time_out_hosts(bounce);
    ask_ports(bounce);
    open_sessions(bounce);
    if (bounce->stopping || bounce->given_up || work_is_done(bounce))
        return end(bounce);
    bounce->io->ops->work(bounce->io, NULL, next_wake_ns(bounce, until_ns));
    return true;
}

static void bounce_stop(struct scanner *scanner)
{
    bounce_of(scanner)->stopping = true;
}

static void bounce_free(struct scanner *scanner)
{
    free(bounce_of(scanner));
}

static const struct scanner_ops bounce_ops = {
    .turn = bounce_turn,
    .stop = bounce_stop,
    .free = bounce_free,
};

int bounce_new(const struct engine_config *config, const struct bounce_relay *relay, struct scanner **ret,
               struct error *err)
{
    struct bounce *bounce = calloc(1, sizeof *bounce);
    if (!bounce)
        return error_set(err, EX_OSERR, "not enough memory for the scan");
    const struct timing *timing = &config->timing;
    assert(config->spec_count > 0 && config->io->ops->streams);
    bounce->scanner.ops = &bounce_ops;
    bounce->config = *config;
    bounce->relay = *relay;
    bounce->io = config->io;
    bounce->io->events = &bounce_events;
    bounce->io->context = bounce;
    bounce->now_ns = bounce->io->ops->now(bounce->io);
    bounce->allowed = 1;
    bounce->rtt_limits = (struct rtt_limits){timing->min_rto_ns, timing->initial_rto_ns, timing->max_rto_ns};
    rtt_init(&bounce->command_rtt, &bounce->rtt_limits);
    rtt_init(&bounce->answer_rtt, &bounce->rtt_limits);
    *ret = &bounce->scanner;
    return 0;
}
