#include "cli/supervisor/supervisor.h"

#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"
#include "base/time.h"
#include "cli/rejects.h"
#include "cli/supervisor/internal.h"
#include "sandbox/sandbox.h"

#define TURN_MS     250 /* the longest time in which nothing is looked at */
#define OTHER_WAITS 6   /* for what is no packet process */

static int64_t realtime_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * SEC + now.tv_nsec;
}

/* A file of packets that cannot be written ends the scan as any other output does. */
static void flush_evidence(struct supervisor *supervisor)
{
    if (!supervisor->outputs.failed && evidence_flush(&supervisor->evidence, &supervisor->outputs.error) < 0)
        supervisor->outputs.failed = true;
}

static void end_evidence(struct supervisor *supervisor)
{
    if (!supervisor->outputs.failed && evidence_end(&supervisor->evidence, &supervisor->outputs.error) < 0)
        supervisor->outputs.failed = true;
}

/* Wait until something happens. */
static void wait_for_something(struct supervisor *supervisor)
{
    struct pollfd waits[OTHER_WAITS + 2 * WORKERS_MAX] = {
        {.fd = supervisor->signal_fd, .events = POLLIN},
        {.fd = terminal_fd(&supervisor->terminal), .events = POLLIN},
        {.fd = names_fd(supervisor->names), .events = POLLIN},
        {.fd = then_fd(&supervisor->then), .events = POLLIN},
        {.fd = outputs_waiting_fd(&supervisor->outputs), .events = POLLOUT},
        {.fd = outputs_reader_fd(&supervisor->outputs), .events = 0},
    };
    nfds_t count = OTHER_WAITS;
    for (unsigned i = 0; i < supervisor->crew->count; i++) {
        const struct channel *channel = &supervisor->crew->members[i].channel;
        waits[count++] = (struct pollfd){.fd = channel->wake_fd, .events = POLLIN};
        waits[count++] = (struct pollfd){.fd = channel->trace_fds[0], .events = POLLIN};
    }
    poll(waits, count, supervisor->behind || supervisor->recorder.walking ? 0 : TURN_MS);
    for (unsigned i = 0; i < supervisor->crew->count; i++) {
        uint64_t calls = 0;
        ssize_t got = read(supervisor->crew->members[i].channel.wake_fd, &calls, sizeof calls);
        (void)got; /* whether there was a call or not, the ring says what there is */
    }
    supervisor_read_signals(supervisor);
    if (waits[1].revents)
        supervisor_read_keys(supervisor);
    if (waits[OTHER_WAITS - 1].revents & POLLERR)
        outputs_reader_left(&supervisor->outputs);
}

/* Take in what has happened. Returns whether a packet process lives. */
static bool turn(struct supervisor *supervisor)
{
    wait_for_something(supervisor);
    supervisor_read_trace(supervisor);
    bool alive = crew_look(supervisor->crew);
    supervisor_drain(supervisor);
    names_read(supervisor->names, supervisor->results);
    then_read(&supervisor->then);
    outputs_flush(&supervisor->outputs);
    flush_evidence(supervisor);
    struct packet_totals totals = crew_totals(supervisor->crew);
    const struct recorder_counts counts = {&totals, supervisor->progress.values};
    recorder_turn(&supervisor->recorder, supervisor->results, &counts);
    supervisor_show_progress(supervisor);
    if ((supervisor->outputs.failed || supervisor->recorder.failed) && !supervisor->stopping)
        supervisor_stop(supervisor);
    /* Nothing is taken in any more: who has more to tell would wait for ever. */
    if (supervisor->outputs.failed)
        crew_signal(supervisor->crew, SIGKILL);
    return alive;
}

/* Is there something to be taken in that no packet process needs to live for? */
static bool has_more(const struct supervisor *supervisor)
{
    return supervisor->behind || recorder_is_full(&supervisor->recorder);
}

