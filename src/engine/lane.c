#include "engine/lane.h"

#include <stdlib.h>

#include "base/bitset.h"
#include "engine/internal.h"

/* Canaries in a row before their silence is believed: single ones may be lost. */
#define LANE_CANARIES 3

/* A host that answers no canary for so many rounds is not there any more. */
#define LANE_ROUNDS_MAX 8

/* While a token is waited for, everything is asked so often in the time that one takes. */
#define CYCLES_PER_TOKEN 8

struct lane *lane_new(uint32_t bits_max, uint64_t canary_bit, int64_t now_ns)
{
    struct lane *lane = calloc(1, sizeof *lane);
    if (!lane)
        return NULL;
    lane->bits = calloc(bits_max, sizeof *lane->bits);
    if (!lane->bits) {
        free(lane);
        return NULL;
    }
    limiter_init(&lane->limiter, now_ns);
    lane->canary_bit = canary_bit;
    lane->resume_ns = now_ns;
    lane->state = LANE_PAUSE;
    return lane;
}

void lane_free(struct lane *lane)
{
    if (!lane)
        return;
    free(lane->bits);
    free(lane);
}

/* The host's part of a block moves into a block of its own. */
static void move_pending(struct scan_block *from, uint32_t slot, struct scan_block *to)
{
    to->slots[0].open = from->slots[slot].open;
    for (uint32_t spec = 0; spec < from->block.spec_count; spec++)
        if (!bitset_get(from->block.pending, scan_block_bit(from, slot, spec)))
            bitset_clear(to->block.pending, spec);
    /* Answers to what was asked before are welcome still. */
    for (unsigned i = 0; i < TOKEN_TRIES_MAX; i++)
        to->first_sent_ns[i] = from->first_sent_ns[0];
    to->try_number = TOKEN_TRY_CANARY;
    to->started_ns = from->started_ns;
    from->slots[slot].record = HOST_RECORD_NONE; /* it went along */
    scan_block_drop_host(from, slot, false);
}

bool lane_open(struct engine *engine, struct scan_block *from, uint32_t slot)
{
    struct waiting_host host = {from->hosts[slot], from->slots[slot].record};
    struct host_record *record = host_table_get(&engine->hosts, host.record);
    struct scan_block *scan_block = intake_make_block(engine, BLOCK_PORTS, &host, 1);
    if (!scan_block)
        return false;
    scan_block->lane = lane_new(from->block.spec_count, record->canary_spec, engine->now_ns);
    if (!scan_block->lane) {
        scan_block->open_hosts = 0; /* an empty block: it goes at the next turn */
        return false;
    }
    scan_block->lane->try_number = from->try_number;
    scan_block->phase = PHASE_LANE;
    scan_block->wake_ns = engine->now_ns;
    move_pending(from, slot, scan_block);
    return true;
}

static int64_t rto_ns(struct engine *engine, const struct scan_block *scan_block)
{
    const struct host_record *record = host_table_get(&engine->hosts, scan_block->slots[0].record);
    return record && record->rtt.has_sample ? record->rtt.rto_ns : engine->rtt_limits.initial_rto_ns;
}

/* Everything pending, in the block's order: early ports first. */
static void start_cycle(struct engine *engine, struct scan_block *scan_block)
{
    struct lane *lane = scan_block->lane;
    lane->bit_count = lane->next_bit = 0;
    lane->answers = 0;
    for (uint64_t i = 0; i < block_probe_count(&scan_block->block); i++) {
        uint64_t bit = block_bit_at(&scan_block->block, i);
        if (bitset_get(scan_block->block.pending, bit))
            lane->bits[lane->bit_count++] = bit;
    }
    lane->try_number = (uint8_t)((lane->try_number + 1) % TOKEN_TRY_CANARY);
    lane->began_ns = engine->now_ns;
    lane->state = LANE_CYCLE;
}

static void pause_until(struct lane *lane, int64_t resume_ns)
{
    lane->state = LANE_PAUSE;
    lane->resume_ns = resume_ns;
}

static bool is_quiet_enough(struct engine *engine, const struct scan_block *scan_block)
{
    const struct lane *lane = scan_block->lane;
    return lane->quiet_cycles > engine->config.timing.max_retries ||
           silence_is_certain(engine, scan_block, &scan_block->slots[0], lane->quiet_cycles);
}

