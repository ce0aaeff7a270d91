/* What came back: whether it is proved, and what it changes. */
#include "base/bitset.h"
#include "base/time.h"
#include "engine/answer/flow.h"
#include "engine/internal.h"
#include "engine/answer/match.h"
#include "technique/returned.h"

/* What brings back no number brings no time either; but it is known when this sweep came by the probe. Where
 * the try is not told, only the first sweep knows. */
static int64_t round_trip_of_weak(const struct engine *engine, const struct match *match)
{
    const struct scan_block *scan_block = match->scan_block;
    if (match->try_number != scan_block->try_number || (match->try_assumed && scan_block->try_number > 0))
        return 0;
    int64_t sent_ns = scan_block_sent_ns(scan_block, scan_block_bit(scan_block, match->slot, match->spec));
    return sent_ns < engine->now_ns ? engine->now_ns - sent_ns : 0;
}

/* A stack sends its SYN/ACK again when it hears nothing, a second after the first at the earliest (RFC 6298
 * section 2.1): that is how late it seems when the first was lost, or our reset to it. */
#define SYN_ACK_REPEATED_NS (1 * SEC)

static bool may_be_repeated(const struct match *match, const struct verdict *verdict,
                            const struct host_record *record)
{
    bool of_tcp = match->scan_block->block.specs[match->spec].technique->protocol == PROTOCOL_TCP;
    return of_tcp && verdict->rank == RANK_SERVICE && match->rtt_ns >= SYN_ACK_REPEATED_NS && record &&
           record->rtt.has_sample && match->rtt_ns > record->rtt.rto_ns;
}

/* Fold a proved round trip into the host's record, which begins with it. */
static void learn_rtt(struct engine *engine, const struct match *match, const struct addr *addr,
                      const struct verdict *verdict)
{
    struct scan_block *scan_block = match->scan_block;
    struct host_slot *host = &scan_block->slots[match->slot];
    if (match->rtt_ns <= 0 || may_be_repeated(match, verdict, host_table_get(&engine->hosts, host->record)))
        return;
    if (host->record == HOST_RECORD_NONE && !host->done)
        host->record = host_table_take(&engine->hosts, &engine->rtt_limits);

    struct host_record *record = host_table_get(&engine->hosts, host->record);
    bool first_try = scan_block->kind == BLOCK_PORTS && match->try_number == 0 && scan_block->sweep == 0;
    bool apart = scan_block->lane || scan_block->calm; /* at a pace of its own */
    if (!apart)
        path_answered(path_of(engine, scan_block), &engine->rtt_limits, engine->now_ns - match->rtt_ns,
                      match->rtt_ns, record ? record->least_ns : 0, first_try);
    if (!record)
        return;
    /* Canaries go host by host, and tell more of one than of others. */
    if (!apart && (match->try_number != TOKEN_TRY_CANARY || match->spec == scan_block->block.spec_count))
        divide_answered(engine, scan_block, addr, match->rtt_ns, record->least_ns);
    scan_block->timed_anew |= !record->rtt.has_sample;
    if (record->least_ns == 0 || match->rtt_ns < record->least_ns)
        record->least_ns = match->rtt_ns;
    if (engine->now_ns - match->rtt_ns > record->answered_ns)
        record->answered_ns = engine->now_ns - match->rtt_ns;
    bool overrun = path_was_overrun(path_of(engine, scan_block), engine->now_ns - match->rtt_ns);
    if (!record->rtt.has_sample || !overrun)
        rtt_sample(&record->rtt, &engine->rtt_limits, match->rtt_ns);
    if (match->rtt_ns > record->slowest_ns)
        record->slowest_ns = match->rtt_ns;
    bool in_time = match->rtt_ns <= engine->rtt_limits.min_rto_ns; /* the next try was early */
    if (match->try_number < scan_block->try_number && !apart && !in_time)
        record->late = true;
}

