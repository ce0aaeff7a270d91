/* What is to be expected in a window, and when in it something showed. */
#include "engine/idle/internal.h"

#include <math.h>

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

void idle_note_echoes(struct idle *idle, int64_t from_ns, int64_t to_ns, double shown)
{
    double packets = shown;
    for (unsigned i = 0; i < sizeof repeat_ns / sizeof repeat_ns[0]; i++) {
        packets *= 1 - arrival_share(&idle->arrival);
        struct echo *echo = &idle->echoes[idle->echo_count++ % IDLE_ECHOES_MAX];
        *echo = (struct echo){.when = {from_ns + repeat_ns[i], to_ns + repeat_ns[i]}, .packets = packets};
    }
}

struct evidence_test idle_test_of(const struct idle *idle, const struct window *window,
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

struct lag_span idle_find_peak(const struct idle *idle, const struct window *window,
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
