/* The turn: what time it is decides what is to be done; netio does it. */
#include <errno.h>
#include <stdlib.h>

#include "engine/internal.h"

#define PROGRESS_PERIOD_NS      (200 * MSEC)
#define TIMEOUT_CHECK_PERIOD_NS (100 * MSEC)

/* How long answers to a finished block are still told from repeated ones. */
#define LATE_ANSWERS_NS (8 * SEC)

static int index_specs(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->config.spec_count; i++) {
        const struct probe_spec *spec = &engine->config.specs[i];
        uint32_t **of_port = &engine->spec_of_port[spec->technique->protocol];
        if (!*of_port)
            *of_port = calloc(65536, sizeof **of_port);
        if (!*of_port)
            return -ENOMEM;
        (*of_port)[spec->port] = i + 1;
        engine->errors_tell |= spec->technique->silent_state == PORT_OPEN_FILTERED;
    }
    return 0;
}

/* Stacks answer TCP at once, and in the order it comes; what runs above them takes its time over UDP. */
static bool only_tcp_is_asked(const struct engine *engine)
{
    for (unsigned i = 0; i < PROTOCOL_COUNT; i++)
        if (i != PROTOCOL_TCP && engine->spec_of_port[i])
            return false;
    return true;
}

static void init_timing(struct engine *engine)
{
    const struct timing *timing = &engine->config.timing;
    engine->rtt_limits = (struct rtt_limits){timing->min_rto_ns, timing->initial_rto_ns, timing->max_rto_ns};
    engine->answers_are_prompt = only_tcp_is_asked(engine) && !engine->errors_tell;
    engine->now_ns = engine->io->ops->now(engine->io);
    pacer_init(&engine->pacer, timing->max_rate_pps > 0 ? timing->max_rate_pps : RATE_CEILING_PPS,
               engine->now_ns);
    engine->packets_charged = engine->io->stats.packets_sent;
    engine->turns.state = engine->config.plan->options.seed;
}

static struct engine *engine_of(struct scanner *scanner)
{
    return (struct engine *)scanner; /* the scanner is the first member */
}

static void engine_free(struct scanner *scanner)
{
    struct engine *engine = engine_of(scanner);
    for (unsigned i = 0; i < engine->block_count; i++)
        blocks_drop(engine->blocks[i]);
    for (unsigned i = 0; i < PROTOCOL_COUNT; i++)
        free(engine->spec_of_port[i]);
    intake_done(engine);
    free(engine->port_specs);
    host_table_done(&engine->hosts);
    provisional_done(&engine->provisional);
    free(engine);
}

static void engine_stop(struct scanner *scanner)
{
    engine_of(scanner)->stopping = true;
}

/* A sweep that was over before its first answer came waits for a time-out that is not the hosts' own. */
static void wait_anew(struct engine *engine, struct scan_block *scan_block)
{
    scan_block->timed_anew = false;
    if (scan_block->phase != PHASE_WAIT || scan_block->cursor < scan_block->part.end)
        return; /* the time-out is worked out, host by host, when the sweep is over */
    int64_t wake_ns = scan_block->last_sent_ns + block_rto_ns(engine, scan_block);
    if (wake_ns < scan_block->wake_ns)
        scan_block->wake_ns = wake_ns;
}

/* Answers have become slower since the last probe left. */
static bool waits_longer(struct engine *engine, struct scan_block *scan_block)
{
    int64_t until_ns = scan_block->last_sent_ns + block_rto_ns(engine, scan_block);
    if (scan_block->tries_counted || until_ns <= engine->now_ns)
        return false;
    scan_block->wake_ns = until_ns;
    return true;
}

/* A block whose hosts are all reported stays a while for late answers; one whose hosts must all move on stays
 * for them. */
static void advance_block(struct engine *engine, struct scan_block *scan_block)
{
    if (scan_block->phase == PHASE_FINISHED)
        return;
    canary_look(engine, scan_block);
    if (scan_block->timed_anew)
        wait_anew(engine, scan_block);
    if (scan_block->open_hosts > 0 && scan_block->phase == PHASE_WAIT &&
        scan_block->wake_ns <= engine->now_ns) {
        bool round_over = scan_block->cursor < scan_block->part.end;
        if (round_over)
            scan_block->phase = PHASE_SWEEP;
        else if (scan_block->first_sent_ns[0] == TIME_NEVER)
            scan_block_start_sweep(scan_block, false, engine->now_ns);
        else if (!waits_longer(engine, scan_block))
            silence_weigh(engine, scan_block);
    }
    if (scan_block->open_hosts == 0) {
        scan_block->phase = PHASE_FINISHED;
        scan_block->wake_ns = engine->now_ns + LATE_ANSWERS_NS;
        engine->has_swept |= scan_block->kind != BLOCK_PORTS;
    }
}

