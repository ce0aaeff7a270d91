#include "engine/path/divide.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/internal.h"
#include "engine/path/part_block.h"

/* How fast a path was of late, as far as it is remembered; and how often a part is asked whether it joins
 * again, once so much is known. */
#define LATELY_NS     (1 * SEC)
#define JOIN_OUTCOMES 128

/* The networks on a link are reached by the same cable, and who asks for a rate gets it for all. */
static bool may_divide(const struct engine *engine, const struct path *path)
{
    return path->reach == REACH_ROUTED && path->rate.limits.unproved_pps <= 0 &&
           engine->config.timing.min_rate_pps <= 0;
}

void divide_begin(struct engine *engine, unsigned path, const struct addr *source)
{
    struct path_part *part = &engine->parts[path];
    part->network = network_of(source, 0);
    division_reset(&part->division, engine->now_ns);
}

static bool is_part_of(const struct path_part *part, unsigned path)
{
    return part->is_part && !part->is_gone && part->parent == path;
}

unsigned divide_find(const struct engine *engine, unsigned path, const struct addr *host)
{
    for (unsigned i = 0; i < engine->path_count; i++) {
        const struct path_part *part = &engine->parts[i];
        if (is_part_of(part, path) && network_contains(&part->network, host))
            return divide_find(engine, i, host);
    }
    return path;
}

static void count(struct path_part *part, const struct addr *host, enum path_difference what,
                  struct outcomes more)
{
    division_count(&part->division, host, what, more);
    part->of_late[what].all += more.all;
    part->of_late[what].bad += more.bad;
}

void divide_answered(struct engine *engine, const struct scan_block *scan_block, const struct addr *host,
                     int64_t rtt_ns, int64_t base_ns)
{
    const struct path *path = path_of(engine, scan_block);
    struct path_part *part = &engine->parts[scan_block->path];
    bool is_first = base_ns == 0;
    int64_t usual_ns = is_first ? path->least_rtt_ns : base_ns + path->rate.base_queue_ns;
    if (may_divide(engine, path))
        count(part, host, is_first ? PATH_FAR : PATH_LATE,
              (struct outcomes){1, rtt_ns - usual_ns > path->rate.allowed_ns});
}

void divide_tried(struct engine *engine, const struct scan_block *scan_block, const struct addr *host,
                  struct outcomes more, bool sounded)
{
    struct path_part *part = &engine->parts[scan_block->path];
    if (!may_divide(engine, path_of(engine, scan_block)))
        return;
    division_count(&part->division, host, PATH_LOST, more);
    if (!sounded)
        return; /* ports that are asked for the first time cannot have lost a try yet */
    part->of_late[PATH_LOST].all += more.all;
    part->of_late[PATH_LOST].bad += more.bad;
}

/* What is known of both is counted anew, and looked at after a while. */
static void look_later(struct engine *engine, unsigned index)
{
    struct path_part *part = &engine->parts[index];
    memset(part->of_late, 0, sizeof part->of_late);
    memset(engine->parts[part->parent].of_late, 0, sizeof part->of_late);
    part->join_look_ns = engine->now_ns + LATELY_NS;
}

/* What it had learned of its rate was learned with others. */
static void begin_at(struct engine *engine, unsigned index, double pps)
{
    struct path *path = &engine->paths[index];
    struct rate_limits limits = path->rate.limits;
    limits.start_pps = pps;
    rate_init(&path->rate, &limits, engine->now_ns);
    path->told_pps = path->rate.pps;
    pacer_init(&path->pacer, path->rate.pps, engine->now_ns);
    path->soundings.count = 0;
    engine->parts[index].best_pps = path->rate.pps;
    division_reset(&engine->parts[index].division, engine->now_ns);
}

static void set_loss(struct path *path, const struct outcomes *outcomes)
{
    path->loss = path->loss_before = (struct loss){outcomes->all, outcomes->bad};
    path->sounded_loss = path->sounded_before = (struct loss){0};
}

/* A part begins with what was learned with the others, but for that in which it differs from them. */
static void init_part(struct engine *engine, unsigned index, unsigned parent_index,
                      const struct divided *divided)
{
    struct path *path = &engine->paths[index], *parent = &engine->paths[parent_index];
    const struct path_limits limits = {.start_pps = parent->rate.pps,
                                       .max_pps = parent->rate.limits.max_pps,
                                       .share_left = parent->rate.limits.share_left};
    path_init(path, parent->reach, &parent->source, &limits, &engine->rtt_limits, engine->now_ns);
    path->rate.limits.unproved_pps = 0;
    path->rtt = parent->rtt;
    path->loss = path->loss_before = parent->loss;
    if (divided->what == PATH_LOST) {
        set_loss(path, &divided->part[PATH_LOST]);
        set_loss(parent, &divided->rest[PATH_LOST]);
    }
    if (divided->what == PATH_FAR) {
        parent->least_rtt_ns = parent->base_rtt_ns = 0;
    } else {
        path->least_rtt_ns = parent->least_rtt_ns;
        path->base_rtt_ns = parent->base_rtt_ns;
    }
    double part_share = outcomes_share(&divided->part[divided->what]);
    double rest_share = outcomes_share(&divided->rest[divided->what]);
    struct path_part *part = &engine->parts[index];
    part->network = divided->network;
    part->is_part = true;
    part->is_gone = false;
    part->is_worse = part_share > rest_share;
    part->parent = parent_index;
    part->what = divided->what;
    part->limit = (part_share + rest_share) / 2;
}

/* A place for one more. PATHS_MAX: there is none. */
static unsigned free_place(struct engine *engine)
{
    unsigned parts = 0;
    for (unsigned i = 0; i < engine->path_count; i++) {
        if (engine->parts[i].is_gone)
            return i;
        parts += engine->parts[i].is_part;
    }
    if (parts == DIVIDE_PARTS_MAX || engine->path_count == PATHS_MAX)
        return PATHS_MAX;
    return engine->path_count++;
}

