/* The trial of a port that all tests call open, though too little of what was sent to it has shown: it may be
 * that the lag does not hold all of its answers, or that they were the late answers of other ports. So for a
 * while nothing is sent, and then to nothing but this port, with windows far wider than the lag. */
#include "engine/idle/internal.h"

#include <math.h>

#define RIGHT_SHARE  0.85        /* of the SYNs to an open port that do not get lost */
#define SPREADS      1.5         /* standard deviations: chance alone seldom makes it so few */
#define MORE_NS      (60 * MSEC) /* that the way may vary, to either side of what is known of it */
#define COPIES       16
#define STEPS        40
#define ASK_LEAST_NS (2 * MSEC)
#define QUIET_TESTS                                                                                          \
    3 /* first, without anything of ours: answers may have passed for the zombie's own traffic */
#define TESTS_FIRST 3 /* of the port, at once */
#define TESTS_MAX   12
#define ALL_SHARE   0.97 /* of what shows is as good as all of it */

/* What gets through to the zombie, as trials have shown it, may be less than what our own questions lose. */
bool idle_shows_enough(const struct idle *idle, const struct group *group)
{
    double share = RIGHT_SHARE * fmin(1 - idle->zombie.loss, idle->trial.share);
    double spread = sqrt(group->noise + share * (1 - share) * group->sent);
    return group->shown + SPREADS * spread >= share * group->sent;
}

void idle_trial_reset(struct idle *idle)
{
    idle->trial = (struct trial){.share = 1};
}

void idle_trial_begin(struct idle *idle, uint32_t index)
{
    struct trial *trial = &idle->trial;
    if (trial->result == TRIAL_RUNS) { /* the other one shows more of the way first */
        port_groups_void(&idle->groups, index);
        return;
    }
    *trial = (struct trial){.result = TRIAL_RUNS, .group = index, .share = trial->share};
    trial->lag = (struct lag_span){.from_ns = TIME_NEVER, .to_ns = -TIME_NEVER};
    background_doubt(&idle->background);
}

static struct lag_span wide_span(const struct lag *lag)
{
    struct lag_span wide = {.from_ns = lag->span.from_ns - MORE_NS, .to_ns = lag->span.to_ns + MORE_NS};
    if (wide.from_ns < lag->longest.from_ns)
        wide.from_ns = lag->longest.from_ns;
    return wide;
}

static void add_test(struct idle *idle, struct lag_span wide)
{
    struct trial *trial = &idle->trial;
    struct window *window = idle_window_add(idle, WINDOW_WAY, wide);
    window->port = idle->groups.groups[trial->group].ports.first;
    window->count = 1;
    window->copies = COPIES;
    window->ask_every_ns = (wide.to_ns - wide.from_ns) / STEPS;
    if (window->ask_every_ns < ASK_LEAST_NS)
        window->ask_every_ns = ASK_LEAST_NS;
    trial->planned++;
    trial->open++;
}

int64_t idle_trial_begins_ns(const struct idle *idle)
{
    const struct trial *trial = &idle->trial;
    if (trial->open > 0 && trial->planned >= TESTS_FIRST)
        return TIME_NEVER;
    return idle_window_may_begin_ns(idle, wide_span(&idle->lag));
}

/* Between two tests nothing is sent, so that what the zombie sends for a while does not pass for answers. */
void idle_trial_run(struct idle *idle)
{
    struct trial *trial = &idle->trial;
    struct lag_span wide = wide_span(&idle->lag);
    if (idle_trial_begins_ns(idle) > idle->now_ns)
        return;
    if (trial->quiet < QUIET_TESTS + trial->planned) {
        idle_control_add(idle, trial->quiet == 0 ? MORE_NS : 0, wide.to_ns - wide.from_ns);
        trial->quiet++;
    } else {
        add_test(idle, wide);
    }
}

static void note_peak(struct trial *trial, const struct window *window, struct lag_span peak)
{
    int64_t from_ns = peak.from_ns - window->burst_end_ns, to_ns = peak.to_ns - window->burst_at_ns;
    if (from_ns < trial->lag.from_ns)
        trial->lag.from_ns = from_ns;
    if (to_ns > trial->lag.to_ns)
        trial->lag.to_ns = to_ns;
}

static void judge(struct idle *idle)
{
    struct trial *trial = &idle->trial;
    if (trial->tests >= GROUP_OPEN_TESTS && trial->evidence >= idle->groups.open_at) {
        trial->result = TRIAL_OPEN;
        trial->share = trial->shown / trial->sent;
    } else if (trial->evidence <= GROUP_NONE_AT || (trial->planned >= TESTS_MAX && trial->open == 0)) {
        trial->result = TRIAL_FAILED;
    }
}

static bool is_ours(const struct idle *idle, const struct window *window)
{
    const struct trial *trial = &idle->trial;
    return trial->result == TRIAL_RUNS && window->port == idle->groups.groups[trial->group].ports.first;
}

void idle_trial_weigh(struct idle *idle, const struct window *window, const struct window_count *count)
{
    struct trial *trial = &idle->trial;
    if (!is_ours(idle, window) || count->step_count == 0) {
        idle_trial_void(idle, window);
        return;
    }
    struct evidence_test test = idle_test_of(idle, window, count);
    double evidence = evidence_of(&test, (unsigned)count->packets);
    double shown = (double)count->packets - test.background.mean;
    trial->open--;
    trial->tests++;
    trial->evidence += evidence;
    trial->shown += fmin(fmax(shown, 0), COPIES);
    trial->sent += COPIES;
    if (evidence > 0) {
        int64_t from_ns = count->steps[0].from_ns;
        idle_note_echoes(idle, from_ns, from_ns + count->span_ns, fmax(shown, 0));
        note_peak(trial, window, idle_find_peak(idle, window, count, shown, ALL_SHARE));
    }
    judge(idle);
}

void idle_trial_void(struct idle *idle, const struct window *window)
{
    if (!is_ours(idle, window)) /* its trial was decided without it */
        return;
    idle->trial.open--;
    judge(idle);
}