/* Finished blocks go when their time is over, and earlier when their room is needed. */
static void free_finished_blocks(struct engine *engine)
{
    bool room_needed = !intake_is_empty(engine) && (engine->block_count >= ENGINE_BLOCKS_MAX / 2 ||
                                                    engine->probes_in_blocks >= ENGINE_PROBES_MAX / 2 ||
                                                    engine->hosts_in_blocks >= ENGINE_HOSTS_MAX / 2);
    for (unsigned i = engine->block_count; i-- > 0;) {
        const struct scan_block *scan_block = engine->blocks[i];
        if (scan_block->phase == PHASE_FINISHED && scan_block->closing_hosts == 0 &&
            scan_block->up_moved == scan_block->up_count &&
            (room_needed || scan_block->wake_ns <= engine->now_ns))
            blocks_free(engine, i);
    }
}

static bool all_done(const struct engine *engine)
{
    for (unsigned i = 0; i < engine->block_count; i++)
        if (engine->blocks[i]->phase != PHASE_FINISHED)
            return false;
    return engine->closing.count == 0 && intake_is_empty(engine);
}

/* Hosts that were found up, and whose ports were not asked yet. */
static void abandon_waiting_hosts(struct engine *engine)
{
    for (unsigned i = 0; i < SPEED_CLASS_COUNT; i++) {
        struct waiting_room *room = &engine->port_rooms[i];
        for (; room->count > 0; room->count--) {
            const struct waiting_host *waiting = &room->hosts[room->count - 1];
            struct addr host = plan_host_at(engine->config.plan, waiting->position);
            emit_host_done(engine, &host, host_table_get(&engine->hosts, waiting->record), 0,
                           RECORD_UNFINISHED);
        }
    }
    for (unsigned i = 0; i < engine->block_count; i++) {
        struct scan_block *scan_block = engine->blocks[i];
        for (; scan_block->up_moved < scan_block->up_count; scan_block->up_moved++) {
            struct addr host = block_host(&scan_block->block, scan_block->up_slots[scan_block->up_moved]);
            emit_host_done(engine, &host, NULL, 0, RECORD_UNFINISHED);
        }
    }
}

static void end(struct engine *engine, uint8_t flags)
{
    closing_end(engine);
    if (flags & RECORD_UNFINISHED) {
        for (unsigned i = 0; i < engine->block_count; i++)
            silence_end_block(engine, engine->blocks[i], flags);
        abandon_waiting_hosts(engine);
    }
    if (engine->unsent)
        emit_note(engine, NOTE_SEND_ERRORS, NULL, (uint64_t)engine->last_unsent_error, engine->unsent);
    if (engine->io->stats.local_waits)
        emit_note(engine, NOTE_LOCAL_PORTS, NULL, engine->io->stats.local_waits, 0);
    emit_progress(engine, paths_rate_pps(engine));
    emit_end(engine, flags);
    engine->over = true;
}

static bool goes_along_with(const struct scan_block *late, const struct scan_block *other)
{
    return late->is_late && late->path == other->path && other->kind == BLOCK_PORTS;
}

/* The oldest block of the path that may send first; or one of those that go along with it, each as often as
 * it has hosts. */
static struct scan_block *block_to_send(struct engine *engine)
{
    struct scan_block *first = NULL;
    int64_t first_ns = TIME_NEVER;
    uint64_t hosts = 0;
    for (unsigned i = 0; i < engine->block_count; i++) {
        struct scan_block *scan_block = engine->blocks[i];
        if (scan_block->phase != PHASE_SWEEP && scan_block->phase != PHASE_CANARY)
            continue;
        int64_t at_ns = pacer_next_ns(&path_of(engine, scan_block)->pacer);
        if (scan_block->is_paced && pacer_next_ns(&scan_block->pacer) > at_ns)
            at_ns = pacer_next_ns(&scan_block->pacer);
        if (at_ns < engine->now_ns)
            at_ns = engine->now_ns;
        bool goes_along = first && at_ns == first_ns && goes_along_with(scan_block, first);
        hosts = at_ns < first_ns ? scan_block->open_hosts : hosts + goes_along * scan_block->open_hosts;
        if (at_ns < first_ns || (goes_along && rand_below(&engine->turns, hosts) < scan_block->open_hosts)) {
            first = scan_block;
            first_ns = at_ns;
        }
    }
    return first;
}

