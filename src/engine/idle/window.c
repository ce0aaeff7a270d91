/* A window: from a question to the zombie, over a burst of packets whose answers move its ID, to the next
 * question. What lies between two answers' IDs, less our own questions, was sent by the zombie to somebody
 * else.
 *
 * Windows stand in a chain in the zombie's time, one closing where the next opens. As what follows from a SYN
 * shows later than a question sent with it, bursts leave ahead of their windows, and many are in flight on a
 * long way. */
#include "engine/idle/internal.h"

#include <stdlib.h>
#include <string.h>

#define BURST_PROBES_MAX 64
#define SHARE_GAP_NS                                                                                         \
    (3 * MSEC) /* a window that begins later than this after the last one has a question of its own */
#define ASK_LEAST_NS         (2 * MSEC) /* between questions */
#define GUARD_LEAST_NS       (4 * MSEC) /* around a lag that is known well, unless packets vary by less */
#define ENDS_MAX             8          /* questions at both ends of a window, and some to spare */
#define REPEAT_QUESTION_LOSS 0.02       /* from this loss on, two questions stand at each end of a window, */
#define THIRD_QUESTION_LOSS  0.12       /* and from this on three */

static struct window *window_at(struct idle *idle, unsigned i)
{
    return &idle->windows[(idle->window_first + i) % IDLE_WINDOWS_MAX];
}

/* When several open ports have shown that the lag is wide, it holds much of what the ways vary by. */
int64_t idle_window_guard_ns(const struct idle *idle)
{
    int64_t guard_ns = zombie_jitter_ns(&idle->zombie);
    int64_t wide_ns = idle->lag.span.to_ns - idle->lag.span.from_ns - guard_ns;
    if (guard_ns <= GUARD_LEAST_NS || !lag_is_settled(&idle->lag) || wide_ns <= 0)
        return guard_ns;
    guard_ns -= wide_ns / 2;
    return guard_ns > GUARD_LEAST_NS ? guard_ns : GUARD_LEAST_NS;
}

void idle_windows_forget(struct idle *idle)
{
    idle->window_count = 0;
    idle->chain_ns = 0;
}

/* What answers its burst must not show before the last window closes. */
int64_t idle_window_may_begin_ns(const struct idle *idle, struct lag_span lag)
{
    unsigned last = (idle->window_first + idle->window_count - 1) % IDLE_WINDOWS_MAX;
    if (idle->window_count == IDLE_WINDOWS_MAX ||
        (idle->window_count > 0 && idle->windows[last].close_at_ns == TIME_NEVER))
        return TIME_NEVER;
    return idle->chain_ns - lag.from_ns + idle_window_guard_ns(idle);
}

struct window *idle_window_add(struct idle *idle, enum window_kind kind, struct lag_span lag)
{
    struct window *window = window_at(idle, idle->window_count);
    int64_t open_ns = idle->now_ns + lag.from_ns - idle_window_guard_ns(idle);
    bool shared = idle->chain_ns > 0 && open_ns - idle->chain_ns < SHARE_GAP_NS && idle->window_count > 0;
    *window =
        (struct window){.kind = (uint8_t)kind, .group = GROUP_NIL, .lag = lag, .close_at_ns = TIME_NEVER};
    window->burst_end_ns = TIME_NEVER;
    if (open_ns < idle->now_ns)
        open_ns = idle->now_ns;
    window->open_at_ns = shared ? idle->chain_ns : open_ns;
    window->burst_at_ns = open_ns - lag.from_ns + idle_window_guard_ns(idle);
    if (window->burst_at_ns < idle->now_ns)
        window->burst_at_ns = idle->now_ns;
    if (shared) { /* its opening questions are those that close the last one */
        const struct window *last = window_at(idle, idle->window_count - 1);
        window->opening = last->closing;
        window->opening_end = last->closing_end;
    }
    idle->window_count++;
    return window;
}

void idle_control_add(struct idle *idle, int64_t pause_ns, int64_t len_ns)
{
    int64_t from_ns = idle->chain_ns - idle->now_ns + idle_window_guard_ns(idle);
    if (from_ns < 0)
        from_ns = 0;
    from_ns += pause_ns;
    idle_window_add(idle, WINDOW_CONTROL, (struct lag_span){.from_ns = from_ns, .to_ns = from_ns + len_ns});
}

/* ----- sending
 * ------------------------------------------------------------------------------------------------------- */

/* Ports take turns: SYNs to one port are not lost together. */
static struct probe next_syn(struct idle *idle, struct window *window)
{
    struct probe probe = idle_syn(idle, window->port);
    if (window->kind == WINDOW_PORTS) {
        const struct port_chain *ports = &idle->groups.groups[window->group].ports;
        window->port = window->port == ports->last ? ports->first : idle->groups.next[window->port];
    }
    return probe;
}

static uint32_t burst_len(const struct window *window)
{
    return (window->kind == WINDOW_PORTS ? window->count : 1) * window->copies;
}

