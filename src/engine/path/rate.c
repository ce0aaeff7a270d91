#include "engine/path/rate.h"

#include <math.h>

#include "base/time.h"

/* A queue of our own may delay others so much: 10 ms, or a quarter of the round trip. */
#define QUEUE_ALLOWED_NS    (10 * MSEC)
#define QUEUE_ALLOWED_SHARE 4

/* One that is so many times as long may have overflowed. */
#define QUEUE_OVERFLOWS 2

/* By so much at most it has grown since the last probe that is answered left: queues have an end. */
#define QUEUE_UNSEEN_NS (50 * MSEC)

/* A queue that is short still, but has grown by so much in each second of sending, will be long: no time to
 * go faster. */
#define QUEUE_SEEN_NS (500 * USEC)
#define GROWTH_SEEN   0.25

/* One that has come so near to what is allowed, and grows that fast, is no jitter. */
#define QUEUE_SURE_SHARE 4

/* One burst of loss takes all that leaves in a shorter time. */
#define UNHEARD_NS (50 * MSEC)

/* Where a round trip is so small a part of the queue that is allowed, answers tell of one long before it is
 * too long: until the first the steps are larger. */
#define NEAR_SHARE  16
#define GROWTH_NEAR 4.0

#define FLOOR_PPS      50.0
#define GROWTH         2.0
#define GROWTH_AT_KNEE 1.1 /* small steps, and once they have left the knee behind larger ones, */
#define KNEE_PASSED    1.2
#define GROWTH_GROWS   1.5 /* by so much */
#define KNEE_KEPT_NS   (1 * SEC)
#define KNEE_KEPT_RTTS 8
#define DROP_REDUCTION 0.7
#define BURST_NS       (1 * MSEC)

/* So many answers, of probes that left over half a round trip, say that the path carries the rate. */
#define SAMPLES_ENOUGH 8
#define SAMPLES_FEW    3
#define USED_ENOUGH    0.5 /* of the rate was sent: otherwise nothing is known about it */
#define QUEUE_WEIGHT   4   /* the last answer counts one in so many */

/* A path this short may prove itself faster than by so many answers at the pace it begins with: that is what
 * would take time. A longer one has proved itself a round trip after they left. */
#define UNPROVED_NEAR_NS (5 * MSEC)

/* The share of first tries that is answered, beside what it used to be. While it is less the rate does not
 * grow. */
#define SHARE_KEPT     0.75
#define SHARE_PROBES   32
#define SHARE_MEMORY   0.8
#define SHARE_SIGMAS   3.0
#define LOSS_WINDOW_NS (200 * MSEC)

/* Of soundings more than this come back, unless the rate is too high, or the path is that bad at any rate:
 * then a reduction does not make them more. */
#define SOUNDINGS_TELLING 16
#define SOUNDINGS_KEPT    0.3
#define SOUNDINGS_BETTER  1.3

/* A delay that so many reductions did not end is not ours. */
#define DOWNS_IN_VAIN 4

static double clamp_rate(const struct rate *rate, double pps)
{
    double ceiling = rate->limits.max_pps > 0 ? rate->limits.max_pps : RATE_CEILING_PPS;
    double floor = rate->limits.min_pps > FLOOR_PPS ? rate->limits.min_pps : FLOOR_PPS;
    return fmin(fmax(pps, floor), ceiling);
}

static bool is_proved(const struct rate *rate)
{
    return rate->limits.unproved_pps <= 0 || rate->answers >= RATE_ANSWERS_PROVED;
}

bool rate_is_sought(const struct rate *rate)
{
    return is_proved(rate) && rate->knee_pps <= 0 && clamp_rate(rate, GROWTH * rate->pps) > rate->pps;
}

static void open_window(struct rate *rate, int64_t began_ns)
{
    rate->began_ns = rate->asked_from_ns = began_ns;
    rate->sent = rate->asked = rate->answered = 0;
    rate->soundings = rate->soundings_back = 0;
    rate->samples = 0;
}