static void wait_for_answers(struct engine *engine, struct scan_block *scan_block)
{
    scan_block->phase = PHASE_WAIT;
    scan_block->wake_ns = scan_block->last_sent_ns + block_rto_ns(engine, scan_block);
}

/* With a scan delay a sweep goes in rounds, in each of which every host is asked once at most. */
static uint64_t order_end(const struct engine *engine, const struct scan_block *scan_block)
{
    uint64_t hosts = scan_block->block.host_count;
    uint64_t round_end = (scan_block->cursor / hosts + 1) * hosts;
    if (engine->config.timing.scan_delay_ns == 0 || round_end > scan_block->part.end)
        return scan_block->part.end;
    return round_end;
}

static void after_order(struct engine *engine, struct scan_block *scan_block, const struct order *order,
                        uint64_t sent, int64_t began_ns)
{
    bool first_tries = scan_block->sweep == 0 && scan_block->kind == BLOCK_PORTS;
    uint64_t early = scan_block->block.early.size;
    if (first_tries && (scan_block->cursor == 0 || (scan_block->cursor < early && order->next >= early)))
        rate_new_ground(&path_of(engine, scan_block)->rate, began_ns);
    spend_on_way(engine, scan_block, sent, first_tries ? sent : 0);
    scan_block_sent(scan_block, order->next, began_ns);
    if (sent)
        scan_block->last_sent_ns = engine->now_ns;

    struct order_range todo = scan_block_todo(scan_block);
    if (todo.first == todo.end) {
        if (!canary_begin(engine, scan_block))
            wait_for_answers(engine, scan_block);
    } else if (engine->config.timing.scan_delay_ns && order->next == order->end && sent) {
        scan_block->phase = PHASE_WAIT;
        scan_block->wake_ns = engine->now_ns + engine->config.timing.scan_delay_ns;
    }
}

/* Let netio send as much of this block as the rate allows now. */
static void send(struct engine *engine, struct scan_block *scan_block, uint32_t allowance, int64_t until_ns)
{
    if (scan_block->phase == PHASE_CANARY) {
        if (!canary_go_on(engine, scan_block, allowance))
            wait_for_answers(engine, scan_block);
        return;
    }
    struct order order = {
        .block = &scan_block->block,
        .key = &engine->config.key,
        .next = scan_block->cursor,
        .end = order_end(engine, scan_block),
        .limit = allowance,
        .try_number = scan_block->try_number,
        .rate_pps = pace_of(engine, scan_block),
    };
    int64_t began_ns = engine->now_ns;
    engine->io->ops->work(engine->io, &order, until_ns);
    engine->now_ns = engine->io->ops->now(engine->io);
    after_order(engine, scan_block, &order, allowance - order.limit, began_ns);
}

static int64_t next_wake_ns(struct engine *engine, const struct scan_block *to_send)
{
    int64_t wake_ns = to_send ? may_send_ns(engine, to_send) : TIME_NEVER;
    if (engine->next_progress_ns < wake_ns)
        wake_ns = engine->next_progress_ns;
    int64_t closing_ns = closing_next_ns(engine);
    if (closing_ns < wake_ns)
        wake_ns = closing_ns;
    for (unsigned i = 0; i < engine->block_count; i++) {
        const struct scan_block *scan_block = engine->blocks[i];
        if (scan_block->phase == PHASE_FINISHED && scan_block->closing_hosts > 0)
            continue; /* it stays as long as they do */
        if (scan_block->phase != PHASE_SWEEP && scan_block->phase != PHASE_CANARY &&
            scan_block->wake_ns < wake_ns)
            wake_ns = scan_block->wake_ns;
    }
    return wake_ns;
}