static void end_cycle(struct engine *engine, struct scan_block *scan_block)
{
    struct lane *lane = scan_block->lane;
    int64_t full_ns = lane->limiter.last_answer_ns + limiter_sure_wait_ns(&lane->limiter);
    int64_t token_ns = lane->limiter.last_answer_ns + (int64_t)lane->limiter.period_ns;
    int64_t soon_ns = engine->now_ns + (int64_t)(lane->limiter.period_ns / CYCLES_PER_TOKEN);
    if (lane->answers) {
        lane->quiet_cycles = 0;
        start_cycle(engine, scan_block);
    } else if (lane->began_ns < full_ns) {
        /* The bucket was perhaps empty: this cycle says nothing. */
        lane->quiet_cycles = 0;
        pause_until(lane, token_ns > soon_ns ? token_ns : soon_ns < full_ns ? soon_ns : full_ns);
    } else {
        lane->quiet_cycles++;
        if (is_quiet_enough(engine, scan_block)) {
            lane->state = LANE_CANARY;
            lane->canaries_sent = 0;
            lane->canary_answered = false;
        } else {
            pause_until(lane, engine->now_ns + rto_ns(engine, scan_block));
        }
    }
}

/* Probes whose time is over were silent: what was promised to them is free again. */
static void expire(struct engine *engine, struct scan_block *scan_block)
{
    struct lane *lane = scan_block->lane;
    int64_t oldest_ns = engine->now_ns - rto_ns(engine, scan_block);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < lane->waiting_count; i++) {
        if (lane->waiting[i].sent_ns > oldest_ns)
            lane->waiting[kept++] = lane->waiting[i];
        else
            limiter_silent(&lane->limiter);
    }
    lane->waiting_count = kept;
}

/* After a cycle without an answer the next is likely to be silent, too, and uses no tokens: it need not wait for any. */
static uint32_t cycle_allowance(struct engine *engine, struct lane *lane)
{
    uint32_t window = LANE_WINDOW - lane->waiting_count;
    uint32_t allowance = limiter_allowance(&lane->limiter, engine->now_ns);
    if (lane->quiet_cycles > 0 && lane->answers == 0)
        allowance = window;
    uint32_t left = lane->bit_count - lane->next_bit;
    uint32_t paced = pacer_allowance(&engine->pacer, engine->now_ns);
    allowance = allowance < window ? allowance : window;
    allowance = allowance < left ? allowance : left;
    return allowance < paced ? allowance : paced;
}

static void go_on_with_cycle(struct engine *engine, struct scan_block *scan_block)
{
    struct lane *lane = scan_block->lane;
    uint32_t allowance = cycle_allowance(engine, lane);
    if (allowance) {
        uint32_t first = lane->waiting_count;
        for (uint32_t i = 0; i < allowance; i++)
            lane->waiting[first + i] = (struct lane_probe){lane->bits[lane->next_bit + i], engine->now_ns};
        lane->waiting_count += allowance;
        limiter_promise(&lane->limiter, allowance);
        uint64_t bits[LANE_WINDOW];
        for (uint32_t i = 0; i < allowance; i++)
            bits[i] = lane->bits[lane->next_bit + i];
        lane->next_bit += allowance;
        send_bits(engine, scan_block, bits, allowance, lane->try_number);
    }
    if (lane->next_bit == lane->bit_count && lane->waiting_count == 0)
        end_cycle(engine, scan_block);
}

/* The quiet cycles before it count, or none does. */
static void end_canary(struct engine *engine, struct scan_block *scan_block)
{
    struct lane *lane = scan_block->lane;
    if (lane->canary_answered) {
        scan_block->valid_tries = (uint8_t)lane->quiet_cycles;
        if (!silence_is_certain(engine, scan_block, &scan_block->slots[0], lane->quiet_cycles))
            silence_note_cap(engine, scan_block, 0);
        host_finish(engine, scan_block, 0, 0);
        return;
    }
    if (++lane->failed_rounds >= LANE_ROUNDS_MAX) {
        host_finish(engine, scan_block, 0, RECORD_UNFINISHED);
        return;
    }
    lane->quiet_cycles = 0;
    limiter_slow_down(&lane->limiter, engine->now_ns);
    pause_until(lane, engine->now_ns + limiter_sure_wait_ns(&lane->limiter));
}