/* How much is known of what left from then on: that which left before the last answered probe did. */
static double known_part(const struct rate *rate, int64_t from_ns, int64_t now_ns)
{
    return fmax(0, (double)(rate->last_sent_ns - from_ns)) / fmax(1, (double)(now_ns - from_ns));
}

/* What is known was looked at: the window goes on with what left after it. */
static void move_window(struct rate *rate, int64_t now_ns)
{
    double unknown = 1 - known_part(rate, rate->began_ns, now_ns);
    double unknown_asked = 1 - known_part(rate, rate->asked_from_ns, now_ns);
    uint64_t sent = (uint64_t)((double)rate->sent * unknown);
    uint64_t asked = (uint64_t)((double)rate->asked * unknown_asked);
    int64_t asked_from_ns = rate->asked_from_ns;
    open_window(rate, rate->last_sent_ns);
    rate->sent = sent;
    rate->asked = asked;
    if (asked_from_ns > rate->asked_from_ns)
        rate->asked_from_ns = asked_from_ns;
}

void rate_set_unproved(struct rate *rate, double unproved_pps)
{
    if (is_proved(rate) || rate->knee_pps > 0)
        return;
    rate->limits.unproved_pps = unproved_pps;
    rate->pps = clamp_rate(rate, fmin(unproved_pps, rate->limits.start_pps));
}

void rate_init(struct rate *rate, const struct rate_limits *limits, int64_t now_ns)
{
    *rate = (struct rate){.limits = *limits,
                          .sounding_share = 1,
                          .growth = GROWTH,
                          .fine_ns = now_ns,
                          .allowed_ns = QUEUE_ALLOWED_NS};
    rate->pps = clamp_rate(rate, limits->start_pps);
    if (limits->unproved_pps > 0)
        rate_set_unproved(rate, limits->unproved_pps);
    open_window(rate, now_ns);
}

void rate_sent(struct rate *rate, uint64_t packets, uint64_t first_tries, int64_t now_ns)
{
    if (packets)
        rate->last_left_ns = now_ns;
    rate->sent += packets;
    rate->asked += first_tries;
}

void rate_new_ground(struct rate *rate, int64_t now_ns)
{
    rate->usual_share = 0;
    rate->asked = rate->answered = 0;
    rate->asked_from_ns = now_ns > rate->began_ns ? now_ns : rate->began_ns;
}

static void take_delay(struct rate *rate, int64_t sent_ns, int64_t queue_ns)
{
    rate->base_queue_ns = queue_ns < rate->base_queue_ns ? queue_ns : rate->base_queue_ns;
    queue_ns -= rate->base_queue_ns;
    if (queue_ns <= rate->allowed_ns && sent_ns > rate->fine_ns)
        rate->fine_ns = sent_ns;
    if (rate->samples++ == 0) {
        rate->first_sent_ns = sent_ns;
        rate->first_queue_ns = rate->queue_ns = rate->least_queue_ns = queue_ns;
    }
    rate->queue_ns += (queue_ns - rate->queue_ns) / QUEUE_WEIGHT;
    rate->least_queue_ns = queue_ns < rate->least_queue_ns ? queue_ns : rate->least_queue_ns;
    if (sent_ns >= rate->last_sent_ns) {
        rate->last_sent_ns = sent_ns;
        rate->last_queue_ns = queue_ns;
    }
}

void rate_answered(struct rate *rate, int64_t sent_ns, int64_t queue_ns, bool first_try)
{
    rate->answers++;
    if (sent_ns < rate->began_ns)
        return;
    rate->answered += first_try && sent_ns >= rate->asked_from_ns;
    if (queue_ns >= 0)
        take_delay(rate, sent_ns, queue_ns);
}

void rate_sounded(struct rate *rate, int64_t sent_ns, bool back)
{
    if (sent_ns < rate->began_ns)
        return;
    rate->soundings++;
    rate->soundings_back += back;
}

