/* What a test shows: how much likelier it is that one of its ports is open than that none is, given all that is known of the
 * zombie's own traffic, of the way, and of what targets repeat. */
#include "engine/idle/internal.h"

#include <math.h>
#include <stdlib.h>

#include "engine/emit.h"

#define EARLY_EVIDENCE (GROUP_SPLIT_AT + 1)
#define UNRESTS        3
#define JUMP_PACKETS   1000 /* that no traffic of a zombie that is not busy brings into one window */
#define SHARE_LEAST    0.6  /* of the SYNs to open ports must show, else the windows are too narrow */

/* The way through a target may vary more than that to the zombie: by so much. Which it is shows in the answers. */
static const int64_t unrest_ns[UNRESTS] = {0, 15 * MSEC, 60 * MSEC};

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
    double turns_s = (double)window->turns * window->copies / idle->pacer.rate_pps;
    return (int64_t)(turns_s * (double)SEC) + 4 * zombie_jitter_ns(&idle->zombie);
}

/* The mean of the likelihood ratios of all places where answers may show that go on for so long. */
static double ratio_somewhere(const struct idle *idle, const struct window *window,
                              const struct window_count *count, int64_t shows_ns)
{
    struct evidence_test test = test_of(idle, window, count);
    double ratios = 0;
    for (unsigned first = 0; first < count->step_count; first++) {
        double packets = 0;
        unsigned end = first;
        while (end < count->step_count &&
               (end <= first + 1 || count->steps[end - 1].to_ns < count->steps[first].to_ns + shows_ns))
            packets += count->steps[end++].excess;
        int64_t span_ns = count->steps[end - 1].to_ns - count->steps[first].from_ns;
        double more = 0.5 * count->doubtful * (end - first) / count->step_count;
        test.background = background_law(&idle->background, span_ns, more);
        ratios += exp(evidence_of(&test, packets > 0 ? (unsigned)packets : 0));
    }
    return ratios / count->step_count;
}

/* While the lag is unknown, answers may show anywhere in a long window, but all close together. Each place is as likely as
 * any other, and so is each unrest: the likelihood ratio is the mean of those of all.
 *   ret_shows_ns  how long answers go on showing, by the likeliest unrest */
static double evidence_somewhere(const struct idle *idle, const struct window *window,
                                 const struct window_count *count, int64_t *ret_shows_ns)
{
    double ratios = 0, best = -1;
    for (unsigned i = 0; i < UNRESTS; i++) {
        int64_t shows_ns = shows_for_ns(idle, window) + unrest_ns[i];
        double ratio = ratio_somewhere(idle, window, count, shows_ns);
        ratios += ratio;
        if (ratio > best) {
            best = ratio;
            *ret_shows_ns = shows_ns;
        }
    }
    return log(ratios / UNRESTS);
}

bool idle_target_seen_enough(struct idle *idle, const struct window *window, const struct window_count *count)
{
    int64_t shows_ns;
    return window->kind == WINDOW_PORTS && count->step_count > 0 &&
           evidence_somewhere(idle, window, count, &shows_ns) >= EARLY_EVIDENCE;
}

/* When in a window something showed. */
static struct lag_span find_peak(const struct idle *idle, const struct window_count *count, int64_t shows_ns)
{
    struct lag_step steps[IDLE_STEPS_MAX];
    double pps = background_pps(&idle->background);
    for (unsigned i = 0; i < count->step_count; i++) {
        steps[i] = count->steps[i];
        steps[i].excess -= pps * (double)(steps[i].to_ns - steps[i].from_ns) / (double)SEC;
    }
    return lag_peak(steps, count->step_count, shows_ns);
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

static void open_port_found(struct idle *idle, const struct group *group)
{
    struct record record = record_new(&idle->config, idle->now_ns, RECORD_PORT, &idle->target);
    record.protocol = PROTOCOL_TCP;
    record.port = idle->config.specs[group->first].port;
    record.state = PORT_OPEN;
    record.reason = REASON_IPID_CHANGE;
    record.tries = group->tests;
    idle->config.emit(idle->config.context, &record);
    arrival_note(&idle->arrival, group->shown, group->sent);
    if (group->lag_tests > 0)
        lag_learn(&idle->lag, group->lag);
    if (arrival_share(&idle->arrival) < SHARE_LEAST)
        lag_widen(&idle->lag);
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

static struct lag_span widen(struct lag_span span, int64_t by_ns)
{
    return (struct lag_span){.from_ns = span.from_ns - by_ns, .to_ns = span.to_ns + by_ns};
}

/* By how much answers may come earlier or later than those that showed here. */
static int64_t unrest_of(const struct idle *idle, struct lag_span peak)
{
    int64_t jitter_ns = zombie_jitter_ns(&idle->zombie), half_ns = (peak.to_ns - peak.from_ns) / 2;
    return jitter_ns > half_ns ? jitter_ns : half_ns;
}

static void weigh_ports(struct idle *idle, const struct window *window, const struct window_count *count)
{
    struct evidence_test test = test_of(idle, window, count);
    int64_t shows_ns = shows_for_ns(idle, window);
    double evidence = window->searching ? evidence_somewhere(idle, window, count, &shows_ns)
                                        : evidence_of(&test, (unsigned)count->packets);
    double shown = (double)count->packets - test.background.mean;
    struct group *group = &idle->groups.groups[window->group];
    if (evidence > 0) {
        struct lag_span peak = find_peak(idle, count, shows_ns);
        struct lag_span lag = {.from_ns = peak.from_ns - window->burst_end_ns,
                               .to_ns = peak.to_ns - window->burst_at_ns};
        int64_t from_ns = count->steps[0].from_ns;
        note_echoes(idle, from_ns, from_ns + count->span_ns, fmax(shown, 0));
        if (window->count == 1)
            note_single(group, window, shown, lag);
        if (group->evidence + evidence >= GROUP_SPLIT_AT)
            lag_guess(&idle->lag, widen(lag, unrest_of(idle, peak)));
        note_rest(idle, count, peak);
    } else {
        background_note(&idle->background, idle->now_ns, (double)count->packets, count->span_ns);
    }

    struct group tested = *group;
    uint32_t bursts = idle->groups.bursts;
    tested.tests++;
    port_groups_tested(&idle->groups, window->group, evidence);
    if (idle->groups.findings[tested.first] == FINDING_OPEN && tested.count == 1)
        open_port_found(idle, &tested);
    if (idle->groups.bursts > bursts)
        background_note_burst(&idle->background);
    if (idle->groups.live_count == 0 || idle->groups.bursts > bursts)
        lag_forget_guess(&idle->lag);
}

void idle_target_weigh(struct idle *idle, const struct window *window, const struct window_count *count)
{
    idle->windows_weighed++;
    if (count->packets < 0 || count->packets > JUMP_PACKETS + (int64_t)window->count * window->copies) {
        idle->jumps += llabs(count->packets) > JUMP_PACKETS; /* else our questions overtook each other */
        idle_target_void(idle, window);
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

void idle_target_void(struct idle *idle, const struct window *window)
{
    if (window->kind == WINDOW_PORTS)
        port_groups_void(&idle->groups, window->group);
}