static void send_burst(struct idle *idle, struct window *window)
{
    struct probe probes[BURST_PROBES_MAX];
    uint32_t left = burst_len(window) - window->sent, count = 0;
    uint32_t allowed = left ? pacer_allowance(&idle->pacer, idle->now_ns) : 0;
    while (count < left && count < allowed && count < BURST_PROBES_MAX) {
        probes[count] = window->kind == WINDOW_NAME ? idle_named(idle) : next_syn(idle, window);
        count++;
    }
    idle_send(idle, probes, count);
    window->sent += count;
    if (window->sent == burst_len(window)) {
        window->burst_end_ns = idle->now_ns;
        int64_t close_ns = idle->now_ns + window->lag.to_ns + idle_window_guard_ns(idle);
        window->close_at_ns = close_ns > window->open_at_ns ? close_ns : window->open_at_ns + ASK_LEAST_NS;
        idle->chain_ns = window->close_at_ns;
    }
}

/* Questions at the end of a window: more where they get lost. */
static void ask_at_end(struct idle *idle, uint64_t *ret_first, uint64_t *ret_end)
{
    double loss = idle->zombie.loss;
    *ret_first = idle->zombie.next_serial;
    idle_ask(idle, loss > THIRD_QUESTION_LOSS ? 3 : loss > REPEAT_QUESTION_LOSS ? 2 : 1);
    *ret_end = idle->zombie.next_serial;
}

/* The window behind this one may open where it closes. */
static void close_window(struct idle *idle, unsigned i)
{
    struct window *window = window_at(idle, i);
    ask_at_end(idle, &window->closing, &window->closing_end);
    if (i + 1 == idle->window_count)
        return;
    struct window *next = window_at(idle, i + 1);
    if (next->open_at_ns == window->close_at_ns && next->opening == next->opening_end) {
        next->opening = window->closing;
        next->opening_end = window->closing_end;
    }
}

static bool is_open(const struct window *window)
{
    return window->opening != window->opening_end;
}

static bool is_closed(const struct window *window)
{
    return window->closing != window->closing_end;
}

/* Are there questions within it, and more to come? */
static bool is_asking(const struct idle *idle, const struct window *window)
{
    return window->ask_every_ns && is_open(window) && !is_closed(window) &&
           idle->zombie.next_serial - window->opening < IDLE_STEPS_MAX - ENDS_MAX;
}

static void run_window(struct idle *idle, unsigned i)
{
    struct window *window = window_at(idle, i);
    if (!is_open(window) && window->open_at_ns <= idle->now_ns) {
        ask_at_end(idle, &window->opening, &window->opening_end);
        window->next_ask_ns = idle->now_ns + window->ask_every_ns;
    }
    if (window->burst_end_ns == TIME_NEVER && window->burst_at_ns <= idle->now_ns)
        send_burst(idle, window);
    if (!is_closed(window) && window->close_at_ns <= idle->now_ns) {
        close_window(idle, i);
    } else if (is_asking(idle, window) && window->next_ask_ns <= idle->now_ns) {
        idle_ask(idle, 1);
        window->next_ask_ns = idle->now_ns + window->ask_every_ns;
    }
}

/* ----- counting
 * ------------------------------------------------------------------------------------------------------ */

static bool is_answered(const struct idle *idle, uint64_t serial)
{
    return zombie_question(&idle->zombie, serial)->state == QUESTION_ANSWERED;
}

static bool is_settled(const struct idle *idle, uint64_t first, uint64_t end)
{
    for (uint64_t serial = first; serial < end; serial++)
        if (zombie_question(&idle->zombie, serial)->state == QUESTION_OPEN)
            return false;
    return true;
}

/* Packets of ours that leave further apart than this do not overtake each other. */
static int64_t spread_ns(const struct idle *idle)
{
    return 2 * zombie_jitter_ns(&idle->zombie);
}

/* One past the last question that may have overtaken this one. */
static uint64_t end_of_rivals(const struct idle *idle, uint64_t serial)
{
    int64_t last_ns = zombie_question(&idle->zombie, serial)->sent_ns + spread_ns(idle);
    uint64_t end = serial + 1;
    while (end < idle->zombie.next_serial && zombie_question(&idle->zombie, end)->sent_ns <= last_ns)
        end++;
    return end;
}

/* The first question that this one may have overtaken. */
static uint64_t first_rival(const struct idle *idle, uint64_t serial)
{
    int64_t first_ns = zombie_question(&idle->zombie, serial)->sent_ns - spread_ns(idle);
    while (serial > 0 && zombie_question(&idle->zombie, serial - 1)->sent_ns >= first_ns &&
           idle->zombie.next_serial - serial < idle->zombie.capacity)
        serial--;
    return serial;
}

/* The questions whose IDs lie from one end to the other, in the order of their IDs: whatever their serials
 * say, these and no others did the zombie answer in between. */
