#include "engine/limited/lane.h"

#include "base/bitset.h"
#include "engine/internal.h"
#include "engine/limited/own_block.h"

/* Canaries in a row before their silence is believed: single ones may be lost. */
#define LANE_CANARIES 3

/* A host that answers no canary for so many rounds is not there any more. */
#define LANE_ROUNDS_MAX 8

/* The first gap is cut short by the start: the median of so many is none of that. */
#define GAPS_MIN 3

/* Silent cycles are tries: a burst of loss takes all that are not so far apart. */
#define QUIET_APART_NS (50 * MSEC)

/* While a token is waited for, everything is asked so often in the time that one takes. */
#define CYCLES_PER_TOKEN 8

/* Resets are limited for everybody together: only ICMP errors come faster to several addresses. */
static struct lane *new_lane(struct engine *engine, const struct scan_block *from, uint32_t slot,
                             const struct host_record *record)
{
    const struct source_pool *pool = record->canary_draws_icmp ? engine->config.pool : NULL;
    uint16_t first = 0;
    uint32_t count = pool ? source_pool_of(pool, block_host(&from->block, slot).family, &first) : 0;
    struct lane *lane = lane_new(from->block.spec_count, first, count, engine->now_ns);
    if (!lane)
        return NULL;
    lane->canary_bit = record->canary_spec; /* of a block with one host */
    lane->try_number = from->try_number;
    return lane;
}

bool lane_open(struct engine *engine, struct scan_block *from, uint32_t slot)
{
    struct host_record *record = host_table_get(&engine->hosts, from->slots[slot].record);
    struct lane *lane = new_lane(engine, from, slot, record);
    struct scan_block *scan_block = lane ? own_block_make(engine, from, slot) : NULL;
    if (!scan_block) {
        lane_free(lane);
        return false;
    }
    scan_block->lane = lane;
    record->loss = (struct loss){0}; /* was the limiter's */
    engine->account.hosts_limited++;
    struct addr addr = block_host(&scan_block->block, 0);
    emit_note(engine, NOTE_LIMITED, &addr, record->canary_draws_icmp, 0);
    return true;
}

/* Everything pending, in the block's order: early ports first. */
static void start_cycle(struct engine *engine, struct scan_block *scan_block)
{
    struct lane *lane = scan_block->lane;
    lane->bit_count = lane->next_bit = 0;
    lane->answers = 0;
    lane->is_void = false;
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
           (lane->quiet_cycles >= remainder_tries(scan_block, 0) &&
            silence_is_certain(engine, scan_block, &scan_block->slots[0], lane->quiet_cycles));
}

/* What was silent so far does not count. A host that no round is of use with is given up. */
static void end_round(struct engine *engine, struct scan_block *scan_block)
{
    struct lane *lane = scan_block->lane;
    if (++lane->failed_rounds >= LANE_ROUNDS_MAX) {
        host_finish(engine, scan_block, 0, RECORD_UNFINISHED);
        return;
    }
    lane->quiet_cycles = 0;
    pause_until(lane, engine->now_ns + limiter_sure_wait_ns(&lane->limiter));
}

/* When there is a token again for sure. Resets and ICMP errors have buckets of their own, and the slower
 * counts. */
static int64_t sure_ns(const struct lane *lane)
{
    int64_t all_ns = lane->limiter.last_answer_ns + limiter_sure_wait_ns(&lane->limiter);
    int64_t errors_ns = lane->errors.last_answer_ns + limiter_sure_wait_ns(&lane->errors);
    return lane->errors.answers && errors_ns > all_ns ? errors_ns : all_ns;
}

/* That another one takes. */
static int64_t period_ns(const struct lane *lane)
{
    bool errors_slower = lane->errors.answers && lane->errors.period_ns > lane->limiter.period_ns;
    return (int64_t)(errors_slower ? lane->errors.period_ns : lane->limiter.period_ns);
}

static void end_cycle(struct engine *engine, struct scan_block *scan_block)
{
    struct lane *lane = scan_block->lane;
    int64_t full_ns = sure_ns(lane);
    int64_t token_ns = lane->limiter.last_answer_ns + (int64_t)lane->limiter.period_ns;
    int64_t soon_ns = engine->now_ns + (int64_t)(lane->limiter.period_ns / CYCLES_PER_TOKEN);
    bool was_alone = lane->alone;
    lane->alone = lane->answers == 0 || lane->pool.count == 0;
    if (lane->is_void) {
        end_round(engine, scan_block);
    } else if (lane->answers) {
        lane->quiet_cycles = 0;
        start_cycle(engine, scan_block);
    } else if (lane->began_ns < full_ns || !was_alone) {
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
            /* This one may have taken the token, and its answer was lost: the next needs one of its own. That
             * it is there need not be sure, for the canary comes last, and needs one, too. */
            int64_t next_token_ns = engine->now_ns + period_ns(lane),
                    apart_ns = lane->began_ns + QUIET_APART_NS;
            pause_until(lane, next_token_ns > apart_ns ? next_token_ns : apart_ns);
        }
    }
}