/* Limited hosts, each at its own pace; together never above the rate. */
static void run_lanes(struct engine *engine)
{
    for (unsigned i = 0; i < engine->block_count; i++) {
        struct scan_block *scan_block = engine->blocks[i];
        if (scan_block->phase == PHASE_LANE && scan_block->open_hosts &&
            scan_block->wake_ns <= engine->now_ns)
            scan_block->lane ? lane_run(engine, scan_block) : calm_run(engine, scan_block);
    }
}

static void keep_rate(struct engine *engine)
{
    charge_pacer(engine);
    paths_keep_rates(engine);
}

/* How much may be sent now. Who keeps the rate itself gets a whole slice of it, and the pacer is repaid
 * later. */
static uint32_t allowance_now(struct engine *engine, struct scan_block *scan_block)
{
    const struct netio_ops *ops = engine->io->ops;
    uint32_t allowance = allowance_of(engine, scan_block);
    double slice = pace_of(engine, scan_block) * (double)ops->slice_ns / (double)SEC;
    if (allowance == 0 || !ops->paces || slice < allowance)
        return allowance;
    return slice < (double)ENGINE_BLOCK_PROBES_MAX ? (uint32_t)slice : (uint32_t)ENGINE_BLOCK_PROBES_MAX;
}

static void send_or_listen(struct engine *engine, int64_t until_ns)
{
    struct scan_block *scan_block = block_to_send(engine);
    uint32_t allowance = scan_block ? allowance_now(engine, scan_block) : 0;
    int64_t wake_ns = next_wake_ns(engine, scan_block);
    if (allowance && sounding_send(engine, scan_block))
        allowance--;
    if (wake_ns > until_ns)
        wake_ns = until_ns;
    if (allowance)
        send(engine, scan_block, allowance, wake_ns > engine->now_ns ? wake_ns : engine->now_ns);
    else
        engine->io->ops->work(engine->io, NULL, wake_ns);
    engine->now_ns = engine->io->ops->now(engine->io);
    keep_rate(engine);
}

static bool engine_turn(struct scanner *scanner, int64_t until_ns)
{
    struct engine *engine = engine_of(scanner);
    if (engine->over)
        return false;
    engine->now_ns = engine->io->ops->now(engine->io);
    if (engine->stopping) {
        end(engine, RECORD_UNFINISHED);
        return false;
    }
    if (engine->now_ns >= engine->next_progress_ns) {
        emit_progress(engine, paths_rate_pps(engine));
        engine->next_progress_ns = engine->now_ns + PROGRESS_PERIOD_NS;
    }
    if (engine->now_ns >= engine->next_timeout_check_ns) {
        silence_time_out_hosts(engine);
        engine->next_timeout_check_ns = engine->now_ns + TIMEOUT_CHECK_PERIOD_NS;
    }
    if (engine->config.resume && !engine->restored)
        intake_restore(engine);
    if (engine->config.checkpoints && engine->now_ns >= engine->next_checkpoint_ns)
        checkpoint_run(engine);
    intake_run(engine);
    for (unsigned i = 0; i < engine->block_count; i++)
        advance_block(engine, engine->blocks[i]);
    closing_run(engine);
    free_finished_blocks(engine);
    if (all_done(engine)) {
        end(engine, 0);
        return false;
    }
    run_lanes(engine);
    speakers_run(engine);
    keep_rate(engine);
    send_or_listen(engine, until_ns);
    return true;
}

static const struct scanner_ops engine_ops = {
    .turn = engine_turn,
    .stop = engine_stop,
    .free = engine_free,
};

int engine_new(const struct engine_config *config, struct scanner **ret, struct error *err)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return error_set(err, EX_OSERR, "not enough memory for the scan");
    engine->scanner.ops = &engine_ops;
    engine->config = *config;
    engine->io = config->io;
    engine->io->events = &engine_events;
    engine->io->context = engine;
    if (host_table_init(&engine->hosts, ENGINE_HOST_RECORDS) ||
        provisional_init(&engine->provisional, ENGINE_PROVISIONAL_MAX) || index_specs(engine)) {
        engine_free(&engine->scanner);
        return error_set(err, EX_OSERR, "not enough memory for the tables of the scan");
    }
    int result = intake_init(engine, err);
    if (result) {
        engine_free(&engine->scanner);
        return result;
    }
    init_timing(engine);
    speakers_init(engine);
    *ret = &engine->scanner;
    return 0;
}
