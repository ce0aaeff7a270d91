/* What the user does while the scan runs: signals, keys, and looking at the progress line. */
#include "cli/supervisor/internal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "cli/supervisor/supervisor.h"

#define LINE_EVERY_NS (250 * MSEC)

int64_t supervisor_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SEC + now.tv_nsec;
}

/* Those that are read from the descriptor. What whoever started us wants ignored, as nohup does, stays
 * ignored: a blocked signal would be queued all the same. */
static void collect_signals(sigset_t *ret)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT, SIGCHLD};
    sigemptyset(ret);
    for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sigaction action;
        if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(ret, numbers[i]);
    }
}

void supervisor_block_signals(void)
{
    sigset_t signals;
    signal(SIGCHLD, SIG_DFL); /* ignored, it would let children vanish before anybody waits for them */
    collect_signals(&signals);
    sigaddset(&signals, SIGPIPE); /* a closed output is seen by the write that fails */
    sigaddset(&signals, SIGTTOU); /* so is a terminal that is somebody else's */
    sigaddset(&signals, SIGTTIN);
    sigprocmask(SIG_BLOCK, &signals, NULL);
}

int supervisor_open_signals(struct supervisor *supervisor, struct error *err)
{
    sigset_t signals;
    collect_signals(&signals);
    supervisor->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (supervisor->signal_fd < 0)
        return error_set(err, EX_OSERR, "cannot wait for signals: %s", strerror(errno));
    return 0;
}

/* Ctrl-Z: everything stands still, and the terminal is as it was before us, until somebody says SIGCONT. */
static void suspend(struct supervisor *supervisor)
{
    talk_clear(supervisor->talk);
    terminal_give_back(&supervisor->terminal);
    crew_signal(supervisor->crew, SIGSTOP);
    raise(SIGSTOP);
    crew_signal(supervisor->crew, SIGCONT);
    terminal_take(&supervisor->terminal);
}

void supervisor_read_signals(struct supervisor *supervisor)
{
    struct signalfd_siginfo info;
    while (read(supervisor->signal_fd, &info, sizeof info) == sizeof info) {
        switch (info.ssi_signo) {
        case SIGINT:
        case SIGTERM:
        case SIGHUP:
            if (supervisor->stop_signal == 0)
                supervisor->stop_signal = (int)info.ssi_signo;
            supervisor_stop(supervisor);
            break;
        case SIGTSTP:
            suspend(supervisor);
            break;
        case SIGCONT:
            terminal_take(&supervisor->terminal);
            break;
        default: /* SIGCHLD: whoever has children looks for them after each turn */
            break;
        }
    }
}

static void show_status(struct supervisor *supervisor)
{
    char text[PROGRESS_TEXT_MAX];
    progress_status(&supervisor->progress, supervisor_now_ns(), text);
    talk_say(supervisor->talk, "%s", text);
}

static void set_trace(struct supervisor *supervisor, bool trace)
{
    crew_command(supervisor->crew, trace ? COMMAND_TRACE : COMMAND_NO_TRACE);
    talk_say(supervisor->talk, "packets are %s", trace ? "shown" : "no longer shown");
}

/* The reports look at the levels anew for each host. */
static void change_level(struct supervisor *supervisor, unsigned *level, int change, const char *name)
{
    if (change > 0 || *level > 0)
        *level += (unsigned)change;
    supervisor->run.show_reason = supervisor->job->options->reason || supervisor->run.fold.verbosity >= 2;
    talk_say(supervisor->talk, "%s is now %u", name, *level);
}

void supervisor_read_keys(struct supervisor *supervisor)
{
    char key = terminal_key(&supervisor->terminal);
    switch (key) {
    case '\0':
        break;
    case 'v':
        change_level(supervisor, &supervisor->run.fold.verbosity, 1, "verbosity");
        break;
    case 'V':
        change_level(supervisor, &supervisor->run.fold.verbosity, -1, "verbosity");
        break;
    case 'd':
        change_level(supervisor, &supervisor->run.fold.debugging, 1, "debugging");
        break;
    case 'D':
        change_level(supervisor, &supervisor->run.fold.debugging, -1, "debugging");
        break;
    case 'p':
        set_trace(supervisor, true);
        break;
    case 'P':
        set_trace(supervisor, false);
        break;
    case '?':
        talk_say(supervisor->talk,
                 "keys: v/V say more or less, d/D the same of the inside, p/P show packets or not, "
                 "any other: how far the scan is");
        break;
    default:
        show_status(supervisor);
        break;
    }
}

/* Lines of --packet-trace; one that is too long is cut. */
static void read_trace(struct supervisor *supervisor, struct told *told, int *fd)
{
    char bytes[4096];
    ssize_t got = *fd < 0 ? -1 : read(*fd, bytes, sizeof bytes);
    if (got ==
        0) { /* the packet process is ending, which takes a while: its end would be readable all the time */
        close(*fd);
        *fd = -1;
    }
    for (ssize_t i = 0; i < got; i++) {
        if (bytes[i] != '\n' && told->trace_len + 1 < sizeof told->trace_line) {
            told->trace_line[told->trace_len++] = bytes[i];
        } else if (bytes[i] == '\n') {
            told->trace_line[told->trace_len] = '\0';
            talk_line(supervisor->talk, told->trace_line);
            told->trace_len = 0;
        }
    }
}

void supervisor_read_trace(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->crew->count; i++)
        read_trace(supervisor, &supervisor->told[i], &supervisor->crew->members[i].channel.trace_fds[0]);
}

void supervisor_show_progress(struct supervisor *supervisor)
{
    int64_t now_ns = supervisor_now_ns();
    if (now_ns >= supervisor->next_status_ns) {
        show_status(supervisor);
        supervisor->next_status_ns = now_ns + supervisor->job->options->stats_every_ns;
    }
    if (supervisor->talk->terminal && now_ns >= supervisor->next_line_ns) {
        char text[PROGRESS_TEXT_MAX];
        progress_line(&supervisor->progress, now_ns, text);
        talk_progress(supervisor->talk, text);
        supervisor->next_line_ns = now_ns + LINE_EVERY_NS;
    }
}