static void go_on_with_canary(struct engine *engine, struct scan_block *scan_block)
{
    struct lane *lane = scan_block->lane;
    bool waits = lane->canaries_sent && engine->now_ns - lane->canary_sent_ns < rto_ns(engine, scan_block);
    if (lane->canary_answered || (!waits && lane->canaries_sent == LANE_CANARIES)) {
        end_canary(engine, scan_block);
        return;
    }
    if (waits)
        return;
    lane->canaries_sent++;
    lane->canary_sent_ns = engine->now_ns;
    send_bits(engine, scan_block, &lane->canary_bit, 1, TOKEN_TRY_CANARY);
}

static int64_t next_wake_ns(struct engine *engine, const struct scan_block *scan_block)
{
    const struct lane *lane = scan_block->lane;
    int64_t rto = rto_ns(engine, scan_block);
    if (lane->state == LANE_PAUSE)
        return lane->resume_ns;
    if (lane->state == LANE_CANARY)
        return lane->canary_answered ? engine->now_ns : lane->canary_sent_ns + rto;
    int64_t wake_ns = TIME_NEVER;
    if (lane->next_bit < lane->bit_count && lane->waiting_count < LANE_WINDOW) {
        int64_t limiter_ns = limiter_next_ns(&lane->limiter), pacer_ns = pacer_next_ns(&engine->pacer);
        wake_ns = limiter_ns > pacer_ns ? limiter_ns : pacer_ns;
    }
    if (lane->waiting_count && lane->waiting[0].sent_ns + rto < wake_ns)
        wake_ns = lane->waiting[0].sent_ns + rto;
    return wake_ns;
}

void lane_run(struct engine *engine, struct scan_block *scan_block)
{
    struct lane *lane = scan_block->lane;
    if (lane->state == LANE_PAUSE && lane->resume_ns <= engine->now_ns)
        start_cycle(engine, scan_block);
    expire(engine, scan_block);
    if (lane->state == LANE_CYCLE)
        go_on_with_cycle(engine, scan_block);
    else if (lane->state == LANE_CANARY)
        go_on_with_canary(engine, scan_block);
    if (scan_block->open_hosts)
        scan_block->wake_ns = next_wake_ns(engine, scan_block);
}

void lane_answered(struct engine *engine, struct scan_block *scan_block, uint64_t bit, bool limited)
{
    struct lane *lane = scan_block->lane;
    uint32_t i = 0;
    while (i < lane->waiting_count && lane->waiting[i].bit != bit)
        i++;
    if (i < lane->waiting_count) {
        struct host_record *record = host_table_get(&engine->hosts, scan_block->slots[0].record);
        if (record) /* the answer of a lane's probe tells the round trip even if it names nothing but a port */
            rtt_sample(&record->rtt, &engine->rtt_limits, engine->now_ns - lane->waiting[i].sent_ns);
        lane->waiting[i] = lane->waiting[--lane->waiting_count];
    } else {
        limiter_promise(&lane->limiter, 1); /* it was late: its token had been given back */
    }
    if (limited) {
        limiter_answered(&lane->limiter, engine->now_ns);
        lane->answers++;
        lane->failed_rounds = 0;
    } else {
        limiter_untouched(&lane->limiter);
    }
    scan_block->wake_ns = engine->now_ns;
}

void lane_canary_answered(struct engine *engine, struct scan_block *scan_block)
{
    struct lane *lane = scan_block->lane;
    struct host_record *record = host_table_get(&engine->hosts, scan_block->slots[0].record);
    if (lane->state != LANE_CANARY || lane->canaries_sent == 0 || lane->canary_answered)
        return;
    lane->canary_answered = true;
    limiter_promise(&lane->limiter, 1);
    lane->limiter.last_answer_ns = engine->now_ns;
    if (record && lane->canaries_sent == 1)
        rtt_sample(&record->rtt, &engine->rtt_limits, engine->now_ns - lane->canary_sent_ns);
    scan_block->wake_ns = engine->now_ns;
}