static unsigned sort_answers(const struct idle *idle, const uint64_t ends[static 2], uint64_t *ret)
{
    const struct zombie *zombie = &idle->zombie;
    uint32_t from_id = zombie_question(zombie, ends[0])->id;
    int64_t distances[IDLE_STEPS_MAX];
    int64_t whole = ipid_distance(&zombie->scale, from_id, zombie_question(zombie, ends[1])->id);
    uint64_t end = end_of_rivals(idle, ends[1]);
    unsigned count = 0;
    for (uint64_t serial = first_rival(idle, ends[0]); serial < end && count < IDLE_STEPS_MAX; serial++) {
        int64_t distance = ipid_distance(&zombie->scale, from_id, zombie_question(zombie, serial)->id);
        if (!is_answered(idle, serial) || distance < 0 || distance > whole)
            continue;
        unsigned at = count++;
        for (; at > 0 && distances[at - 1] > distance; at--) {
            distances[at] = distances[at - 1];
            ret[at] = ret[at - 1];
        }
        distances[at] = distance;
        ret[at] = serial;
    }
    return count;
}

static unsigned count_lost(const struct idle *idle, uint64_t first, uint64_t end)
{
    unsigned lost = 0;
    for (uint64_t serial = first; serial < end; serial++)
        lost += !is_answered(idle, serial);
    return lost;
}

/* From the last answer at its opening to the first at its closing; false when one is missing. */
static bool find_ends(const struct idle *idle, const struct window *window, uint64_t ret[static 2])
{
    uint64_t from = window->opening_end, to = window->closing;
    while (from > window->opening && !is_answered(idle, from - 1))
        from--;
    while (to < window->closing_end && !is_answered(idle, to))
        to++;
    if (from == window->opening || to == window->closing_end)
        return false;
    ret[0] = from - 1;
    ret[1] = to;
    return true;
}

static int compare_serials(const void *a, const void *b)
{
    const uint64_t *one = a, *other = b;
    return *one < *other ? -1 : *one > *other;
}

/* Packets overtake each other: the IDs are in the order in which our questions arrived, the times in that in
 * which they left. */
static void count_steps(const struct idle *idle, const uint64_t *sorted, unsigned count,
                        struct window_count *ret)
{
    const struct zombie *zombie = &idle->zombie;
    uint64_t left[IDLE_STEPS_MAX];
    memcpy(left, sorted, count * sizeof *left);
    qsort(left, count, sizeof *left, compare_serials);
    for (unsigned i = 1; i < count; i++) {
        uint32_t last_id = zombie_question(zombie, sorted[i - 1])->id;
        uint32_t id = zombie_question(zombie, sorted[i])->id;
        ret->steps[ret->step_count++] = (struct lag_step){
            .from_ns = zombie_question(zombie, left[i - 1])->sent_ns,
            .to_ns = zombie_question(zombie, left[i])->sent_ns,
            .excess = (double)ipid_distance(&zombie->scale, last_id, id) - 1,
        };
    }
}

/* False: not enough of the questions was answered. */
static bool count_window(const struct idle *idle, const struct window *window, struct window_count *ret)
{
    uint64_t ends[2], sorted[IDLE_STEPS_MAX];
    if (!find_ends(idle, window, ends))
        return false;
    const struct zombie *zombie = &idle->zombie;
    const struct question *from = zombie_question(zombie, ends[0]);
    const struct question *to = zombie_question(zombie, ends[1]);
    unsigned count = sort_answers(idle, ends, sorted);
    int64_t own =
        count > 0 ? (int64_t)count - 1 : 0; /* none: the closing question came before the opening one */
    if (count == IDLE_STEPS_MAX)
        return false;
    *ret = (struct window_count){
        .packets = ipid_distance(&zombie->scale, from->id, to->id) - own,
        .span_ns = to->sent_ns - from->sent_ns,
        .doubtful = count_lost(idle, ends[0], ends[1]),
    };
    if (count > 1)
        count_steps(idle, sorted, count, ret);
    return true;
}

bool idle_windows_take(struct idle *idle, struct window *ret, struct window_count *ret_count)
{
    if (idle->window_count == 0)
        return false;
    const struct window *window = window_at(idle, 0);
    if (!is_closed(window) ||
        !is_settled(idle, window->opening, end_of_rivals(idle, window->closing_end - 1)))
        return false;
    *ret = *window;
    ret_count->known = count_window(idle, window, ret_count);
    idle->window_first = (idle->window_first + 1) % IDLE_WINDOWS_MAX;
    idle->window_count--;
    return true;
}

void idle_windows_run(struct idle *idle)
{
    for (unsigned i = 0; i < idle->window_count; i++)
        run_window(idle, i);
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t idle_windows_wake_ns(const struct idle *idle)
{
    int64_t wake_ns = TIME_NEVER;
    for (unsigned i = 0; i < idle->window_count; i++) {
        const struct window *window = &idle->windows[(idle->window_first + i) % IDLE_WINDOWS_MAX];
        if (!is_open(window))
            wake_ns = sooner(wake_ns, window->open_at_ns);
        if (window->burst_end_ns == TIME_NEVER)
            wake_ns = sooner(wake_ns, idle->now_ns < window->burst_at_ns ? window->burst_at_ns
                                                                         : pacer_next_ns(&idle->pacer));
        if (!is_closed(window))
            wake_ns = sooner(wake_ns, window->close_at_ns);
        if (is_asking(idle, window))
            wake_ns = sooner(wake_ns, window->next_ask_ns);
    }
    return wake_ns;
}