/* Probes whose time is over were silent: what was promised to them is free again. */
static void expire(struct engine *engine, struct scan_block *scan_block)
{
    struct lane *lane = scan_block->lane;
    int64_t oldest_ns = engine->now_ns - own_block_rto_ns(engine, scan_block);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < lane->waiting_count; i++) {
        if (lane->waiting[i].sent_ns > oldest_ns)
            lane->waiting[kept++] = lane->waiting[i];
        else if (lane->waiting[i].source)
            lane_pool_silent(&lane->pool, lane->waiting[i].source);
        else
            limiter_silent(&lane->limiter);
    }
    lane->waiting_count = kept;
}

/* How many more probes may wait for their answers, are left in the cycle, and may leave at all. */
static uint32_t cap(struct engine *engine, struct scan_block *scan_block, uint32_t allowance)
{
    const struct lane *lane = scan_block->lane;
    uint32_t window = lane->waiting_max - lane->waiting_count;
    uint32_t left = lane->bit_count - lane->next_bit;
    uint32_t paced = allowance_of(engine, scan_block);
    allowance = allowance < LANE_WINDOW ? allowance : LANE_WINDOW;
    allowance = allowance < window ? allowance : window;
    allowance = allowance < left ? allowance : left;
    return allowance < paced ? allowance : paced;
}

/* waiting_count: it does not wait. */
static uint32_t find_waiting(const struct lane *lane, uint64_t bit)
{
    uint32_t i = 0;
    while (i < lane->waiting_count && lane->waiting[i].bit != bit)
        i++;
    return i;
}

/* The last so many probes of the cycle could not leave: they are its next again, and need their tokens
 * later. */
static void take_back(struct lane *lane, uint16_t source, uint32_t count)
{
    for (; count > 0; count--) {
        uint32_t i = find_waiting(lane, lane->bits[--lane->next_bit]);
        if (i == lane->waiting_count)
            continue; /* an earlier try of it was answered just now */
        lane->waiting[i] = lane->waiting[--lane->waiting_count];
        if (source)
            lane_pool_untouched(&lane->pool, source);
        else
            limiter_untouched(&lane->limiter);
    }
}

/* The next probes of the cycle, from one of our addresses. */
static void send_from(struct engine *engine, struct scan_block *scan_block, uint16_t source, uint32_t count)
{
    struct lane *lane = scan_block->lane;
    uint64_t bits[LANE_WINDOW];
    for (uint32_t i = 0; i < count; i++) {
        bits[i] = lane->bits[lane->next_bit++];
        lane->waiting[lane->waiting_count++] = (struct lane_probe){bits[i], engine->now_ns, source};
    }
    if (source)
        lane_pool_promise(&lane->pool, source, count);
    else
        limiter_promise(&lane->limiter, count);
    uint32_t sent =
        send_bits(engine, scan_block, &(struct bits_to_send){bits, count, lane->try_number, source});
    take_back(lane, source, count - sent);
}

/* How long a token takes, as the usual address has seen it. 0: not known. */
static double known_period_ns(const struct lane *lane)
{
    return lane->limiter.gap_count >= GAPS_MIN ? lane->limiter.period_ns : 0;
}

static void send_from_pool(struct engine *engine, struct scan_block *scan_block)
{
    struct lane *lane = scan_block->lane;
    uint16_t source;
    uint32_t allowance;
    while (cap(engine, scan_block, 1) &&
           lane_pool_next(&lane->pool, known_period_ns(lane), engine->now_ns, &source, &allowance))
        send_from(engine, scan_block, source, cap(engine, scan_block, allowance));
}

static void go_on_with_cycle(struct engine *engine, struct scan_block *scan_block)
{
    struct lane *lane = scan_block->lane;
    /* After a cycle without an answer the next is likely to be silent, too, and uses no tokens: it need not
     * wait for any. */
    bool silent = lane->quiet_cycles > 0 && lane->answers == 0;
    uint32_t allowance = limiter_allowance(&lane->limiter, engine->now_ns);
    allowance = cap(engine, scan_block, silent ? LANE_WINDOW : allowance);
    if (allowance)
        send_from(engine, scan_block, 0, allowance);
    if (!lane->alone)
        send_from_pool(engine, scan_block);
    if (lane->next_bit == lane->bit_count && lane->waiting_count == 0)
        end_cycle(engine, scan_block);
}