/* May this answer end the probe, or must another try say the same? */
static bool settles(struct engine *engine, const struct match *match, uint64_t bit,
                    const struct verdict *verdict)
{
    bool unsure = verdict->rank == RANK_ICMP_SOFT ||
                  (match->weak && verdict->state == PORT_OPEN && verdict->rank == RANK_SERVICE);
    uint32_t block_id = match->scan_block->block.id;
    struct provisional *earlier = provisional_find(&engine->provisional, block_id, bit);
    if (!unsure)
        return true;
    if (!earlier) {
        earlier = provisional_add(&engine->provisional, block_id, bit);
        if (!earlier)
            /* no room to wait for a second answer: an error stands, a weak open does not */
            return !match->weak;
        earlier->try_number = match->try_number;
        earlier->verdict = *verdict;
        earlier->weak = match->weak;
        return false;
    }
    return earlier->try_number != match->try_number;
}

/* Evidence that something better may replace is remembered, as long as there is room. */
static void remember(struct engine *engine, const struct match *match, uint64_t bit,
                     const struct verdict *verdict)
{
    if (verdict->rank >= RANK_RESET)
        return;
    uint32_t block_id = match->scan_block->block.id;
    struct provisional *entry = provisional_find(&engine->provisional, block_id, bit);
    if (!entry)
        entry = provisional_add(&engine->provisional, block_id, bit);
    if (entry) {
        entry->verdict = *verdict;
        entry->final = true;
    }
}

/* Resets and ICMP errors are what hosts limit; errors that may pass, too, if they come from the host
 * itself. */
static bool is_limited_kind(const struct verdict *verdict)
{
    bool is_own = verdict->source.family == ADDR_NONE;
    return verdict->rank == RANK_RESET || verdict->rank == RANK_ICMP_TARGET ||
           (verdict->rank == RANK_ICMP_SOFT && is_own);
}

static void choose_canary(struct engine *engine, const struct match *match, const struct verdict *verdict)
{
    struct host_slot *slot = &match->scan_block->slots[match->slot];
    if (slot->record == HOST_RECORD_NONE)
        slot->record = host_table_take(&engine->hosts, &engine->rtt_limits);
    struct host_record *record = host_table_get(&engine->hosts, slot->record);
    if (record)
        canary_learn_limited(record, match->spec, verdict->rank != RANK_RESET);
}

/* The tries before this one were lost, but for that whose answer this one confirms. */
static void learn_loss(struct engine *engine, const struct match *match, uint64_t bit,
                       const struct addr *host)
{
    const struct scan_block *scan_block = match->scan_block;
    struct host_record *record = host_table_get(&engine->hosts, scan_block->slots[match->slot].record);
    const struct provisional *earlier = provisional_find(&engine->provisional, scan_block->block.id, bit);
    bool confirms = earlier && earlier->try_number != match->try_number;
    unsigned before = scan_block->valid_before[match->try_number];
    unsigned lost = before > 0 ? before - confirms : 0;
    loss_count(&path_of(engine, scan_block)->loss, before + 1, lost);
    divide_tried(engine, scan_block, host, (struct outcomes){before + 1, lost}, false);
    engine->account.tries += before + 1;
    engine->account.tries_lost += lost;
    if (record)
        loss_count(&record->loss, before + 1, lost);
}

static void host_is_up(struct engine *engine, const struct match *match, const struct addr *host,
                       const struct verdict *verdict)
{
    struct scan_block *scan_block = match->scan_block;
    unsigned before = scan_block->valid_before[match->try_number];
    if (scan_block->slots[match->slot].done)
        return;
    if (scan_block->kind == BLOCK_NEIGHBOR)
        loss_count(&path_of(engine, scan_block)->neighbor_loss, before + 1, before);
    else
        learn_loss(engine, match, scan_block_bit(scan_block, match->slot, match->spec), host);
    emit_host_up(engine, host, verdict, match->rtt_ns);
    scan_block_drop_host(scan_block, match->slot, false);
    intake_host_is_up(scan_block, match->slot);
}

