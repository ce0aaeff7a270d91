/* One target: first whether the zombie counts what is sent in the target's name, then test after test until
 * each port is decided. */
#include "engine/idle/internal.h"

#include "technique/rows.h"

#define LAG_LONGEST_NS  (500 * MSEC) /* that a way through the target may take longer */
#define NAME_COPIES     8
#define NAME_COUNTED_AT 7.0 /* e^-7: one target in a thousand is believed wrongly, and all its ports closed */
#define NAME_NOT_AT     (-20.0) /* none is given up wrongly */
#define NAME_TESTS_MAX  12
#define SINGLE_COPIES   8 /* SYNs to a single port at least: they are what proves it open */
#define ASK_LEAST_NS    (2 * MSEC)
#define ASKS_PER_WINDOW 24
#define JUMPS_MIN       8
#define SILENT_LOST     30  /* questions lost in a row, */
#define SILENT_NS       SEC /* and no answer for so long: it has gone */
#define CONTROL_MOST_NS (50 * MSEC)

void idle_target_begin(struct idle *idle)
{
    bool v6 = idle->target.family == ADDR_V6;
    for (unsigned i = 0; v6 && i < 2; i++) { /* so that the zombie numbers what it sends to the target, too */
        struct probe probes[2] = {{.technique = &technique_zombie_echo},
                                  {.technique = &technique_zombie_too_big}};
        for (unsigned j = 0; j < 2; j++) {
            probes[j].src = idle->target;
            probes[j].dst = idle->zombie.addr;
        }
        idle_send(idle, probes, 2);
    }
    idle->phase = IDLE_NAME;
    idle->arrival = arrival_unknown();
    idle->name_evidence = 0;
    idle->name_tests = idle->jumps = idle->windows_weighed = 0;
    idle_trial_reset(idle);
    idle->last_group = idle->chosen_group = GROUP_NIL;
    idle->echo_count = 0;
    lag_init(&idle->lag, zombie_jitter_ns(&idle->zombie), LAG_LONGEST_NS);
    port_groups_begin(&idle->groups, idle->config.spec_count);
    idle_sweep_reset(idle);
    idle_windows_forget(idle);
}

void idle_target_end(struct idle *idle, uint8_t flags)
{
    const struct port_groups *groups = &idle->groups;
    bool begun = idle->phase == IDLE_PORTS;
    for (uint32_t i = 0; begun && i < groups->port_count; i++) {
        if (groups->findings[i] == FINDING_IN_DOUBT)
            idle_report_port(idle, i, PORT_UNKNOWN, REASON_UNFINISHED, 0);
        else if (groups->findings[i] == FINDING_NOT_OPEN && (flags & RECORD_UNFINISHED))
            idle_report_port(idle, i, PORT_CLOSED_FILTERED, REASON_NO_IPID_CHANGE, 0);
    }
    idle_report_done(idle, flags);
    idle->target = (struct addr){.family = ADDR_NONE};
    idle->groups.done_count = 0;
    idle_windows_forget(idle);
}

void idle_target_stop(struct idle *idle, enum idle_trouble trouble)
{
    idle_note(idle, NOTE_IDLE_STOPPED, &idle->target, (uint64_t)trouble, 0);
    idle_target_end(idle, RECORD_UNFINISHED);
}

static int64_t width_ns(const struct idle *idle)
{
    return idle->lag.span.to_ns - idle->lag.span.from_ns + 2 * idle_window_guard_ns(idle);
}

static struct group_plan make_plan(const struct idle *idle)
{
    return (struct group_plan){
        .background = &idle->background,
        .arrival = idle->arrival,
        .rate_pps = idle->pacer.rate_pps,
        .wait_ns = width_ns(idle),
        .show_ns = width_ns(idle),
        .density = port_groups_density(&idle->groups),
        .none_at = GROUP_NONE_AT,
    };
}

/* Questions within a window show when in it something came. */
static int64_t ask_every_ns(const struct idle *idle, const struct window *window)
{
    if (idle->lag.knowledge == LAG_KNOWN && window->count > 1)
        return 0;
    double burst_s = (double)window->count * window->copies / idle->pacer.rate_pps;
    int64_t every_ns = (width_ns(idle) + (int64_t)(burst_s * (double)SEC)) / ASKS_PER_WINDOW;
    int64_t least_ns = (int64_t)((double)SEC / idle->pacer.rate_pps) * 4;
    if (least_ns < ASK_LEAST_NS)
        least_ns = ASK_LEAST_NS;
    return every_ns > least_ns ? every_ns : least_ns;
}

static void add_test(struct idle *idle, uint32_t index)
{
    struct group_plan plan = make_plan(idle);
    const struct group *group = &idle->groups.groups[index];
    struct window *window = idle_window_add(idle, WINDOW_PORTS, idle->lag.span);
    window->group = index;
    window->port = group->ports.first;
    window->count = group->ports.count;
    window->copies = group_plan_copies(&plan, window->count);
    if (window->count == 1 && window->copies < SINGLE_COPIES)
        window->copies = SINGLE_COPIES;
    window->ask_every_ns = ask_every_ns(idle, window);
    idle->last_group = index;
}

static uint32_t root_size(const struct idle *idle)
{
    struct group_plan plan = make_plan(idle);
    return group_plan_size(&plan, GROUP_PORTS_MAX);
}

static int64_t control_ns(const struct idle *idle)
{
    return width_ns(idle) > CONTROL_MOST_NS ? CONTROL_MOST_NS : width_ns(idle);
}

