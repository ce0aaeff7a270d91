#include "idle_oracle.h"

#include <math.h>

#define QUALIFYING_S 0.4  /* 20 questions, 20 ms apart: nobody knows the class of a zombie beforehand */
#define SEARCH_S     0.5  /* the longest lag there is; until something shows a test takes as long */
#define MISSED       1e-4 /* the chance that all SYNs to an open port get lost, which is the same for all */

static double seconds(int64_t ns)
{
    return (double)ns / (double)SEC;
}

/* SYNs to each port, so that an open one is not missed: one that shows needs both ways of the target. */
static double copies(const struct idle_scene *scene)
{
    double hidden = 1 - (1 - scene->target.loss_out) * (1 - scene->target.loss_back);
    return hidden > 0 ? ceil(log(MISSED) / log(hidden)) : 1;
}

/* Two tests must be so far apart that packets which overtake each other stay in theirs: a SYN and its SYN/ACK
 * against a question. */
static double apart_s(const struct idle_scene *scene)
{
    return seconds(2 * scene->target.jitter_ns + scene->zombie.jitter_ns);
}

static double sending_s(const struct idle_scene *scene, double ports)
{
    return ports * copies(scene) / scene->timing.default_rate_pps;
}

/* Tests of groups of this size, one after the other; then each open port is halved out of its group. As
 * counts are exact, the second half of a group needs no test, and an open port no confirmation. */
static double work_s(const struct idle_scene *scene, unsigned size)
{
    double groups = ceil((double)scene->port_count / size);
    double all = groups * apart_s(scene) + sending_s(scene, scene->port_count);
    for (unsigned half = size / 2; half >= 1; half /= 2)
        all += scene->open_count * (apart_s(scene) + sending_s(scene, half));
    return all;
}

double idle_oracle_s(const struct idle_scene *scene)
{
    double round_s = seconds(scene->target.rtt_ns + scene->zombie.rtt_ns) + apart_s(scene);
    double set_up_s = QUALIFYING_S + 2 * seconds(scene->zombie.rtt_ns) + apart_s(scene);
    double best_s = HUGE_VAL;
    for (unsigned size = 1; size <= scene->port_count; size *= 2) {
        double density = (double)scene->open_count / scene->port_count;
        double searches =
            scene->open_count ? 1 / (1 - pow(1 - density, size)) : (double)scene->port_count / size;
        double search_s = (searches - 1) * SEARCH_S + round_s;
        double steps_s = (log2(size) + 1) * round_s; /* each halving waits for the one before */
        double all_s = set_up_s + search_s + fmax(work_s(scene, size), steps_s);
        best_s = fmin(best_s, all_s);
    }
    return best_s;
}
