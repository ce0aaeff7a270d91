/* At the end of a sweep: does the host answer still? Then what it leaves unanswered is waited for no longer (see
 * canary_look). And does it limit its answers? A port that is known to draw a reset or an ICMP error is asked again,
 * some times in a row. If that stays silent, the host limits such answers, and the silence of its other ports in this
 * sweep means nothing: it is scanned in a lane of its own from then on. */
#include "base/bitset.h"
#include "engine/internal.h"

/* So many, and at most so many answered on a limited host: a token may come while they are asked. */
#define CANARIES              8
#define CANARIES_PASSED_LIMIT 1

/* Among them are some soundings, which share their bursts of loss: if none of these comes back either, the path lost them all,
 * and nothing is known. Of a host that may answer no soundings that is said once only. */
#define ASKED_PER_HOST (CANARIES + 3)

#define HOSTS_PER_ORDER 32

static struct host_record *record_to_ask(struct engine *engine, const struct scan_block *scan_block,
                                         uint32_t slot)
{
    const struct host_slot *host = &scan_block->slots[slot];
    struct host_record *record =
        host->done || host->open == 0 ? NULL : host_table_get(&engine->hosts, host->record);
    return record && (record->has_canary || record->has_sounding) ? record : NULL;
}

bool canary_begin(struct engine *engine, struct scan_block *scan_block)
{
    if (scan_block->kind != BLOCK_PORTS || engine->config.timing.scan_delay_ns)
        return false;
    scan_block->canary_slot = scan_block->kept_up_slots = 0;
    scan_block->swept_ns = engine->now_ns;
    if (scan_block->first_sent_ns[TOKEN_TRY_CANARY] == TIME_NEVER)
        scan_block->first_sent_ns[TOKEN_TRY_CANARY] = engine->now_ns;
    scan_block->phase = PHASE_CANARY;
    return true;
}

/* The next hosts to ask, as bits; moves canary_slot on. */
static uint32_t collect(struct engine *engine, struct scan_block *scan_block, uint32_t hosts_max,
                        uint64_t *bits)
{
    uint32_t count = 0;
    for (; scan_block->canary_slot < scan_block->block.host_count &&
           count + ASKED_PER_HOST <= hosts_max * ASKED_PER_HOST;
         scan_block->canary_slot++) {
        struct host_record *record = record_to_ask(engine, scan_block, scan_block->canary_slot);
        if (!record)
            continue;
        record->canary_asked = true;
        record->canary_answers = record->canary_soundings = 0;
        record->canary_sent_ns = engine->now_ns;
        uint32_t sounding_spec;
        bool has_sounding = sounding_find_spec(engine, scan_block, record, &sounding_spec);
        uint64_t canary = scan_block_bit(scan_block, scan_block->canary_slot, record->canary_spec);
        for (unsigned i = 0; i < ASKED_PER_HOST; i++) {
            bool sounds = i == 1 || i == ASKED_PER_HOST / 2 || i + 2 == ASKED_PER_HOST;
            if (!sounds && record->has_canary)
                bits[count++] = canary;
            else if (sounds && has_sounding)
                bits[count++] = scan_block_bit(scan_block, scan_block->canary_slot, sounding_spec);
        }
    }
    return count;
}

bool canary_go_on(struct engine *engine, struct scan_block *scan_block, uint32_t allowance)
{
    uint64_t bits[HOSTS_PER_ORDER * ASKED_PER_HOST];
    uint32_t hosts_max = (allowance + ASKED_PER_HOST - 1) / ASKED_PER_HOST;
    uint32_t count =
        collect(engine, scan_block, hosts_max < HOSTS_PER_ORDER ? hosts_max : HOSTS_PER_ORDER, bits);
    if (count)
        send_bits(engine, scan_block,
                  &(struct bits_to_send){.bits = bits, .count = count, .try_number = TOKEN_TRY_CANARY});
    return scan_block->canary_slot < scan_block->block.host_count;
}

bool canary_answered(struct engine *engine, struct scan_block *scan_block, uint32_t slot, uint32_t spec)
{
    struct host_record *record = host_table_get(&engine->hosts, scan_block->slots[slot].record);
    if (!record || !record->canary_asked || !record->has_canary || record->canary_spec != spec)
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

enum canary_verdict canary_judge(struct host_record *record)
{
    if (!record || !record->canary_asked)
        return CANARY_FINE;
    record->canary_asked = false;
    if (!record->has_canary || record->canary_answers > CANARIES_PASSED_LIMIT)
        return CANARY_FINE;
    if (record->canary_soundings > 0)
        return CANARY_LIMITED;
    bool failed_before = record->canary_failed;
    record->canary_failed = true;
    return record->has_sounding || !failed_before ? CANARY_UNCLEAR : CANARY_LIMITED;
}