static int64_t allowed_queue_ns(int64_t rtt_ns)
{
    int64_t share_ns = rtt_ns / QUEUE_ALLOWED_SHARE;
    return share_ns > QUEUE_ALLOWED_NS ? share_ns : QUEUE_ALLOWED_NS;
}

/* What left a second, while anything did. */
static double sent_pps(const struct rate *rate)
{
    double span_ns = (double)(rate->last_left_ns - rate->began_ns);
    double pps = span_ns > 0 ? (double)rate->sent * (double)SEC / span_ns : rate->pps;
    return fmin(pps, rate->pps);
}

/* The path carries only so much: go below it, and let what is queued drain. */
static enum rate_change slow_down(struct rate *rate, double capacity_pps, int64_t queue_ns,
                                  int64_t overload_ns, int64_t now_ns)
{
    rate->knee_pps = capacity_pps;
    rate->knee_ns = now_ns;
    rate->growth = GROWTH_AT_KNEE;
    rate->settle_ns = 0;
    rate->pps = clamp_rate(rate, capacity_pps * (1 - rate->limits.share_left));
    rate->pause_ns = queue_ns;
    rate->overload_ns = overload_ns;
    if (overload_ns != TIME_NEVER)
        rate->clean_ns = now_ns;
    if (++rate->downs >= DOWNS_IN_VAIN) {
        rate->base_queue_ns += rate->least_queue_ns;
        rate->downs = 0;
    }
    open_window(rate, now_ns + queue_ns);
    return RATE_DOWN;
}

bool rate_bears_burst(const struct rate *rate, unsigned packets)
{
    return rate->pps * (double)rate->allowed_ns / 2 / (double)SEC >= packets;
}

/* What left together was meant for so long. */
static int64_t burst_ns(const struct rate *rate)
{
    int64_t at_once_ns = (int64_t)(RATE_BURST * (double)SEC / rate->pps);
    return at_once_ns > BURST_NS && rate_bears_burst(rate, RATE_BURST) ? at_once_ns : BURST_NS;
}

/* By how many seconds the queue grew in each second of sending. What left together in one burst of the pacer
 * was meant for a longer time. */
static double queue_growth(const struct rate *rate)
{
    int64_t span_ns = rate->last_sent_ns - rate->first_sent_ns;
    if (rate->last_queue_ns <= rate->first_queue_ns)
        return 0;
    return (double)(rate->last_queue_ns - rate->first_queue_ns) /
           (double)(span_ns > BURST_NS ? span_ns : BURST_NS);
}

/* At the first rate that is far too high the queue is long before the answers say so that met a long one. It
 * is sure when it grows by more than what leaves at once explains, and faster than we send. */
static bool will_be_long(const struct rate *rate, int64_t now_ns)
{
    int64_t span_ns = rate->last_sent_ns - rate->first_sent_ns + burst_ns(rate);
    int64_t grown_ns = rate->last_queue_ns - rate->first_queue_ns - burst_ns(rate);
    int64_t unseen_ns = (int64_t)(queue_growth(rate) * (double)(now_ns - rate->last_sent_ns));
    return rate->knee_pps <= 0 && rate->samples >= SAMPLES_ENOUGH && grown_ns > span_ns &&
           rate->queue_ns > rate->allowed_ns / QUEUE_SURE_SHARE &&
           rate->last_queue_ns + unseen_ns > rate->allowed_ns;
}

