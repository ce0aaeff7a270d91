/* Which way hosts are reached, and how fast each way carries probes. */
#include "engine/internal.h"

/* A change is worth telling when it comes to so much. */
#define TOLD_CHANGE 1.5

static struct path_limits limits_of(const struct timing *timing)
{
    return (struct path_limits){
        .start_pps = timing->default_rate_pps,
        .min_pps = timing->min_rate_pps,
        .max_pps = timing->max_rate_pps,
        .share_left = timing->share_left,
    };
}

unsigned paths_find(struct engine *engine, const struct addr *host)
{
    enum reach reach = engine->io->ops->reach(engine->io, host);
    struct addr source = engine->io->ops->source(engine->io, host);
    for (unsigned i = 0; i < engine->path_count; i++)
        if (!engine->parts[i].is_part && engine->paths[i].reach == reach &&
            addr_equal(&engine->paths[i].source, &source))
            return divide_find(engine, i, host);
    if (engine->path_count == PATHS_MAX)
        return PATHS_MAX - 1;
    struct path_limits limits = limits_of(&engine->config.timing);
    path_init(&engine->paths[engine->path_count], reach, &source, &limits, &engine->rtt_limits,
              engine->now_ns);
    divide_begin(engine, engine->path_count, &source);
    return engine->path_count++;
}

/* We were faster than the path: what left since then may be lost, and says nothing. */
static void void_overload(struct engine *engine, unsigned path)
{
    int64_t from_ns = engine->paths[path].rate.overload_ns;
    for (unsigned i = 0; i < engine->block_count; i++) {
        struct scan_block *scan_block = engine->blocks[i];
        if (scan_block->path == path && scan_block->phase != PHASE_FINISHED)
            scan_block_void_time(scan_block, from_ns, engine->now_ns);
    }
}

/* A path that is silent for so long is said to be; hosts may stand still for a moment, and loss comes in
 * bursts. */
#define SILENT_NS (500 * MSEC)

void paths_asked_known(struct engine *engine, const struct scan_block *scan_block, unsigned count)
{
    struct path *path = path_of(engine, scan_block);
    if (count == 0 || path->known_asked >= PATH_SILENT_PROBES)
        return;
    path->known_asked += count;
    path->known_sent_ns = engine->now_ns;
}

void paths_answered(struct engine *engine, const struct scan_block *scan_block)
{
    struct path *path = path_of(engine, scan_block);
    if (path->is_silent)
        emit_silence(engine, NOTE_PATH_ANSWERS, path);
    path->is_silent = false;
    path->known_asked = 0;
    path->answered_ns = engine->now_ns;
}

static void tell_silence(struct engine *engine, struct path *path)
{
    if (path->is_silent || path->known_asked < PATH_SILENT_PROBES ||
        engine->now_ns - path->answered_ns < SILENT_NS ||
        engine->now_ns - path->known_sent_ns < path->rtt.rto_ns)
        return;
    path->is_silent = true;
    emit_silence(engine, NOTE_PATH_SILENT, path);
}

static void tell_rate(struct engine *engine, struct path *path)
{
    double pps = path->rate.pps;
    if (pps < path->told_pps * TOLD_CHANGE && pps > path->told_pps / TOLD_CHANGE)
        return;
    emit_rate(engine, path);
    path->told_pps = pps;
}

void paths_keep_rates(struct engine *engine)
{
    divide_run(engine);
    for (unsigned i = 0; i < engine->path_count; i++) {
        struct path *path = &engine->paths[i];
        if (engine->parts[i].is_gone)
            continue;
        sounding_expire(engine, path);
        enum rate_change change = path_update(path, engine->now_ns);
        if (change == RATE_DOWN && path->rate.overload_ns != TIME_NEVER)
            void_overload(engine, i);
        tell_rate(engine, path);
        tell_silence(engine, path);
    }
}

/* Where few answers come, a sweep at a rate that is far too high is over before any of them says so. */
void paths_heed_silence(struct engine *engine, const struct scan_block *scan_block)
{
    struct path *path = path_of(engine, scan_block);
    if (!canary_is_silence(engine, scan_block) || !path_is_unheard(path, engine->now_ns))
        return;
    void_overload(engine, scan_block->path);
    tell_rate(engine, path);
}

void paths_dropped(struct engine *engine)
{
    for (unsigned i = 0; i < engine->path_count; i++) {
        struct path *path = &engine->paths[i];
        if (engine->parts[i].is_gone)
            continue;
        rate_dropped(&path->rate, engine->now_ns);
        pacer_set_rate(&path->pacer, path->rate.pps);
        tell_rate(engine, path);
    }
}

double paths_rate_pps(const struct engine *engine)
{
    double pps = 0;
    for (unsigned i = 0; i < engine->path_count; i++)
        pps += engine->parts[i].is_gone ? 0 : engine->paths[i].rate.pps;
    double most = engine->config.timing.max_rate_pps;
    return most > 0 && most < pps ? most : pps;
}
