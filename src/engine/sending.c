/* What leaves, and what it costs: every packet is paid for by its way and by the whole scan. */
#include "engine/internal.h"

/* When there was no room at the socket, or the way was not known, it is tried again so much later. */
#define HELD_NS MSEC

uint32_t allowance_of(struct engine *engine, struct scan_block *scan_block)
{
    if (engine->now_ns < scan_block->held_ns)
        return 0;
    uint32_t of_path = pacer_allowance(&path_of(engine, scan_block)->pacer, engine->now_ns);
    uint32_t of_all = pacer_allowance(&engine->pacer, engine->now_ns);
    uint32_t allowance = of_path < of_all ? of_path : of_all;
    uint32_t of_sweep =
        scan_block->is_paced ? pacer_allowance(&scan_block->pacer, engine->now_ns) : allowance;
    return allowance < of_sweep ? allowance : of_sweep;
}

int64_t may_send_ns(const struct engine *engine, const struct scan_block *scan_block)
{
    int64_t path_ns = pacer_next_ns(&engine->paths[scan_block->path].pacer),
            all_ns = pacer_next_ns(&engine->pacer);
    int64_t may_ns = path_ns > all_ns ? path_ns : all_ns;
    int64_t sweep_ns = scan_block->is_paced ? pacer_next_ns(&scan_block->pacer) : may_ns;
    may_ns = may_ns > sweep_ns ? may_ns : sweep_ns;
    return may_ns > scan_block->held_ns ? may_ns : scan_block->held_ns;
}

double pace_of(struct engine *engine, const struct scan_block *scan_block)
{
    double path_pps = path_of(engine, scan_block)->rate.pps;
    bool slower = scan_block->is_paced && scan_block->pacer.rate_pps < path_pps;
    return slower ? scan_block->pacer.rate_pps : path_pps;
}

void spend_on_way(struct engine *engine, struct scan_block *scan_block, uint64_t sent, uint64_t first_tries)
{
    struct path *path = path_of(engine, scan_block);
    engine->probes_sent += sent;
    pacer_spend(&path->pacer, sent);
    pacer_spend(&scan_block->pacer, scan_block->is_paced ? sent : 0);
    rate_sent(&path->rate, sent, first_tries, engine->now_ns);
}

void charge_pacer(struct engine *engine)
{
    uint64_t sent = engine->io->stats.packets_sent;
    pacer_spend(&engine->pacer, sent - engine->packets_charged);
    engine->packets_charged = sent;
}

void count_sent(struct engine *engine, struct scan_block *scan_block, uint32_t sent)
{
    charge_pacer(engine);
    spend_on_way(engine, scan_block, sent, 0);
}

uint32_t send_bits(struct engine *engine, struct scan_block *scan_block, const struct bits_to_send *what)
{
    struct order order = {
        .block = &scan_block->block,
        .key = &engine->config.key,
        .bits = what->bits,
        .end = what->count,
        .limit = what->count,
        .try_number = what->try_number,
        .source = what->source,
        .rate_pps = path_of(engine, scan_block)->rate.pps,
    };
    if (what->source)
        order.src = source_pool_at(engine->config.pool, what->source);
    engine->io->ops->work(engine->io, &order, engine->now_ns);
    engine->now_ns = engine->io->ops->now(engine->io);
    uint32_t sent = what->count - order.limit;
    count_sent(engine, scan_block, sent);
    if (sent)
        scan_block->last_sent_ns = engine->now_ns;
    if (sent < what->count)
        scan_block->held_ns = engine->now_ns + HELD_NS;
    return sent;
}