/* Until the packet processes are gone; then until the names are known that were asked for. */
static void scan(struct supervisor *supervisor)
{
    crew_command(supervisor->crew, COMMAND_START);
    crew_close_unused(supervisor->crew);
    while (turn(supervisor) || has_more(supervisor))
        ;
    while (names_busy(supervisor->names) && !supervisor->stopping)
        turn(supervisor);
    bool complete =
        supervisor_all_ended(supervisor) && !supervisor_cut_short(supervisor) && !supervisor->outputs.failed;
    supervisor->recorder.stopping = !complete;
    results_flush(supervisor->results, realtime_ns());
    flush_evidence(supervisor);
    struct packet_totals totals = crew_totals(supervisor->crew);
    const struct recorder_counts counts = {&totals, supervisor->progress.values};
    recorder_end(&supervisor->recorder, &counts, complete);
}

/* The sum of what all packet processes said of themselves. */
static void take_account(const struct supervisor *supervisor, struct report_end *end)
{
    uint64_t values[END_VALUE_COUNT] = {0};
    for (unsigned i = 0; i < supervisor->crew->count; i++)
        for (unsigned value = 0; value < END_VALUE_COUNT; value++)
            values[value] += supervisor->told[i].end_values[value];
    report_end_account(end, values);
}

static struct report_end describe_end(const struct supervisor *supervisor)
{
    const struct results_totals *totals = results_totals(supervisor->results);
    const struct packet_totals packets = crew_totals(supervisor->crew);
    const uint64_t *values = supervisor->progress.values;
    struct report_end end = {
        .end_ns = realtime_ns(),
        .hosts_up = totals->hosts_up + supervisor->earlier_up,
        .hosts_down = totals->hosts_down + supervisor->earlier_down,
        .hosts_total = supervisor->job->plan.host_count,
        .packets_sent = packets.packets_sent,
        .bytes_sent = packets.bytes_sent,
        .packets_received = packets.packets_received,
        .bytes_received = packets.bytes_received,
        .probes_sent = values[PROGRESS_PROBES_SENT],
        .answers = values[PROGRESS_ANSWERS],
        .rejected = values[PROGRESS_REJECTED],
        .drops = values[PROGRESS_DROPS],
    };
    take_account(supervisor, &end);
    const struct rejects rejects = rejects_of(end.rejected, &packets);
    rejects_report(&rejects, &end);
    return end;
}

/* Complete the reports, wait for the commands of --then, and say what the user should know. */
static int finish(struct supervisor *supervisor)
{
    char text[ENDING_TEXT_MAX];
    int status = EX_OK;
    struct report_end end = describe_end(supervisor);
    zombies_describe(&supervisor->zombies, &end);
    talk_clear(supervisor->talk);
    end.interrupted = supervisor_judge_end(supervisor, text, &status);
    end.exit_status = status;
    outputs_end(&supervisor->outputs, &end);
    end_evidence(supervisor);
    while (then_busy(&supervisor->then) && !supervisor->impatient)
        turn(supervisor);
    talk_clear(supervisor->talk);
    supervisor_note_end(supervisor);

    if (supervisor->outputs.failed) {
        status = supervisor->outputs.error.status;
        if (!supervisor->outputs.reader_left)
            talk_error(supervisor->talk, &supervisor->outputs.error);
    } else if (supervisor->recorder.failed) {
        talk_error(supervisor->talk, &supervisor->recorder.error);
    } else if (end.interrupted) {
        talk_say(supervisor->talk, "%s", end.interrupted);
    }
    if (status != EX_OK && supervisor_can_go_on(supervisor))
        talk_say(supervisor->talk, "portolan resume %s goes on with the scan",
                 supervisor->job->options->store);
    return status;
}

/* Where the store is, or will be; links are followed. To be freed; NULL: without memory, or it cannot be. */
static char *directory_of(const char *path)
{
    char *real = realpath(path, NULL);
    char *copy = real ? real : strdup(path);
    char *directory = copy ? realpath(dirname(copy), NULL) : NULL;
    free(copy);
    return directory;
}

/* All is open and everybody is started. From here on the supervisor writes, and can open nothing but the
 * files of a store. */