static bool is_at_work(const struct scan_block *scan_block, unsigned path)
{
    return scan_block->kind == BLOCK_PORTS && scan_block->path == path && scan_block->open_hosts > 0;
}

static uint64_t hosts_at_work(const struct engine *engine, unsigned path)
{
    uint64_t hosts = 0;
    for (unsigned i = 0; i < engine->block_count; i++)
        hosts += is_at_work(engine->blocks[i], path) ? engine->blocks[i]->open_hosts : 0;
    return hosts;
}

/* There are more networks than are watched, or can be split from the others. */
static void tell_crowded(struct engine *engine, unsigned index, unsigned networks, bool differ)
{
    struct path_part *part = &engine->parts[index];
    if (!part->told_crowded)
        emit_crowded(engine, &engine->paths[index], networks, differ);
    part->told_crowded = true;
}

static void split(struct engine *engine, unsigned from, const struct divided *divided)
{
    uint64_t hosts = hosts_at_work(engine, from), moved = 0;
    unsigned to = free_place(engine);
    if (to == PATHS_MAX) {
        tell_crowded(engine, from, DIVIDE_PARTS_MAX, true);
        return;
    }
    init_part(engine, to, from, divided);
    unsigned block_count = engine->block_count;
    for (unsigned i = 0; i < block_count; i++)
        if (is_at_work(engine->blocks[i], from))
            moved += part_block_move(engine, engine->blocks[i], to);
    intake_divide(engine, from, to);
    path_add_hosts(&engine->paths[to], moved);
    double share = hosts > 0 ? (double)moved / (double)hosts : 0.5;
    double pps = share * engine->paths[from].rate.pps, careful_pps = engine->config.timing.default_rate_pps;
    begin_at(engine, to, pps < careful_pps ? pps : careful_pps);
    begin_at(engine, from, (1 - share) * engine->parts[from].best_pps);
    look_later(engine, to);
    emit_path(engine, NOTE_PATH_SPLIT, divided);
}

static bool is_divided(const struct engine *engine, unsigned path)
{
    for (unsigned i = 0; i < engine->path_count; i++)
        if (is_part_of(&engine->parts[i], path))
            return true;
    return false;
}

/* The worse of the two differs no longer. Who was late must be as fast as the other by now: it is no use to
 * find that a path carries less than its share when that is all that it gets. */
static bool differs_no_longer(const struct engine *engine, const struct path_part *part, unsigned worse,
                              unsigned better)
{
    const struct path *slow = &engine->paths[worse], *fast = &engine->paths[better];
    if (part->what == PATH_FAR)
        return slow->base_rtt_ns > 0 && fast->base_rtt_ns > 0 &&
               llabs(slow->base_rtt_ns - fast->base_rtt_ns) <= fast->rate.allowed_ns;
    if (!outcomes_are_below(&engine->parts[worse].of_late[part->what], part->limit, DIVISION_ERROR))
        return false;
    double slow_hosts = (double)hosts_at_work(engine, worse),
           fast_hosts = (double)hosts_at_work(engine, better);
    return part->what != PATH_LATE || slow->rate.pps * fast_hosts >= fast->rate.pps * slow_hosts;
}

static void join(struct engine *engine, unsigned index)
{
    struct path_part *part = &engine->parts[index];
    unsigned parent = part->parent;
    struct divided divided = {.network = part->network, .what = part->what};
    divided.part[part->what] = part->of_late[part->what];
    divided.rest[part->what] = engine->parts[parent].of_late[part->what];
    for (unsigned i = 0; i < engine->block_count; i++)
        if (engine->blocks[i]->path == index)
            engine->blocks[i]->path = parent;
    intake_divide(engine, index, parent);
    engine->paths[parent].hosts += engine->paths[index].hosts;
    part->is_gone = true;
    division_reset(&engine->parts[parent].division, engine->now_ns);
    emit_path(engine, NOTE_PATH_JOINED, &divided);
}

/* While both are at work, else nobody gains. */
static void look_whether_joins(struct engine *engine, unsigned index)
{
    struct path_part *part = &engine->parts[index];
    unsigned worse = part->is_worse ? index : part->parent;
    unsigned better = part->is_worse ? part->parent : index;
    bool is_known = part->what == PATH_FAR || engine->parts[worse].of_late[part->what].all >= JOIN_OUTCOMES;
    if (engine->now_ns < part->join_look_ns || is_divided(engine, index) || !is_known)
        return;
    if (hosts_at_work(engine, worse) && hosts_at_work(engine, better) &&
        differs_no_longer(engine, part, worse, better))
        join(engine, index);
    look_later(engine, index);
}

static void remember_best(struct engine *engine, unsigned index)
{
    struct path_part *part = &engine->parts[index];
    double pps = engine->paths[index].rate.pps;
    if (pps < part->best_pps && engine->now_ns - part->best_since_ns < LATELY_NS)
        return;
    part->best_pps = pps;
    part->best_since_ns = engine->now_ns;
}

void divide_run(struct engine *engine)
{
    for (unsigned i = 0; i < engine->path_count; i++) {
        struct path_part *part = &engine->parts[i];
        struct divided divided;
        if (part->is_gone || !may_divide(engine, &engine->paths[i]))
            continue;
        remember_best(engine, i);
        if (part->division.is_crowded)
            tell_crowded(engine, i, DIVISION_NETWORKS_MAX, false);
        if (division_look(&part->division, engine->now_ns, &divided))
            split(engine, i, &divided);
        else if (part->is_part)
            look_whether_joins(engine, i);
    }
}
