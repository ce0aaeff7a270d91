/* At the end of a sweep: does the host answer still? Then what it leaves unanswered is waited for no longer
 * (see canary_look). And does it limit its answers? A port that is known to draw a reset or an ICMP error is
 * asked again, some times in a row, and ports whose service answered, once each. If the first stays silent,
 * the host limits such answers; if the services do, somebody drops our probes. In both cases the silence of
 * its other ports in this sweep means nothing: it is scanned in a block of its own from then on, in a lane or
 * calmly. */
#include <math.h>

#include "base/bitset.h"
#include "engine/internal.h"

/* So many, and at most so many answered on a limited host: a token may come while they are asked. */
#define CANARIES              8
#define CANARIES_PASSED_LIMIT 1

/* Among them are some soundings, which share their bursts of loss: if none of these comes back either, the
 * path lost them all, and nothing is known. */
#define SOUNDINGS      3
#define ASKED_PER_HOST (CANARIES + SERVICES_MAX + SOUNDINGS)
_Static_assert(ASKED_PER_HOST == RATE_BURST, "the rate is to know what leaves at once");

/* Services are silent when at most one in so many answers. They are asked once each, so bursts of loss may
 * take them and leave a sounding: that is believed after two sweeps only. */
#define SERVICES_PER_ANSWER 4

/* So many in a row are believed, where it is not sure that it was not the path, or more, if the path loses
 * all of as many with a greater chance than that; and so many where it seems that it was: it may be that
 * everything is dropped that comes too fast. */
#define FAILURES_UNSURE        2
#define FAILURES_LOST          5
#define FAILURES_BY_CHANCE_MAX 0.01

/* All canaries of a host taken together: its services are lost more often than the soundings among them when
 * they are by so many standard deviations. Some tokens come while canaries are sent, so that not all of them
 * are silent. */
#define DEVIATIONS 4.0

#define BITS_PER_ORDER 512

static bool is_service(const struct host_record *record, uint32_t spec)
{
    for (unsigned i = 0; i < record->service_count; i++)
        if (record->services[i] == spec)
            return true;
    return false;
}

static struct host_record *record_to_ask(struct engine *engine, const struct scan_block *scan_block,
                                         uint32_t slot)
{
    const struct host_slot *host = &scan_block->slots[slot];
    struct host_record *record =
        host->done || host->open == 0 ? NULL : host_table_get(&engine->hosts, host->record);
    return record && (record->has_canary || record->service_count || record->has_sounding) ? record : NULL;
}

bool canary_begin(struct engine *engine, struct scan_block *scan_block)
{
    if (scan_block->kind != BLOCK_PORTS || engine->config.timing.scan_delay_ns)
        return false;
    scan_block->canary_slot = scan_block->canary_bit = scan_block->kept_up_slots = 0;
    scan_block->swept_ns = engine->now_ns;
    if (scan_block->first_sent_ns[TOKEN_TRY_CANARY] == TIME_NEVER)
        scan_block->first_sent_ns[TOKEN_TRY_CANARY] = engine->now_ns;
    scan_block->phase = PHASE_CANARY;
    return true;
}

/* What one host is asked, as bits: soundings at the start, in the middle and at the end. */
static uint32_t collect_of_host(const struct engine *engine, struct scan_block *scan_block,
                                const struct host_record *record, uint64_t *bits)
{
    uint32_t count = 0, slot = scan_block->canary_slot, sounding_spec;
    bool has_sounding = sounding_find_spec(engine, scan_block, record, &sounding_spec);
    for (unsigned i = 0; i < CANARIES; i++) {
        if (has_sounding && (i == 1 || i == CANARIES / 2 || i + 1 == CANARIES))
            bits[count++] = scan_block_bit(scan_block, slot, sounding_spec);
        if (record->canary_was_known)
            bits[count++] = scan_block_bit(scan_block, slot, record->canary_spec);
        bool is_sounding = has_sounding && record->services[i] == sounding_spec;
        if (i < record->services_asked && !is_sounding)
            bits[count++] = scan_block_bit(scan_block, slot, record->services[i]);
    }
    return count;
}

static void begin_host(struct engine *engine, struct host_record *record)
{
    record->canary_asked = true;
    record->canary_was_known = record->has_canary;
    record->canary_answers = record->canary_soundings = record->services_back = 0;
    record->services_asked = record->service_count;
    record->canary_had_soundings = record->has_sounding && !is_service(record, record->sounding_spec);
    record->canary_sent_ns = engine->now_ns;
}

/* The next to ask, as bits, so many at most. Moves canary_slot and canary_bit on. */
static uint32_t collect(struct engine *engine, struct scan_block *scan_block, uint32_t most, uint64_t *bits)
{
    uint32_t count = 0;
    while (scan_block->canary_slot < scan_block->block.host_count && count < most) {
        struct host_record *record = record_to_ask(engine, scan_block, scan_block->canary_slot);
        uint64_t all[ASKED_PER_HOST];
        if (record && scan_block->canary_bit == 0 && !record->canary_asked)
            begin_host(engine, record);
        uint32_t all_count = record ? collect_of_host(engine, scan_block, record, all) : 0;
        while (scan_block->canary_bit < all_count && count < most)
            bits[count++] = all[scan_block->canary_bit++];
        if (scan_block->canary_bit >= all_count) {
            scan_block->canary_slot++;
            scan_block->canary_bit = 0;
        }
    }
    return count;
}

