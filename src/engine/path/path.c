#include "engine/path/path.h"

/* A host never seen before and not on link gets so little until it or its path has answered some probes. */
#define UNPROVED_HOST_PPS 1000

/* Nor does a path begin with more, however many hosts are behind it; but where nobody answers, it goes on
 * faster. */
#define UNPROVED_DOUBLES_NS (250 * MSEC)

/* A link is our own: its first probes may be closer together. */
#define LINK_SPEED_UP 5

#define BASE_RTT_WEIGHT 16

/* Of the loss of earlier blocks so much is remembered. */
#define TRIES_REMEMBERED 16384.0

void path_init(struct path *path, enum reach reach, const struct addr *source,
               const struct path_limits *limits, const struct rtt_limits *rtt_limits, int64_t now_ns)
{
    bool routed = reach == REACH_ROUTED;
    struct rate_limits rate = {
        .start_pps = routed ? limits->start_pps : LINK_SPEED_UP * limits->start_pps,
        .unproved_pps = routed ? UNPROVED_HOST_PPS : 0,
        .min_pps = limits->min_pps,
        .max_pps = limits->max_pps,
        .share_left = limits->share_left,
    };
    *path =
        (struct path){.reach = reach, .source = *source, .unproved_until_ns = now_ns + UNPROVED_DOUBLES_NS};
    rate_init(&path->rate, &rate, now_ns);
    path->told_pps = path->rate.pps;
    pacer_init(&path->pacer, path->rate.pps, now_ns);
    rtt_init(&path->rtt, rtt_limits);
}

void path_add_hosts(struct path *path, uint64_t hosts)
{
    path->hosts += hosts;
    loss_forget(&path->loss, TRIES_REMEMBERED);
}

double path_chance_of_loss(const struct path *path)
{
    double loss = loss_of_path(&path->loss), sounded = loss_of_path(&path->sounded_loss);
    return loss > sounded ? loss : sounded;
}

/* What it may send until it is proved. */
static void speed_up_unproved(struct path *path, int64_t now_ns)
{
    double most_pps = (double)path->hosts * UNPROVED_HOST_PPS;
    double pps = 2 * path->rate.limits.unproved_pps;
    if (path->rate.limits.unproved_pps <= 0 || now_ns < path->unproved_until_ns)
        return;
    path->unproved_until_ns = now_ns + UNPROVED_DOUBLES_NS;
    rate_set_unproved(&path->rate, pps < most_pps ? pps : most_pps);
}

/* Those since the rate changed last were our own doing. */
static void forget_losses(struct path *path)
{
    path->loss = path->loss_before;
    path->sounded_loss = path->sounded_before;
}

bool path_is_unheard(struct path *path, int64_t now_ns)
{
    if (!rate_is_unheard(&path->rate, now_ns))
        return false;
    forget_losses(path);
    pacer_set_rate(&path->pacer, path->rate.pps);
    return true;
}

enum rate_change path_update(struct path *path, int64_t now_ns)
{
    double before_pps = path->rate.pps;
    speed_up_unproved(path, now_ns);
    enum rate_change change = rate_update(&path->rate, now_ns, path->base_rtt_ns);
    if (change == RATE_SAME && path->rate.pps > before_pps)
        change = RATE_UP;
    if (change == RATE_SAME)
        return change;
    pacer_set_rate(&path->pacer, path->rate.pps);
    if (change == RATE_DOWN) {
        pacer_wait(&path->pacer, path->rate.pause_ns);
        if (path->rate.overload_ns != TIME_NEVER)
            forget_losses(path);
    }
    path->loss_before = path->loss;
    path->sounded_before = path->sounded_loss;
    return change;
}

bool path_was_overrun(const struct path *path, int64_t sent_ns)
{
    return sent_ns > path->rate.fine_ns && sent_ns < path->rate.clean_ns;
}

void path_answered(struct path *path, const struct rtt_limits *rtt_limits, int64_t sent_ns, int64_t rtt_ns,
                   int64_t least_ns, bool first_try)
{
    if (path->least_rtt_ns == 0 || rtt_ns < path->least_rtt_ns)
        path->least_rtt_ns = rtt_ns;
    if (path->reach != REACH_ROUTED) /* all are about as far */
        least_ns = path->least_rtt_ns;
    int64_t base_ns = least_ns > 0 && least_ns < rtt_ns ? least_ns : rtt_ns;
    if (path->base_rtt_ns == 0)
        path->base_rtt_ns = base_ns;
    path->base_rtt_ns += (base_ns - path->base_rtt_ns) / BASE_RTT_WEIGHT;
    if (!path->rtt.has_sample || !path_was_overrun(path, sent_ns))
        rtt_sample(&path->rtt, rtt_limits, rtt_ns);
    rate_answered(&path->rate, sent_ns, least_ns > 0 ? rtt_ns - base_ns : -1, first_try);
}