/* The quiet cycles before it count, or none does. */
static void end_canary(struct engine *engine, struct scan_block *scan_block)
{
    struct lane *lane = scan_block->lane;
    if (lane->canary_answered) {
        scan_block->valid_tries = (uint8_t)lane->quiet_cycles;
        bool certain = silence_is_certain(engine, scan_block, &scan_block->slots[0], lane->quiet_cycles);
        if (calm_doubts_lane(engine, scan_block) && calm_begin(engine, scan_block))
            return;
        host_finish_asked(engine, scan_block, 0, certain);
        return;
    }
    limiter_slow_down(&lane->limiter, engine->now_ns);
    end_round(engine, scan_block);
}

static void go_on_with_canary(struct engine *engine, struct scan_block *scan_block)
{
    struct lane *lane = scan_block->lane;
    bool waits =
        lane->canaries_sent && engine->now_ns - lane->canary_sent_ns < own_block_rto_ns(engine, scan_block);
    if (lane->canary_answered || (!waits && lane->canaries_sent == LANE_CANARIES)) {
        end_canary(engine, scan_block);
        return;
    }
    if (waits)
        return;
    lane->canaries_sent++;
    lane->canary_sent_ns = engine->now_ns;
    if (send_bits(engine, scan_block, &(struct bits_to_send){&lane->canary_bit, 1, TOKEN_TRY_CANARY, 0}))
        return;
    lane->canaries_sent--;
    /* As if it were due when something may leave again. */
    lane->canary_sent_ns = may_send_ns(engine, scan_block) - own_block_rto_ns(engine, scan_block);
}

static int64_t next_wake_ns(struct engine *engine, const struct scan_block *scan_block)
{
    const struct lane *lane = scan_block->lane;
    int64_t rto = own_block_rto_ns(engine, scan_block);
    if (lane->state == LANE_PAUSE)
        return lane->resume_ns;
    if (lane->state == LANE_CANARY)
        return lane->canary_answered ? engine->now_ns : lane->canary_sent_ns + rto;
    int64_t wake_ns = TIME_NEVER;
    if (lane->next_bit < lane->bit_count && lane->waiting_count < lane->waiting_max) {
        int64_t limiter_ns = limiter_next_ns(&lane->limiter), pacer_ns = may_send_ns(engine, scan_block);
        int64_t pool_ns = lane->alone ? TIME_NEVER : lane_pool_next_ns(&lane->pool, known_period_ns(lane));
        limiter_ns = pool_ns < limiter_ns ? pool_ns : limiter_ns;
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
    if (scan_block->open_hosts && scan_block->lane)
        scan_block->wake_ns = next_wake_ns(engine, scan_block);
}

/* The bucket that an answer took a token of, or left one in. */
static void use_token(struct lane *lane, uint16_t source, bool limited, int64_t now_ns)
{
    if (source && !limited)
        lane_pool_untouched(&lane->pool, source);
    else if (!source && limited)
        limiter_answered(&lane->limiter, now_ns);
    else if (!source)
        limiter_untouched(&lane->limiter);
}

/* An ICMP error came where resets are limited, too: a canary of its kind says nothing of the others' tokens,
 * nor they of its. */
static void note_error(const struct engine *engine, const struct scan_block *scan_block, uint64_t bit)
{
    struct limiter *errors = &scan_block->lane->errors;
    bool is_error = scan_block->block.specs[bit].technique->protocol != PROTOCOL_TCP;
    if (!is_error || !engine->spec_of_port[PROTOCOL_TCP])
        return;
    errors->was_silent = true; /* it is asked for more often than it has tokens */
    limiter_answered(errors, engine->now_ns);
}

void lane_answered(struct engine *engine, struct scan_block *scan_block, const struct lane_probe *probe,
                   bool limited)
{
    struct lane *lane = scan_block->lane;
    uint16_t source = probe->source;
    uint32_t i = find_waiting(lane, probe->bit);
    if (i < lane->waiting_count) {
        struct host_record *record = host_table_get(&engine->hosts, scan_block->slots[0].record);
        if (record) /* the lane's probe tells the round trip even if its answer names but a port */
            rtt_sample(&record->rtt, &engine->rtt_limits, engine->now_ns - lane->waiting[i].sent_ns);
        source = lane->waiting[i].source;
        lane->waiting[i] = lane->waiting[--lane->waiting_count];
    } else if (!source) {
        limiter_promise(&lane->limiter, 1); /* it was late: its token had been given back */
    }
    use_token(lane, source, limited, engine->now_ns);
    if (limited && !source)
        note_error(engine, scan_block, probe->bit);
    if (limited) {
        lane->answers++;
        lane->failed_rounds = 0;
    }
    scan_block->wake_ns = engine->now_ns;
}

void lane_void(struct engine *engine, struct scan_block *scan_block)
{
    struct lane *lane = scan_block->lane;
    lane->is_void = true;
    lane->quiet_cycles = 0;
    if (lane->state == LANE_CANARY)
        pause_until(lane, engine->now_ns + limiter_sure_wait_ns(&lane->limiter));
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