/* All of a host if that does not stand in a queue for long: whoever lets few packets through at once shows it
 * then. */
static uint32_t at_once(const struct path *path, uint32_t allowance)
{
    bool bears_all = rate_bears_burst(&path->rate, ASKED_PER_HOST);
    return allowance < ASKED_PER_HOST && bears_all ? ASKED_PER_HOST : allowance;
}

bool canary_go_on(struct engine *engine, struct scan_block *scan_block, uint32_t allowance)
{
    uint64_t bits[BITS_PER_ORDER];
    uint32_t first_slot = scan_block->canary_slot, first_bit = scan_block->canary_bit, sent = 0;
    uint32_t most = at_once(path_of(engine, scan_block), allowance);
    uint32_t count = collect(engine, scan_block, most < BITS_PER_ORDER ? most : BITS_PER_ORDER, bits);
    if (count)
        sent =
            send_bits(engine, scan_block,
                      &(struct bits_to_send){.bits = bits, .count = count, .try_number = TOKEN_TRY_CANARY});
    paths_asked_known(engine, scan_block, sent);
    if (sent < count) { /* the others are the next */
        scan_block->canary_slot = first_slot;
        scan_block->canary_bit = first_bit;
        collect(engine, scan_block, sent, bits);
    }
    return scan_block->canary_slot < scan_block->block.host_count;
}

bool canary_answered(struct engine *engine, struct scan_block *scan_block, uint32_t slot, uint32_t spec)
{
    struct host_record *record = host_table_get(&engine->hosts, scan_block->slots[slot].record);
    if (!record || !record->canary_asked || !record->canary_was_known || record->canary_spec != spec)
        return false;
    if (record->canary_answers++ == 0 && !record->rtt.has_sample) {
        scan_block->timed_anew = true;
        rtt_sample(&record->rtt, &engine->rtt_limits, engine->now_ns - record->canary_sent_ns);
    }
    return true;
}

/* Answers tell when their probes left only to TOKEN_TIME_STEP_NS. */
static bool has_kept_up(struct engine *engine, const struct scan_block *scan_block,
                        const struct host_slot *slot)
{
    const struct host_record *record = host_table_get(&engine->hosts, slot->record);
    return slot->done || (record && record->answered_ns >= scan_block->swept_ns - TOKEN_TIME_STEP_NS);
}

void canary_look(struct engine *engine, struct scan_block *scan_block)
{
    uint32_t host_count = scan_block->block.host_count, slot = scan_block->kept_up_slots;
    if (scan_block->phase != PHASE_WAIT || scan_block->swept_ns == 0 || !engine->answers_are_prompt ||
        slot == host_count)
        return;
    while (slot < host_count && has_kept_up(engine, scan_block, &scan_block->slots[slot]))
        slot++;
    scan_block->kept_up_slots = slot;
    if (slot == host_count)
        scan_block->timed_anew = true;
}

void canary_service_answered(struct engine *engine, struct scan_block *scan_block,
                             const struct canary_answer *answer)
{
    struct host_record *record = host_table_get(&engine->hosts, scan_block->slots[answer->slot].record);
    if (!record || !record->canary_asked || answer->sent_ns < record->canary_sent_ns - TOKEN_TIME_STEP_NS)
        return;
    for (unsigned i = 0; i < record->services_asked; i++)
        if (record->services[i] == answer->spec)
            record->services_back |= (uint8_t)(1u << i);
}

void canary_learn_limited(struct host_record *record, uint32_t spec, bool is_error)
{
    record->sends_errors |= is_error;
    if (record->has_canary && (record->canary_draws_icmp || !is_error))
        return;
    if (record->has_canary && record->canary_asked) {
        record->has_next_canary = true;
        record->next_canary_spec = spec;
        return;
    }
    record->has_canary = true;
    record->canary_spec = spec;
    record->canary_draws_icmp = is_error;
}

/* Whether errors still come is not known before the port that drew one was asked: not in this sweep. */
static enum canary_verdict take_next(struct host_record *record)
{
    record->has_next_canary = false;
    record->canary_spec = record->next_canary_spec;
    record->canary_draws_icmp = true;
    return CANARY_UNCLEAR;
}

void canary_learn_service(struct host_record *record, uint32_t spec)
{
    if (record->service_count < SERVICES_MAX)
        record->services[record->service_count++] = spec;
}

static unsigned services_back(const struct host_record *record)
{
    unsigned back = 0;
    for (unsigned i = 0; i < record->services_asked; i++)
        back += record->services_back >> i & 1u;
    return back;
}