/* What shows in the test of a single port must not be the late answer of a port that is always tested just
 * before: nothing at all stands there as often as each of the others, or more. */
static bool needs_control(struct idle *idle, uint32_t index)
{
    uint32_t live = idle->groups.live_count;
    return idle->groups.groups[index].ports.count == 1 &&
           (idle->lag.knowledge != LAG_KNOWN || rand_below(&idle->rand, live > 2 ? live : 2) == 0);
}

/* While the lag is a guess, an open port that proves it is wanted first. */
static uint32_t choose_group(struct idle *idle)
{
    bool ahead = idle->zombie.rtt.srtt_ns > width_ns(idle); /* the results come too late to wait for each */
    uint32_t index = GROUP_NIL;
    if (idle->lag.knowledge != LAG_KNOWN)
        index = port_groups_next(&idle->groups, &idle->rand, idle->last_group, true, ahead, 0);
    if (index == GROUP_NIL)
        index = port_groups_next(&idle->groups, &idle->rand, idle->last_group, false, ahead, root_size(idle));
    return index;
}

/* Between two tests of a port something else is tested, or nothing at all: what the zombie sends by itself
 * for a while must not pass for answers. */
static void add_next_test(struct idle *idle)
{
    uint32_t index = idle->chosen_group;
    idle->chosen_group = GROUP_NIL;
    if (index != GROUP_NIL) {
        add_test(idle, index);
        return;
    }
    index = choose_group(idle);
    if (index == GROUP_NIL && idle->window_count == 0) {
        idle_control_add(idle, 0, control_ns(idle));
        idle->last_group = GROUP_NIL;
    } else if (index != GROUP_NIL && needs_control(idle, index)) {
        idle_control_add(idle, 0, control_ns(idle));
        idle->chosen_group = index;
    } else if (index != GROUP_NIL) {
        add_test(idle, index);
    }
}

static void zombie_is_silent(struct idle *idle)
{
    idle->silent_targets++;
    idle_target_stop(idle, IDLE_ZOMBIE_SILENT);
}

/* True: the target is at its end for a reason that is not its ports. */
static bool is_hopeless(struct idle *idle)
{
    int64_t timeout_ns = idle->config.timing.host_timeout_ns;
    if (timeout_ns && idle->now_ns - idle->target_began_ns > timeout_ns) {
        idle_target_end(idle, RECORD_UNFINISHED | RECORD_TIMED_OUT);
        return true;
    }
    if (idle->zombie.lost_in_a_row >= SILENT_LOST && idle->now_ns - idle->zombie.answered_ns > SILENT_NS)
        zombie_is_silent(idle);
    else if (idle->jumps >= JUMPS_MIN && 3 * idle->jumps > idle->windows_weighed)
        idle_target_stop(idle, IDLE_ZOMBIE_JUMPS);
    else
        return false;
    return true;
}

static void run_name_test(struct idle *idle)
{
    struct lag_span span = {.from_ns = 0, .to_ns = 0};
    bool over = idle->name_evidence >= NAME_COUNTED_AT || idle->name_evidence <= NAME_NOT_AT ||
                idle->name_tests >= NAME_TESTS_MAX;
    if (over && idle->window_count == 0 && idle->name_evidence < 0) {
        idle_target_stop(idle, IDLE_NOT_SHARED);
    } else if (over && idle->window_count == 0) {
        idle->phase = IDLE_PORTS;
        idle->silent_targets = 0;
    } else if (!over && idle->window_count == 0 && idle_window_may_begin_ns(idle, span) <= idle->now_ns) {
        struct window *window = idle_window_add(idle, WINDOW_NAME, span);
        window->copies = NAME_COPIES;
        window->count = 1;
    }
}

/* Nothing can prove it any more. */
static void give_up_guess(struct idle *idle)
{
    if (idle->window_count > 0)
        return;
    idle->chosen_group = idle->last_group = GROUP_NIL;
    idle_sweep_failed(idle);
}

static void run_ports(struct idle *idle)
{
    if (idle->lag.knowledge == LAG_UNKNOWN)
        idle_sweep_run(idle);
    else if (idle->trial.result == TRIAL_RUNS)
        idle_trial_run(idle);
    else if (idle->lag.knowledge == LAG_GUESSED && idle->groups.leads == 0)
        give_up_guess(idle);
    else if (idle_window_may_begin_ns(idle, idle->lag.span) <= idle->now_ns)
        add_next_test(idle);
}

void idle_target_run(struct idle *idle)
{
    idle_windows_run(idle);
    idle_weigh(idle);
    if (is_hopeless(idle))
        return;
    if (idle->phase == IDLE_NAME)
        run_name_test(idle);
    else if (port_groups_all_done(&idle->groups))
        idle_target_end(idle, 0);
    else
        run_ports(idle);
}

int64_t idle_target_wake_ns(const struct idle *idle)
{
    struct lag_span span = {.from_ns = 0, .to_ns = 0};
    if (idle->phase == IDLE_PORTS && idle->lag.knowledge == LAG_UNKNOWN)
        return idle_sweep_wake_ns(idle);
    int64_t wake_ns = idle_windows_wake_ns(idle);
    int64_t begin_ns = idle_window_may_begin_ns(idle, idle->phase == IDLE_NAME ? span : idle->lag.span);
    if (idle->trial.result == TRIAL_RUNS)
        begin_ns = idle_trial_begins_ns(idle);
    if (begin_ns > idle->now_ns && begin_ns < wake_ns)
        wake_ns = begin_ns;
    return wake_ns;
}