void answer_settle(struct engine *engine, const struct match *match, uint64_t bit,
                   const struct verdict *verdict)
{
    struct scan_block *scan_block = match->scan_block;
    struct addr host = block_host(&scan_block->block, match->slot);
    bitset_clear(scan_block->block.pending, bit);
    settled_by(scan_block, bit, verdict);
    bool limited = is_limited_kind(verdict);
    if (scan_block->lane)
        lane_answered(engine, scan_block, &(struct lane_probe){.bit = bit, .source = match->source}, limited);
    else if (scan_block->calm)
        calm_answered(engine, scan_block);
    else
        learn_loss(engine, match, bit, &host);
    remember(engine, match, bit, verdict);
    struct host_record *record = host_table_get(&engine->hosts, scan_block->slots[match->slot].record);
    /* What a UDP service answers to one payload it need not answer to the next. */
    bool answers_again = scan_block->block.specs[match->spec].technique->protocol != PROTOCOL_UDP;
    if (record && verdict->rank == RANK_SERVICE && match->rtt_ns > 0 && answers_again) {
        sounding_learn(record, match->spec, false);
        canary_learn_service(record, match->spec);
    }
    speaker_port_settled(engine, scan_block, match->slot, scan_block->block.specs[match->spec].port, verdict);
    emit_port(engine, &host, &scan_block->block.specs[match->spec], verdict, match->rtt_ns,
              (uint8_t)(match->try_number + 1), match->weak ? RECORD_WEAK : 0);
    if (--scan_block->slots[match->slot].open == 0)
        host_finish(engine, scan_block, match->slot, 0);
}

/* The probe is settled already: only better evidence, or an answer to what was reported silent, changes
 * anything. */
static void reconsider(struct engine *engine, const struct match *match, uint64_t bit,
                       const struct verdict *verdict)
{
    struct scan_block *scan_block = match->scan_block;
    bool done = scan_block->slots[match->slot].done;
    if (bitset_get(scan_block->silent, bit) && !match->weak)
        bitset_clear(scan_block->silent, bit);
    else if (!settled_outweighed(engine, scan_block, bit, verdict, match->weak))
        return;
    settled_by(scan_block, bit, verdict);
    struct addr host = block_host(&scan_block->block, match->slot);
    emit_port(engine, &host, &scan_block->block.specs[match->spec], verdict, match->rtt_ns,
              (uint8_t)(match->try_number + 1), (uint8_t)(RECORD_REPLACES | (done ? RECORD_LATE : 0)));
}

/* The answer to a sounding says that the path is there, and nothing of a port. */
static bool is_sounding(struct engine *engine, const struct match *match)
{
    struct scan_block *scan_block = match->scan_block;
    bool echo = match->spec == scan_block->block.spec_count;
    struct host_record *record = host_table_get(&engine->hosts, scan_block->slots[match->slot].record);
    if (!echo && match->try_number != TOKEN_TRY_CANARY)
        return false;
    if (echo && record)
        sounding_learn(record, match->spec, true);
    int64_t sent_ns = engine->now_ns - match->rtt_ns;
    if (record && record->canary_asked && match->spec == record->sounding_spec &&
        sent_ns >= record->canary_sent_ns - TOKEN_TIME_STEP_NS)
        record->canary_soundings++;
    return sounding_answered(engine, scan_block, match->slot, match->spec, sent_ns);
}

/* An answer of a neighbour names no time; but when the first sweep came by its address is known well enough
 * to see a queue. */
static void learn_way(struct engine *engine, const struct match *match)
{
    int64_t rtt_ns = round_trip_of_weak(engine, match);
    struct path *path = path_of(engine, match->scan_block);
    if (rtt_ns > 0)
        path_answered(path, &engine->rtt_limits, engine->now_ns - rtt_ns, rtt_ns, 0, false);
}