static enum rate_change queue_is_long(struct rate *rate, int64_t now_ns, int64_t rtt_ns)
{
    double growth = queue_growth(rate);
    double capacity_pps = sent_pps(rate) / (1 + growth);
    if (rate->knee_pps <= 0) /* few answers tell the growth of a short time badly, where they jitter */
        capacity_pps = fmax(capacity_pps, rate->kept_pps);
    if (rate->downs > 0 &&
        rate->last_queue_ns < rate->first_queue_ns) /* it drains: only the pause was too short */
        capacity_pps = rate->pps / (1 - rate->limits.share_left);
    int64_t queue_ns = rate->last_queue_ns + (int64_t)(growth * (double)(now_ns - rate->last_sent_ns));
    int64_t most_ns = rate->last_queue_ns + 2 * rtt_ns + QUEUE_UNSEEN_NS;
    rate->cause = RATE_QUEUES;
    bool overflows = queue_ns > QUEUE_OVERFLOWS * rate->allowed_ns;
    return slow_down(rate, capacity_pps, queue_ns < most_ns ? queue_ns : most_ns,
                     overflows ? rate->fine_ns : TIME_NEVER, now_ns);
}

/* Answered first tries of those that left before the last answered one did; -1: not known. *ret_noise is how
 * far chance may have moved it. */
static double answered_share(const struct rate *rate, int64_t now_ns, double *ret_noise)
{
    double asked = (double)rate->asked * known_part(rate, rate->asked_from_ns, now_ns);
    double usual = rate->usual_share;
    if (asked < SHARE_PROBES || rate->samples == 0)
        return -1;
    *ret_noise = SHARE_SIGMAS * sqrt(usual * (1 - usual) / asked);
    return fmin((double)rate->answered / asked, 1);
}

/* Too few soundings come back. */
static bool soundings_are_lost(struct rate *rate, bool is_long, double *ret_share)
{
    if (rate->soundings < SOUNDINGS_TELLING || !is_long)
        return false;
    *ret_share = (double)rate->soundings_back / (double)rate->soundings;
    if (*ret_share >= SOUNDINGS_KEPT * rate->sounding_share)
        return false;
    bool in_vain = rate->slowed_share > 0 && *ret_share < SOUNDINGS_BETTER * rate->slowed_share;
    rate->slowed_share = in_vain ? 0 : *ret_share;
    if (in_vain)
        rate->sounding_share = *ret_share;
    return !in_vain;
}

static double growth_now(const struct rate *rate, int64_t rtt_ns)
{
    bool is_near = rtt_ns > 0 && NEAR_SHARE * rtt_ns < rate->allowed_ns;
    return is_near && rate->knee_pps <= 0 ? GROWTH_NEAR : rate->growth;
}

static enum rate_change speed_up(struct rate *rate, int64_t now_ns, int64_t rtt_ns)
{
    double pps = rate->pps;
    double used = (double)rate->sent * (double)SEC / (pps * (double)(now_ns - rate->began_ns));
    int64_t kept_ns = KNEE_KEPT_RTTS * rtt_ns > KNEE_KEPT_NS ? KNEE_KEPT_RTTS * rtt_ns : KNEE_KEPT_NS;
    bool at_knee = rate->knee_pps > 0 && now_ns - rate->knee_ns < kept_ns;
    rate->downs = 0;
    bool may_grow = is_proved(rate) || rtt_ns < UNPROVED_NEAR_NS;
    if (used < USED_ENOUGH || at_knee || !may_grow) {
        move_window(rate, now_ns);
        return RATE_SAME;
    }
    if (rate->last_sent_ns - rate->began_ns >= rate->allowed_ns) /* a long queue would have shown */
        rate->kept_pps = pps;
    open_window(rate, now_ns);
    if (is_proved(rate))
        rate->pps = clamp_rate(rate, pps * growth_now(rate, rtt_ns));
    else
        rate_set_unproved(rate, pps * rate->growth);
    rate->settle_ns =
        rate->growth < GROWTH ? (int64_t)((double)rate->allowed_ns / 2 / (rate->growth - 1)) : 0;
    rate->cause = RATE_KEEPS_UP;
    if (rate->pps > KNEE_PASSED * rate->knee_pps)
        rate->growth = fmin(GROWTH, 1 + (rate->growth - 1) * GROWTH_GROWS);
    return rate->pps > pps ? RATE_UP : RATE_SAME;
}

