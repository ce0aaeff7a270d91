/* What a test shows: how much likelier it is that one of its ports is open than that none is, given all that is known of the
 * zombie's own traffic, of the way, and of what targets repeat. */
#include "engine/idle/internal.h"

#include <math.h>
#include <stdlib.h>

#define JUMP_PACKETS 1000 /* that no traffic of a zombie that is not busy brings into one window */
#define MOST_SHARE   0.75 /* of what shows is most of it */
#define RIGHT_SHARE  0.85 /* of the SYNs to an open port that do not get lost */
#define WAY_SHARE    0.9  /* of what shows is as good as all of it */
#define WAY_TESTS    3
#define WAYS_MAX     4
#define SHARE_LEAST  0.6 /* of the SYNs to open ports must show, else the windows are too narrow */

static const int64_t repeat_ns[] = {1 * SEC, 3 * SEC,
                                    7 * SEC}; /* after a SYN/ACK: RFC 6298 section 2, doubled */

/* How much of an echo falls into this stretch of time. */
static double overlap(const struct lag_span *echo, int64_t from_ns, int64_t to_ns)
{
    int64_t first = echo->from_ns > from_ns ? echo->from_ns : from_ns;
    int64_t last = echo->to_ns < to_ns ? echo->to_ns : to_ns;
    return last > first ? (double)(last - first) / (double)(echo->to_ns - echo->from_ns) : 0;
}

/* Repeated SYN/ACKs that are expected in a window. */
static double expect_echoes(const struct idle *idle, int64_t from_ns, int64_t to_ns)
{
    unsigned count = idle->echo_count < IDLE_ECHOES_MAX ? idle->echo_count : IDLE_ECHOES_MAX;
    double packets = 0;
    for (unsigned i = 0; i < count; i++)
        packets += idle->echoes[i].packets * overlap(&idle->echoes[i].when, from_ns, to_ns);
    return packets;
}

/* What showed in this window will in part be repeated, after 1, 3 and 7 s: where a reset was lost, and where the SYN/ACK
 * was. */
static void note_echoes(struct idle *idle, int64_t from_ns, int64_t to_ns, double shown)
{
    double packets = shown;
    for (unsigned i = 0; i < sizeof repeat_ns / sizeof repeat_ns[0]; i++) {
        packets *= 1 - arrival_share(&idle->arrival);
        struct echo *echo = &idle->echoes[idle->echo_count++ % IDLE_ECHOES_MAX];
        *echo = (struct echo){.when = {from_ns + repeat_ns[i], to_ns + repeat_ns[i]}, .packets = packets};
    }
}

static struct evidence_test test_of(const struct idle *idle, const struct window *window,
                                    const struct window_count *count)
{
    int64_t from_ns = count->step_count ? count->steps[0].from_ns : 0;
    double more = expect_echoes(idle, from_ns, from_ns + count->span_ns) + 0.5 * count->doubtful;
    return (struct evidence_test){
        .ports = window->count,
        .copies = window->copies,
        .arrival = idle->arrival,
        .background = background_law(&idle->background, count->span_ns, more),
    };
}

/* How long the answers to a burst go on showing, at most: ways take differently long. */
static int64_t shows_for_ns(const struct idle *idle, const struct window *window)
{
    return window->burst_end_ns - window->burst_at_ns + 4 * zombie_jitter_ns(&idle->zombie);
}

/* When in a window something showed: most of it, however much the way varies. */
static struct lag_span find_peak(const struct idle *idle, const struct window *window,
                                 const struct window_count *count, double shown, double share)
{
    static const int64_t unrest_ns[] = {0, 15 * MSEC, 30 * MSEC, 60 * MSEC, 100 * MSEC};
    struct lag_step steps[IDLE_STEPS_MAX];
    struct lag_span peak;
    double pps = background_pps(&idle->background), holds = 0;
    double most = share * fmin(shown, (double)window->count * window->copies);
    for (unsigned i = 0; i < count->step_count; i++) {
        steps[i] = count->steps[i];
        steps[i].excess -= pps * (double)(steps[i].to_ns - steps[i].from_ns) / (double)SEC;
    }
    for (unsigned i = 0; i == 0 || (holds < most && i < sizeof unrest_ns / sizeof unrest_ns[0]); i++)
        peak = lag_peak(steps, count->step_count, shows_for_ns(idle, window) + unrest_ns[i], &holds);
    return peak;
}

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

