/* How a scan ends: who asks it to stop, whether all was done, and if not, why. */
#include "cli/supervisor/internal.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

void supervisor_stop(struct supervisor *supervisor)
{
    if (supervisor->stopping) {
        supervisor->impatient = true;
        crew_signal(supervisor->crew, SIGKILL);
        then_stop(&supervisor->then);
    }
    supervisor->stopping = true;
    supervisor->recorder.stopping = true;
    crew_command(supervisor->crew, COMMAND_STOP);
}

bool supervisor_all_ended(const struct supervisor *supervisor)
{
    bool ended = true;
    for (unsigned i = 0; i < supervisor->crew->count; i++)
        ended &= supervisor->told[i].ended;
    return ended;
}

bool supervisor_cut_short(const struct supervisor *supervisor)
{
    bool cut_short = false;
    for (unsigned i = 0; i < supervisor->crew->count; i++)
        cut_short |= supervisor->told[i].cut_short;
    return cut_short;
}

/* The signal that ended a packet process, the first such; 0: none. */
static int fatal_signal(const struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->crew->count; i++) {
        if (WIFSIGNALED(supervisor->crew->members[i].status))
            return WTERMSIG(supervisor->crew->members[i].status);
    }
    return 0;
}

static bool ring_is_broken(const struct supervisor *supervisor)
{
    bool broken = false;
    for (unsigned i = 0; i < supervisor->crew->count; i++)
        broken |= supervisor->crew->members[i].channel.ring.broken;
    return broken;
}

const char *supervisor_judge_end(const struct supervisor *supervisor, char text[static ENDING_TEXT_MAX],
                                 int *ret_status)
{
    int signal_number = fatal_signal(supervisor);
    bool cut_short = supervisor_cut_short(supervisor);
    if (supervisor->outputs.failed) {
        *ret_status = supervisor->outputs.error.status;
        snprintf(text, ENDING_TEXT_MAX, "stopped: an output could not be written");
    } else if (supervisor->recorder.failed) {
        *ret_status = supervisor->recorder.error.status;
        snprintf(text, ENDING_TEXT_MAX, "stopped: the store could not be written");
    } else if (supervisor->stop_signal) {
        *ret_status = supervisor->job->options->store ? EX_TEMPFAIL : 128 + supervisor->stop_signal;
        snprintf(text, ENDING_TEXT_MAX, "interrupted by SIG%s", sigabbrev_np(supervisor->stop_signal));
    } else if (ring_is_broken(supervisor)) {
        *ret_status = EX_SOFTWARE;
        snprintf(text, ENDING_TEXT_MAX, "the packet process broke the rules of its ring");
    } else if (signal_number == SIGSYS) {
        *ret_status = EX_SOFTWARE;
        snprintf(text, ENDING_TEXT_MAX,
                 "the packet process tried what its sandbox forbids, and was ended (signal %d); a bug or an "
                 "attack",
                 signal_number);
    } else if (signal_number) {
        *ret_status = EX_SOFTWARE;
        snprintf(text, ENDING_TEXT_MAX, "the packet process was ended by signal %d (%s)", signal_number,
                 strsignal(signal_number));
    } else if (cut_short && supervisor->failure[0]) {
        *ret_status = EX_UNAVAILABLE;
        snprintf(text, ENDING_TEXT_MAX, "%s", supervisor->failure);
    } else if (!supervisor_all_ended(supervisor) || cut_short) {
        *ret_status = EX_SOFTWARE;
        snprintf(text, ENDING_TEXT_MAX, "the packet process ended before the scan did");
    } else {
        *ret_status = EX_OK;
        return NULL;
    }
    return text;
}

/* A store that is full holds all until then; one that could not be written for another reason may be gone. */
bool supervisor_can_go_on(const struct supervisor *supervisor)
{
    const struct recorder *recorder = &supervisor->recorder;
    return supervisor->job->options->store && !supervisor->job->options->via &&
           (!recorder->failed || recorder->error.status == EX_TEMPFAIL);
}
