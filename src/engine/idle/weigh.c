/* What a test shows: how much likelier it is that one of its ports is open than that none is, given all that
 * is known of the zombie's own traffic, of the way, and of what targets repeat. */
#include "engine/idle/internal.h"

#include <math.h>
#include <stdlib.h>

#define JUMP_PACKETS 1000 /* that no traffic of a zombie that is not busy brings into one window */
#define MOST_SHARE   0.75 /* of what shows is most of it */
#define SHARE_LEAST  0.6  /* of the SYNs to open ports must show, else the windows are too narrow */

/* What the zombie sent before and after what showed in a window was its own. */
static void note_rest(struct idle *idle, const struct window_count *count, struct lag_span peak)
{
    double packets = 0;
    int64_t span_ns = 0;
    for (unsigned i = 0; i < count->step_count; i++) {
        const struct lag_step *step = &count->steps[i];
        if (step->to_ns > peak.from_ns && step->from_ns < peak.to_ns)
            continue;
        packets += step->excess;
        span_ns += step->to_ns - step->from_ns;
    }
    if (packets >= 0)
        background_note(&idle->background, idle->now_ns, packets, span_ns);
}

/* A port is open; its group is a copy, as it was at the end.
 *   right  the lag holds as much of its answers as gets through */
static void open_port_found(struct idle *idle, const struct group *group, struct lag_span lag, bool right)
{
    bool first = idle->lag.knowledge != LAG_KNOWN;
    idle_report_port(idle, group->ports.first, PORT_OPEN, REASON_IPID_CHANGE, group->tests);
    arrival_note(&idle->arrival, fmin(fmax(group->shown, 0), group->sent), group->sent);
    if (right)
        lag_learn(&idle->lag, lag);
    else
        lag_measured(&idle->lag, lag);
    if (first)
        idle_sweep_succeeded(idle, right);
    else if (!right)
        port_groups_doubt_all(&idle->groups);
    if (right && arrival_share(&idle->arrival) < SHARE_LEAST)
        lag_widen(&idle->lag);
}

/* What a test of a single port adds to the proof that it is open, and to what is known of the way. The
 * shortest span is the one that nothing disturbed. */
static void note_single(struct group *group, const struct window *window, double shown, double noise,
                        struct lag_span lag)
{
    group->shown += shown;
    group->noise += noise;
    group->sent += window->copies;
    if (window->ask_every_ns == 0)
        return;
    if (group->lag_tests++ == 0 || lag.to_ns - lag.from_ns < group->lag.to_ns - group->lag.from_ns)
        group->lag = lag;
}

static void take_result(struct idle *idle, uint32_t index, double evidence)
{
    struct group tested = idle->groups.groups[index];
    uint32_t bursts = idle->groups.bursts;
    tested.tests++;
    port_groups_tested(&idle->groups, index, evidence);
    if (idle->groups.findings[tested.ports.first] == FINDING_OPEN && tested.ports.count == 1)
        open_port_found(idle, &tested, tested.lag_tests > 0 ? tested.lag : idle->lag.span, true);
    if (idle->groups.bursts > bursts)
        background_note_burst(&idle->background);
}

static void weigh_ports(struct idle *idle, const struct window *window, const struct window_count *count)
{
    struct evidence_test test = idle_test_of(idle, window, count);
    double evidence = evidence_of(&test, (unsigned)count->packets);
    double shown = (double)count->packets - test.background.mean;
    struct group *group = &idle->groups.groups[window->group];
    if (evidence > 0) {
        struct lag_span peak = idle_find_peak(idle, window, count, shown, MOST_SHARE);
        struct lag_span lag = {.from_ns = peak.from_ns - window->burst_end_ns,
                               .to_ns = peak.to_ns - window->burst_at_ns};
        int64_t from_ns = count->steps[0].from_ns;
        idle_note_echoes(idle, from_ns, from_ns + count->span_ns, fmax(shown, 0));
        if (window->count == 1)
            note_single(group, window, shown, test.background.mean, lag);
        note_rest(idle, count, peak);
    } else {
        background_note(&idle->background, idle->now_ns, (double)count->packets, count->span_ns);
    }

    if (port_groups_would_open(&idle->groups, window->group, evidence) && !idle_shows_enough(idle, group))
        idle_trial_begin(idle, window->group);
    else
        take_result(idle, window->group, evidence);
}

static void finish_trial(struct idle *idle)
{
    struct trial *trial = &idle->trial;
    if (trial->result == TRIAL_NONE || trial->result == TRIAL_RUNS)
        return;
    struct group tested = idle->groups.groups[trial->group];
    tested.shown = trial->shown;
    tested.sent = trial->sent;
    port_groups_tried(&idle->groups, trial->group, trial->evidence);
    if (trial->result == TRIAL_OPEN)
        open_port_found(idle, &tested, trial->lag, false);
    trial->result = TRIAL_NONE;
}

static void forget_window(struct idle *idle, const struct window *window)
{
    if (window->kind == WINDOW_WAY)
        idle_trial_void(idle, window);
    if (window->kind == WINDOW_PORTS)
        port_groups_void(&idle->groups, window->group);
}

static void weigh_window(struct idle *idle, const struct window *window, const struct window_count *count)
{
    idle->windows_weighed++;
    if (count->packets < 0 || count->packets > JUMP_PACKETS + (int64_t)window->count * window->copies) {
        idle->jumps += llabs(count->packets) > JUMP_PACKETS; /* else our questions overtook each other */
        forget_window(idle, window);
    } else if (window->kind == WINDOW_WAY) {
        idle_trial_weigh(idle, window, count);
    } else if (window->kind == WINDOW_PORTS) {
        weigh_ports(idle, window, count);
    } else if (window->kind == WINDOW_NAME) {
        struct evidence_test test = idle_test_of(idle, window, count);
        idle->name_evidence += evidence_of(&test, (unsigned)count->packets);
        idle->name_tests++;
    } else {
        background_note(&idle->background, idle->now_ns, (double)count->packets, count->span_ns);
    }
}

void idle_weigh(struct idle *idle)
{
    struct window window;
    struct window_count count;
    while (idle_windows_take(idle, &window, &count)) {
        if (count.known)
            weigh_window(idle, &window, &count);
        else
            forget_window(idle, &window);
        finish_trial(idle);
    }
}