static int enter_sandbox(struct supervisor *supervisor, struct error *err)
{
    const char *store = supervisor->job->options->store;
    own(free_ptr) char *directory = store ? directory_of(store) : NULL;
    pid_t children[WORKERS_MAX + 1] = {names_pid(supervisor->names)};
    for (unsigned i = 0; i < supervisor->crew->count; i++)
        children[i + 1] = supervisor->crew->members[i].pid;
    struct sandbox_config config = {
        .role = store ? SANDBOX_STORE : SANDBOX_SUPERVISOR,
        .directory = directory,
        .unwanted = supervisor->job->options->no_sandbox,
        .children = children,
        .child_count = supervisor->crew->count + 1,
    };
    tzset(); /* reads the file of the time zone */
    return sandbox_enter(&config, &supervisor->sandbox, err);
}

/* What is opened and cannot be is told before a report has a line. */
static int open_files(struct supervisor *supervisor, struct database **ret_store, struct error *err)
{
    const struct job *job = supervisor->job;
    const struct options *options = job->options;
    int r = outputs_open(options, &supervisor->outputs, err);
    if (r == 0 && options->pcap)
        r = evidence_open(&supervisor->evidence, options->pcap, err);
    if (r == 0 && options->store)
        r = recorder_open(&supervisor->recorder, job, supervisor->run.start_ns, ret_store, err);
    return r == 0 ? outputs_begin(&supervisor->outputs, &supervisor->run, err) : r;
}

static int open_all(struct supervisor *supervisor, struct error *err)
{
    const struct options *options = supervisor->job->options;
    bool color = options->color == COLOR_ALWAYS ||
                 (options->color == COLOR_AUTO && isatty(STDOUT_FILENO) && !getenv("NO_COLOR"));
    supervisor->run = job_report_run(supervisor->job, realtime_ns(), color);
    supervisor->told = calloc(supervisor->crew->count, sizeof *supervisor->told);
    if (!supervisor->told)
        return error_set(err, EX_OSERR, "out of memory");
    struct database *store = NULL;
    int r = supervisor_open_signals(supervisor, err);
    if (r == 0)
        r = supervisor_open_results(supervisor, err);
    if (r == 0)
        r = then_start(options->then, supervisor->talk, &supervisor->then, err);
    if (r == 0)
        r = open_files(supervisor, &store, err);
    if (r == 0) {
        terminal_open(&supervisor->terminal, !options->no_sandbox);
        r = enter_sandbox(supervisor, err);
    }
    if (r == 0 && store) /* it starts a thread, which must be limited too */
        return supervisor_start_store(supervisor, store, err);
    database_close(store);
    return r;
}

static void close_all(struct supervisor *supervisor)
{
    crew_end(supervisor->crew);
    terminal_close(&supervisor->terminal);
    then_stop(&supervisor->then);
    outputs_done(&supervisor->outputs);
    evidence_done(&supervisor->evidence);
    recorder_done(&supervisor->recorder);
    results_free(supervisor->results);
    zombies_done(&supervisor->zombies);
    free(supervisor->told);
    if (supervisor->signal_fd >= 0)
        close(supervisor->signal_fd);
}

int supervisor_run(struct job *job, struct names *names, struct crew *crew, struct talk *talk)
{
    int64_t now_ns = supervisor_now_ns();
    const struct options *options = job->options;
    struct supervisor supervisor = {
        .job = job,
        .names = names,
        .crew = crew,
        .talk = talk,
        .signal_fd = -1,
        .then = THEN_NONE,
        .terminal = TERMINAL_NONE,
        .progress = {.start_ns = now_ns},
        .next_line_ns = now_ns,
        .next_status_ns = options->stats_every_ns > 0 ? now_ns + options->stats_every_ns : TIME_NEVER,
    };
    struct error err = {.status = 0};
    int status = -open_all(&supervisor, &err);
    if (status == 0) {
        supervisor_note_plan(&supervisor);
        supervisor_note_means(&supervisor);
        terminal_take(&supervisor.terminal);
        scan(&supervisor);
        status = finish(&supervisor);
    } else {
        talk_error(talk, &err);
    }
    close_all(&supervisor);
    return status;
}