/* Few answers come from a host that is silent but for one port. */
static bool is_enough(const struct rate *rate, int64_t rtt_ns)
{
    int64_t span_ns = rate->last_sent_ns - rate->began_ns;
    if (span_ns < rate->settle_ns)
        return false;
    return (rate->samples >= SAMPLES_ENOUGH && span_ns >= rtt_ns / 2) ||
           (rate->samples >= SAMPLES_FEW && span_ns >= 2 * rtt_ns + LOSS_WINDOW_NS / 2);
}

/* The path is proved by now: begin in earnest. */
static enum rate_change begin(struct rate *rate, int64_t now_ns)
{
    rate->limits.unproved_pps = 0;
    rate->cause = RATE_PROVED;
    rate->kept_pps = rate->pps;
    rate->pps = clamp_rate(rate, rate->limits.start_pps);
    open_window(rate, now_ns);
    return RATE_UP;
}

enum rate_change rate_update(struct rate *rate, int64_t now_ns, int64_t rtt_ns)
{
    rate->allowed_ns = allowed_queue_ns(rtt_ns);
    if (rate->limits.unproved_pps > 0 && is_proved(rate) && rate->knee_pps <= 0)
        return begin(rate, now_ns);
    if (rate->samples < SAMPLES_FEW || now_ns <= rate->began_ns)
        return RATE_SAME;
    bool drains = rate->last_queue_ns < rate->first_queue_ns / 2;
    bool is_long_queue = rate->queue_ns > rate->allowed_ns || will_be_long(rate, now_ns);
    if (is_long_queue && !drains && rate->last_sent_ns - rate->first_sent_ns >= BURST_NS)
        return queue_is_long(rate, now_ns, rtt_ns);
    if (!is_enough(rate, rtt_ns))
        return RATE_SAME;
    bool is_long = now_ns - rate->began_ns > LOSS_WINDOW_NS + 2 * rtt_ns;
    double come_back;
    if (soundings_are_lost(rate, is_long, &come_back)) {
        rate->cause = RATE_LOSES;
        return slow_down(rate, sent_pps(rate) * come_back, 0, rate->began_ns, now_ns);
    }
    double noise = 0, usual = rate->usual_share;
    double share = answered_share(rate, now_ns, &noise);
    if (usual > 0 && share >= 0 && share < SHARE_KEPT * usual - noise) {
        if (is_long) { /* a limiter, perhaps: soundings would tell if it were the path */
            rate->usual_share = share;
            move_window(rate, now_ns);
        }
        return RATE_SAME;
    }
    bool fills = rate->queue_ns > QUEUE_SEEN_NS && queue_growth(rate) > GROWTH_SEEN;
    if (rate->queue_ns > rate->allowed_ns / 2 || fills)
        return RATE_SAME;
    if (share >= 0)
        rate->usual_share = usual > 0 ? SHARE_MEMORY * usual + (1 - SHARE_MEMORY) * share : share;
    return speed_up(rate, now_ns, rtt_ns);
}

bool rate_is_unheard(struct rate *rate, int64_t now_ns)
{
    bool is_faster = rate->kept_pps > 0 && rate->kept_pps < rate->pps;
    if (!is_faster || rate->samples >= SAMPLES_FEW || rate->last_left_ns - rate->began_ns < UNHEARD_NS)
        return false;
    rate->cause = RATE_LOSES;
    slow_down(rate, rate->kept_pps / (1 - rate->limits.share_left), 0, rate->began_ns, now_ns);
    return true;
}

void rate_dropped(struct rate *rate, int64_t now_ns)
{
    if (now_ns <= rate->began_ns)
        return;
    rate->cause = RATE_OVERRUN;
    slow_down(rate, rate->pps * DROP_REDUCTION, 0, TIME_NEVER, now_ns);
}