/* Of what was sent to an open port as much as gets through to the zombie, or the lag does not hold all of it. */
static bool enough_shown(const struct idle *idle, const struct group *group)
{
    return group->shown >= RIGHT_SHARE * (1 - idle->zombie.loss) * group->sent;
}

static void open_port_found(struct idle *idle, const struct group *group)
{
    idle_report_port(idle, group->ports.first, PORT_OPEN, REASON_IPID_CHANGE, group->tests);
    arrival_note(&idle->arrival, group->shown, group->sent);
    bool first = idle->lag.knowledge != LAG_KNOWN;
    lag_learn(&idle->lag, group->lag_tests > 0 ? group->lag : idle->lag.span);
    if (first)
        idle_sweep_succeeded(idle, enough_shown(idle, group));
    if (!enough_shown(idle, group) && idle->ways++ < WAYS_MAX) {
        idle->way_port = group->ports.first;
        idle->way_tests = WAY_TESTS;
    } else if (arrival_share(&idle->arrival) < SHARE_LEAST) {
        lag_widen(&idle->lag);
    }
}

/* What a test of a single port adds to the proof that it is open, and to what is known of the way. The shortest span is the
 * one that nothing disturbed. */
static void note_single(struct group *group, const struct window *window, double shown, struct lag_span lag)
{
    group->shown += fmin(fmax(shown, 0), window->copies);
    group->sent += window->copies;
    if (window->ask_every_ns == 0)
        return;
    if (group->lag_tests++ == 0 || lag.to_ns - lag.from_ns < group->lag.to_ns - group->lag.from_ns)
        group->lag = lag;
}

static void weigh_way(struct idle *idle, const struct window *window, const struct window_count *count)
{
    struct evidence_test test = test_of(idle, window, count);
    double shown = (double)count->packets - test.background.mean;
    idle->way_open--;
    if (shown < 1 || count->step_count == 0)
        return;
    struct lag_span peak = find_peak(idle, window, count, shown, WAY_SHARE);
    int64_t from_ns = count->steps[0].from_ns;
    note_echoes(idle, from_ns, from_ns + count->span_ns, shown);
    lag_learn(&idle->lag, (struct lag_span){.from_ns = peak.from_ns - window->burst_end_ns,
                                            .to_ns = peak.to_ns - window->burst_at_ns});
    arrival_note(&idle->arrival, fmin(shown, window->copies), window->copies);
}

static void weigh_ports(struct idle *idle, const struct window *window, const struct window_count *count)
{
    struct evidence_test test = test_of(idle, window, count);
    double evidence = evidence_of(&test, (unsigned)count->packets);
    double shown = (double)count->packets - test.background.mean;
    struct group *group = &idle->groups.groups[window->group];
    if (evidence > 0) {
        struct lag_span peak = find_peak(idle, window, count, shown, MOST_SHARE);
        struct lag_span lag = {.from_ns = peak.from_ns - window->burst_end_ns,
                               .to_ns = peak.to_ns - window->burst_at_ns};
        int64_t from_ns = count->steps[0].from_ns;
        note_echoes(idle, from_ns, from_ns + count->span_ns, fmax(shown, 0));
        if (window->count == 1)
            note_single(group, window, shown, lag);
        note_rest(idle, count, peak);
    } else {
        background_note(&idle->background, idle->now_ns, (double)count->packets, count->span_ns);
    }

    struct group tested = *group;
    uint32_t bursts = idle->groups.bursts;
    tested.tests++;
    port_groups_tested(&idle->groups, window->group, evidence);
    if (idle->groups.findings[tested.ports.first] == FINDING_OPEN && tested.ports.count == 1)
        open_port_found(idle, &tested);
    if (idle->groups.bursts > bursts)
        background_note_burst(&idle->background);
}

static void forget_window(struct idle *idle, const struct window *window)
{
    idle->way_open -= window->kind == WINDOW_WAY;
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
        weigh_way(idle, window, count);
    } else if (window->kind == WINDOW_PORTS) {
        weigh_ports(idle, window, count);
    } else if (window->kind == WINDOW_NAME) {
        struct evidence_test test = test_of(idle, window, count);
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
    }
}
