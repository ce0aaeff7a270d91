#include "netio/sim/link.h"

#include <math.h>

#include "base/time.h"

void sim_link_init(struct sim_link_state *state, const struct sim_link *link, uint64_t seed)
{
    *state = (struct sim_link_state){.link = link, .rand = {.state = seed}, .tokens = link->policer_burst};
}

bool sim_link_leads_to(const struct sim_link *link, const struct addr *dst)
{
    return addr_compare(dst, &link->first) >= 0 && addr_compare(dst, &link->last) <= 0;
}

static int64_t random_span_ns(struct rand *rand, double mean_ns)
{
    return (int64_t)(-log(1 - rand_unit(rand)) * mean_ns) + 1;
}

/* Bursts last burst_ns in the mean, and what lies between them so long that the share lost is `loss`. */
static bool lost_in_burst(struct sim_link_state *state, struct sim_bursts *bursts, double loss,
                          int64_t time_ns)
{
    double burst_ns = (double)state->link->burst_ns;
    while (bursts->until_ns <= time_ns) {
        bool begun = bursts->until_ns > 0;
        bursts->losing = begun ? !bursts->losing : rand_unit(&state->rand) < loss;
        double mean_ns = bursts->losing ? burst_ns : burst_ns * (1 - loss) / loss;
        bursts->until_ns = (begun ? bursts->until_ns : time_ns) + random_span_ns(&state->rand, mean_ns);
    }
    return bursts->losing;
}

static bool is_lost(struct sim_link_state *state, struct sim_bursts *bursts, double loss, int64_t time_ns)
{
    const struct sim_link *link = state->link;
    if (time_ns >= link->down_from_ns && time_ns < link->down_to_ns)
        return true;
    if (loss <= 0)
        return false;
    if (link->burst_ns)
        return lost_in_burst(state, bursts, loss, time_ns);
    return rand_unit(&state->rand) < loss;
}

/* Wait for one's turn in the queue. False: it is full. */
static bool queues(struct sim_link_state *state, int64_t *time_ns)
{
    const struct sim_link *link = state->link;
    bool changed = link->changes_at_ns && *time_ns >= link->changes_at_ns;
    double rate_pps = changed ? link->changed_rate_pps : link->rate_pps;
    if (rate_pps <= 0)
        return true;
    int64_t begin_ns = state->free_ns > *time_ns ? state->free_ns : *time_ns;
    double waiting = (double)(begin_ns - *time_ns) * rate_pps / (double)SEC;
    if (waiting > (double)link->queue_len)
        return false;
    state->free_ns = begin_ns + (int64_t)((double)SEC / rate_pps);
    *time_ns = state->free_ns;
    return true;
}

/* A policer: `limit rate ... burst ... packets` of a firewall, and what providers do. */
static bool is_let_through(struct sim_link_state *state, uint8_t ip_proto, int64_t time_ns)
{
    const struct sim_link *link = state->link;
    if (link->policed_proto && link->policed_proto != ip_proto)
        return true;
    state->tokens += link->rate_pps * (double)(time_ns - state->tokens_ns) / (double)SEC;
    state->tokens_ns = time_ns;
    if (state->tokens > (double)link->policer_burst)
        state->tokens = (double)link->policer_burst;
    if (state->tokens < 1)
        return false;
    state->tokens -= 1;
    return true;
}

bool sim_link_probe(struct sim_link_state *state, uint8_t ip_proto, int64_t *time_ns)
{
    if (is_lost(state, &state->out, state->link->loss_out, *time_ns))
        return false;
    return state->link->policer_burst ? is_let_through(state, ip_proto, *time_ns) : queues(state, time_ns);
}

bool sim_link_answer(struct sim_link_state *state, int64_t time_ns)
{
    return !is_lost(state, &state->back, state->link->loss_back, time_ns);
}