/* By how much the share of resets that came back falls behind that of what was asked among them. */
static void compare_resets(struct host_record *record, unsigned others, unsigned others_back)
{
    if (!record->canary_was_known || others == 0)
        return;
    unsigned resets = record->canary_answers < CANARIES ? record->canary_answers : CANARIES;
    double behind = (double)others_back / others - (double)resets / CANARIES;
    record->resets_behind += behind;
    record->resets_behind_squares += behind * behind;
}

static void count_all(struct host_record *record)
{
    unsigned soundings = record->canary_had_soundings ? SOUNDINGS : 0;
    unsigned back = record->canary_soundings < soundings ? record->canary_soundings : soundings;
    unsigned services = record->services_asked, of_services = services_back(record);
    record->services_tried += services;
    record->services_lost += services - of_services;
    record->soundings_tried += soundings;
    record->soundings_lost += soundings - back;
    compare_resets(record, services + soundings, of_services + back);
}

/* Do resets stay away, sweep for sweep, more often than what shares their bursts of loss? A limiter not much
 * slower than the path answers some canaries of each sweep. */
static bool resets_are_limited(const struct host_record *record)
{
    return record->resets_behind > DEVIATIONS * sqrt(record->resets_behind_squares);
}

/* Does somebody drop what services are asked, and lets the soundings through that are sent at the same time?
 * One burst takes all services of a sweep, or none, so that their number varies as if each sweep had asked
 * one. */
static bool is_selective(const struct host_record *record, double path_loss)
{
    double share = (record->soundings_lost + 1.0) / (record->soundings_tried + 2.0); /* at most, nearly */
    share = share > path_loss ? share : path_loss;
    double expected = share * record->services_tried;
    return record->soundings_tried > 0 &&
           record->services_lost >
               expected + DEVIATIONS * sqrt(expected * (1 - share) * record->services_asked);
}

/* What did not come back; CANARY_FINE: nothing in particular. */
static enum canary_verdict what_is_silent(const struct host_record *record)
{
    bool services_silent =
        record->services_asked > 0 && services_back(record) * SERVICES_PER_ANSWER <= record->services_asked;
    bool canary_silent = record->canary_was_known && record->canary_answers <= CANARIES_PASSED_LIMIT;
    if (services_silent && (canary_silent || !record->canary_was_known))
        return CANARY_POLICED;
    return canary_silent ? CANARY_LIMITED : CANARY_FINE;
}

/* One burst takes all services that are asked at once, or none: together they are one try. */
static void count_loss(struct host_record *record)
{
    if (record->services_asked > 0)
        loss_count(&record->loss, 1, 1 - (double)services_back(record) / record->services_asked);
}

bool canary_is_silence(struct engine *engine, const struct scan_block *scan_block)
{
    bool asked = false;
    for (uint32_t slot = 0; slot < scan_block->block.host_count; slot++) {
        const struct host_record *record = host_table_get(&engine->hosts, scan_block->slots[slot].record);
        if (!record || !record->canary_asked)
            continue;
        if (record->canary_answers || record->canary_soundings || record->services_back)
            return false;
        asked = true;
    }
    return asked;
}

void canary_forget(struct engine *engine, struct scan_block *scan_block)
{
    const struct path *path = path_of(engine, scan_block);
    for (uint32_t slot = 0; slot < scan_block->block.host_count; slot++) {
        struct host_record *record = host_table_get(&engine->hosts, scan_block->slots[slot].record);
        if (record && path_was_overrun(path, record->canary_sent_ns))
            record->canary_asked = false;
    }
}

/* How many sweeps without an answer are believed. */
static unsigned failures_believed(const struct host_record *record, double path_loss)
{
    unsigned failures = FAILURES_UNSURE;
    if (record->canary_soundings == 0 && record->canary_had_soundings)
        return FAILURES_LOST;
    while (failures < FAILURES_LOST && pow(path_loss, failures) > FAILURES_BY_CHANCE_MAX)
        failures++;
    return failures;
}

enum canary_verdict canary_judge(struct host_record *record, double path_loss)
{
    if (!record || !record->canary_asked)
        return CANARY_FINE;
    record->canary_asked = false;
    count_all(record);
    if (record->has_next_canary)
        return take_next(record);
    if (is_selective(record, path_loss))
        return CANARY_POLICED;
    enum canary_verdict verdict = what_is_silent(record);
    if (verdict == CANARY_FINE) {
        count_loss(record);
        record->canary_failures = 0;
        if (resets_are_limited(record)) {
            record->answers_limited = record->services_asked > 0;
            return CANARY_LIMITED;
        }
        return verdict;
    }
    record->answers_limited = verdict == CANARY_LIMITED && record->services_asked > 0;
    if (record->canary_soundings > 0 && verdict == CANARY_LIMITED)
        return verdict;
    record->canary_failures++;
    return record->canary_failures < failures_believed(record, path_loss) ? CANARY_UNCLEAR : verdict;
}