void answer_take(struct engine *engine, const struct match *match, const struct addr *host,
                 const struct verdict *verdict)
{
    struct scan_block *scan_block = match->scan_block;
    uint64_t bit = scan_block_bit(scan_block, match->slot, match->spec);
    engine->answers++;
    paths_answered(engine, scan_block);
    learn_rtt(engine, match, host, verdict);
    if (scan_block->kind == BLOCK_NEIGHBOR)
        learn_way(engine, match);
    if (scan_block->kind != BLOCK_PORTS) {
        if (verdict->state == PORT_OPEN)
            host_is_up(engine, match, host, verdict);
        return;
    }
    bool asked_again = match->try_number == TOKEN_TRY_CANARY && match->spec < scan_block->block.spec_count;
    int64_t sent_ns = engine->now_ns - match->rtt_ns;
    if (asked_again && scan_block->calm && calm_canary_answered(engine, scan_block, match->spec, sent_ns))
        return;
    if (asked_again)
        canary_service_answered(engine, scan_block,
                                &(struct canary_answer){match->slot, match->spec, sent_ns});
    if (is_sounding(engine, match))
        return;
    if (!bitset_get(scan_block->block.pending, bit)) {
        if (scan_block->lane && bit == scan_block->lane->canary_bit && match->source == 0)
            lane_canary_answered(engine, scan_block);
        else if (!canary_answered(engine, scan_block, match->slot, match->spec))
            reconsider(engine, match, bit, verdict);
        return;
    }
    if (is_limited_kind(verdict))
        choose_canary(engine, match, verdict);
    if (settles(engine, match, bit, verdict))
        answer_settle(engine, match, bit, verdict);
}

uint16_t answer_source(const struct engine *engine, const struct addr *local)
{
    return engine->config.pool ? source_pool_find(engine->config.pool, local) : 0;
}

/* Is it an answer to a probe of this block? */
static bool answer_in_block(struct engine *engine, struct scan_block *scan_block, uint64_t position,
                            const struct flow *flow, const struct packet *packet)
{
    uint32_t slot;
    if (!block_find_position(&scan_block->block, position, &slot))
        return false;
    for (uint32_t spec = 0; match_next_spec(engine, scan_block, flow, packet, &spec); spec++) {
        struct match match = {.scan_block = scan_block,
                              .slot = slot,
                              .spec = spec,
                              .source = answer_source(engine, &flow->local)};
        const struct probe_spec *asked = &scan_block->block.specs[spec];
        struct answer answer;
        if (!asked->technique->judge || !asked->technique->judge(asked->technique, packet, &answer) ||
            !match_prove(engine, &answer, flow, asked, &match))
            continue;
        if (match.returned)
            answer.verdict = returned_verdict(asked->technique, packet);
        if (answer.verdict.reason == REASON_PROBE_RETURNED && flow_is_within_us(flow))
            continue; /* it is on its way still */
        if (match.weak)
            match.rtt_ns = round_trip_of_weak(engine, &match);
        if (flow->sender && !addr_equal(flow->sender, &flow->host))
            answer.verdict.source = *flow->sender;
        if (packet->layer == LAYER_ARP)
            emit_mac(engine, &flow->host, packet->arp.sender_mac);
        else if (packet->layer == LAYER_ICMP6 && packet->icmp.is_neighbor && packet->icmp.has_neighbor_mac)
            emit_mac(engine, &flow->host, packet->icmp.neighbor_mac);
        answer_take(engine, &match, &flow->host, &answer.verdict);
        return true;
    }
    return false;
}

/* Is it an answer to a probe of any block? */
bool answer_in_blocks(struct engine *engine, const struct flow *flow, const struct packet *packet)
{
    uint64_t position;
    if (!plan_host_find(engine->config.plan, &flow->host, &position))
        return false;
    for (unsigned i = engine->block_count; i-- > 0;)
        if (answer_in_block(engine, engine->blocks[i], position, flow, packet))
            return true;
    return false;
}

bool answer_as_from(struct engine *engine, const struct packet *packet, const struct addr *host,
                    uint16_t port)
{
    struct packet claimed = *packet;
    claimed.src = *host;
    claimed.udp.source_port = port;
    struct flow flow = flow_of(&claimed);
    flow.sender = &packet->src;
    return answer_in_blocks(engine, &flow, &claimed);
}
