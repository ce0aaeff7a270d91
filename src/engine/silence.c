/* What silence means: when a sweep and its time-out are over, each host is either certain enough, or asked again. */
#include "base/bitset.h"
#include "engine/internal.h"

/* A host that answered late once may do so again; one that took over a second is waited for longest. */
#define LINGER_LATE_NS (2 * SEC)
#define LINGER_SLOW_NS (8 * SEC)

/* Nobody on a link takes longer to answer an ARP request; most answer at once. */
#define NEIGHBOR_RTO_NS (300 * MSEC)

/* Requests cost little. Of a link's loss nothing is known before its first answer: then that many are sent with which a
 * third of all round trips may fail. */
#define NEIGHBOR_TRIES         5
#define NEIGHBOR_TRIES_UNKNOWN 12

/* What did not leave, or was lost by our own doing, so many times in a row is given up. */
#define REPAIRS_MAX 12

/* Later tries are spread in time, because loss comes in bursts: each waits so much of the time-out longer. */
#define BACKOFF_SHARE 16

/* Closed ports of UDP, and IP protocols, answer with ICMP errors. While none has come from a host its limiter may have been
 * empty from the start: then tries are as far apart as a token takes on Linux. */
#define TOKEN_OF_LINUX_NS (1 * SEC)

static int64_t least_rto_ns(const struct engine *engine, const struct scan_block *scan_block,
                            const struct host_record *record)
{
    bool asks_for_errors = engine->spec_of_port[PROTOCOL_UDP] || engine->spec_of_port[PROTOCOL_IP];
    bool errors_come = record && record->sends_errors;
    return scan_block->kind == BLOCK_PORTS && asks_for_errors && !errors_come ? TOKEN_OF_LINUX_NS : 0;
}

static unsigned neighbor_tries(struct engine *engine, const struct scan_block *scan_block)
{
    return path_of(engine, scan_block)->neighbor_loss.tries > 0 ? NEIGHBOR_TRIES : NEIGHBOR_TRIES_UNKNOWN;
}

static int64_t neighbor_rto_ns(struct engine *engine, const struct scan_block *scan_block)
{
    static const int64_t first_ns[] = {10 * MSEC, 10 * MSEC, 20 * MSEC, 40 * MSEC, 100 * MSEC};
    const unsigned last = sizeof first_ns / sizeof first_ns[0] - 1;
    unsigned tries = scan_block->valid_tries;
    int64_t rto_ns = tries + 1 >= neighbor_tries(engine, scan_block) ? NEIGHBOR_RTO_NS
                                                                     : first_ns[tries < last ? tries : last];
    int64_t initial_ns = engine->rtt_limits.initial_rto_ns;
    return rto_ns < initial_ns ? rto_ns : initial_ns;
}

static int64_t slot_rto_ns(struct engine *engine, const struct scan_block *scan_block,
                           const struct host_slot *slot)
{
    const struct host_record *record = host_table_get(&engine->hosts, slot->record);
    int64_t rto_ns = record ? record->rtt.rto_ns : engine->rtt_limits.initial_rto_ns;
    int64_t least_ns = least_rto_ns(engine, scan_block, record);
    if (!record && scan_block->kind == BLOCK_NEIGHBOR)
        return neighbor_rto_ns(engine, scan_block);
    return rto_ns > least_ns ? rto_ns : least_ns;
}

int64_t block_rto_ns(struct engine *engine, const struct scan_block *scan_block)
{
    int64_t longest_ns = engine->rtt_limits.min_rto_ns;
    for (uint32_t i = 0; i < scan_block->block.host_count; i++) {
        const struct host_slot *slot = &scan_block->slots[i];
        if (slot->done)
            continue;
        int64_t rto_ns = slot_rto_ns(engine, scan_block, slot);
        longest_ns = rto_ns > longest_ns ? rto_ns : longest_ns;
    }
    return longest_ns + longest_ns / BACKOFF_SHARE * scan_block->valid_tries;
}

/* Soft errors that no second answer confirmed are what is known of a port. An open that only a port number proved, and
 * that nothing confirmed, is not. */
static void report_provisional(struct engine *engine, struct scan_block *scan_block, uint32_t slot,
                               const struct addr *host)
{
    for (uint32_t spec = 0; engine->provisional.count && spec < scan_block->block.spec_count; spec++) {
        uint64_t bit = scan_block_bit(scan_block, slot, spec);
        if (!bitset_get(scan_block->block.pending, bit))
            continue;
        struct provisional *entry = provisional_find(&engine->provisional, scan_block->block.id, bit);
        if (!entry || entry->weak)
            continue;
        entry->final = true;
        bitset_clear(scan_block->block.pending, bit);
        scan_block->slots[slot].open--;
        emit_port(engine, host, &scan_block->block.specs[spec], &entry->verdict, 0,
                  (uint8_t)(entry->try_number + 1), 0);
    }
}

static void finish_discovery(struct engine *engine, struct scan_block *scan_block, uint32_t slot,
                             uint8_t flags)
{
    struct addr host = block_host(&scan_block->block, slot);
    host_table_give_back(&engine->hosts, scan_block->slots[slot].record);
    scan_block->slots[slot].record = HOST_RECORD_NONE;
    scan_block_drop_host(scan_block, slot, false);
    if (flags & RECORD_UNFINISHED)
        return; /* not known to be up or down */
    if (scan_block->kind == BLOCK_NEIGHBOR && engine->config.assume_up) {
        struct verdict user_set = {.state = PORT_OPEN, .reason = REASON_USER_SET};
        emit_host_up(engine, &host, &user_set, 0);
        emit_host_unreachable(engine, &host);
        return;
    }
    emit_host_down(engine, &host, REASON_NO_RESPONSE);
}

/* The chance that a try to this host is lost. */
static double chance_of_loss(struct engine *engine, const struct scan_block *scan_block,
                             const struct host_slot *slot)
{
    static const struct loss nothing_known = {0};
    const struct host_record *record = host_table_get(&engine->hosts, slot->record);
    const struct path *path = path_of(engine, scan_block);
    if (scan_block->kind == BLOCK_NEIGHBOR)
        return loss_of_path(&path->neighbor_loss);
    return loss_of_host(path_chance_of_loss(path), record ? &record->loss : &nothing_known);
}

/* The chance that one of its silent ports answers all the same. */
static double silence_risk(struct engine *engine, const struct scan_block *scan_block,
                           const struct host_slot *slot)
{
    uint32_t asked = scan_block->block.spec_count;
    return loss_silence_risk(chance_of_loss(engine, scan_block, slot), asked - slot->open, asked,
                             scan_block->valid_tries);
}

bool silence_is_certain(struct engine *engine, const struct scan_block *scan_block,
                        const struct host_slot *slot, unsigned tries)
{
    double p = chance_of_loss(engine, scan_block, slot);
    uint32_t asked = scan_block->block.spec_count;
    if (tries < (scan_block->kind == BLOCK_NEIGHBOR ? neighbor_tries(engine, scan_block) : 2))
        return false;
    if (scan_block->kind == BLOCK_PORTS)
        return loss_silence_is_certain(p, asked - slot->open, asked, tries, engine->config.timing.risk);
    /* Any one answer would have shown the host. */
    return loss_silence_is_certain(p, 0, 1, tries * asked, engine->config.timing.risk);
}

/* Did none of the probes leave, because nobody on the link has the address? */
static bool next_hop_is_missing(struct engine *engine, const struct addr *host)
{
    const struct netio_ops *ops = engine->io->ops;
    return ops->next_hop_missing && ops->next_hop_missing(engine->io, host);
}

static void report_unreachable(struct engine *engine, struct host_slot *slot, const struct addr *host)
{
    emit_host_unreachable(engine, host);
    host_table_give_back(&engine->hosts, slot->record);
    slot->record = HOST_RECORD_NONE;
}

void host_report(struct engine *engine, struct scan_block *scan_block, uint32_t slot_index, uint8_t tries,
                 uint8_t flags)
{
    struct host_slot *slot = &scan_block->slots[slot_index];
    struct host_record *record = host_table_get(&engine->hosts, slot->record);
    struct addr host = block_host(&scan_block->block, slot_index);
    flags |= speaker_flags(record ? &record->speaker : NULL);
    emit_host_done(engine, &host, record, tries, flags);
    host_table_give_back(&engine->hosts, slot->record);
    slot->record = HOST_RECORD_NONE;
}

void host_finish(struct engine *engine, struct scan_block *scan_block, uint32_t slot_index, uint8_t flags)
{
    struct host_slot *slot = &scan_block->slots[slot_index];
    if (scan_block->kind != BLOCK_PORTS) {
        finish_discovery(engine, scan_block, slot_index, flags);
        return;
    }
    struct addr host = block_host(&scan_block->block, slot_index);
    if (slot->open)
        report_provisional(engine, scan_block, slot_index, &host);
    /* Probes that never left say nothing. */
    if (slot->open && slot->unsent_try == scan_block->try_number + 1)
        flags |= RECORD_UNFINISHED;
    if (flags & RECORD_UNFINISHED)
        flags &= (uint8_t)~RECORD_CAPPED;
    else if (slot->open)
        engine->account.doubt += slot->open * silence_risk(engine, scan_block, slot);
    if (flags & RECORD_CAPPED)
        engine->account.ports_capped += slot->open;
    if (slot->open && !(flags & RECORD_UNFINISHED) && next_hop_is_missing(engine, &host))
        report_unreachable(engine, slot, &host);
    else if (!closing_take(engine, scan_block, slot_index, flags))
        host_report(engine, scan_block, slot_index, scan_block->valid_tries, flags);
    scan_block_drop_host(scan_block, slot_index, !(flags & RECORD_UNFINISHED));
}

static bool is_capped(const struct engine *engine, const struct scan_block *scan_block)
{
    bool gives_up = scan_block->void_count > 0; /* repairing was in vain */
    return gives_up || scan_block->valid_tries > engine->config.timing.max_retries;
}

static int64_t linger_until_ns(struct engine *engine, const struct scan_block *scan_block,
                               const struct host_slot *slot)
{
    const struct host_record *record = host_table_get(&engine->hosts, slot->record);
    if (!record)
        return 0;
    int64_t linger_ns = record->slowest_ns > SEC ? LINGER_SLOW_NS : record->late ? LINGER_LATE_NS : 0;
    return scan_block->last_sent_ns + linger_ns;
}

uint8_t silence_note_cap(struct engine *engine, const struct scan_block *scan_block, uint32_t slot)
{
    struct addr host = block_host(&scan_block->block, slot);
    if (scan_block->kind != BLOCK_PORTS)
        return 0;
    emit_note(engine, NOTE_RETRY_CAP, &host, scan_block->slots[slot].open, scan_block->valid_tries);
    return RECORD_CAPPED;
}

/* One host after a sweep. True: it must be asked again. */
static bool weigh_host(struct engine *engine, struct scan_block *scan_block, uint32_t slot_index,
                       int64_t *wake_ns)
{
    struct host_slot *slot = &scan_block->slots[slot_index];
    enum canary_verdict canary = canary_judge(host_table_get(&engine->hosts, slot->record));
    if (canary == CANARY_LIMITED && lane_open(engine, scan_block, slot_index))
        return false;
    bool capped = is_capped(engine, scan_block);
    slot->certain = slot->certain || (canary != CANARY_UNCLEAR && scan_block->void_count == 0 &&
                                      silence_is_certain(engine, scan_block, slot, scan_block->valid_tries));
    bool asks_on =
        !slot->certain || (scan_block->kind == BLOCK_PORTS && remainder_keep(engine, scan_block, slot_index));
    if (asks_on && !capped)
        return true;

    int64_t until_ns = linger_until_ns(engine, scan_block, slot);
    if (until_ns > engine->now_ns) {
        *wake_ns = until_ns < *wake_ns ? until_ns : *wake_ns;
        return false;
    }
    host_finish(engine, scan_block, slot_index,
                slot->certain ? 0 : silence_note_cap(engine, scan_block, slot_index));
    return false;
}

void silence_weigh(struct engine *engine, struct scan_block *scan_block)
{
    if (scan_block->void_count && scan_block->repairs_in_a_row < REPAIRS_MAX) {
        scan_block_start_sweep(scan_block, true, engine->now_ns);
        return;
    }
    if (!scan_block->tries_counted) {
        scan_block->valid_tries++;
        scan_block->tries_counted = true;
    }
    bool ask_again = false;
    int64_t wake_ns = TIME_NEVER;
    for (uint32_t slot = 0; slot < scan_block->block.host_count; slot++)
        if (!scan_block->slots[slot].done)
            ask_again |= weigh_host(engine, scan_block, slot, &wake_ns);
    if (ask_again)
        scan_block_start_sweep(scan_block, false, engine->now_ns);
    else
        scan_block->wake_ns = wake_ns;
}

void silence_end_block(struct engine *engine, struct scan_block *scan_block, uint8_t flags)
{
    for (uint32_t slot = 0; slot < scan_block->block.host_count; slot++)
        if (!scan_block->slots[slot].done)
            host_finish(engine, scan_block, slot, flags);
}

void silence_time_out_hosts(struct engine *engine)
{
    int64_t timeout_ns = engine->config.timing.host_timeout_ns;
    for (unsigned i = 0; timeout_ns > 0 && i < engine->block_count; i++) {
        struct scan_block *scan_block = engine->blocks[i];
        if (scan_block->kind == BLOCK_PORTS && scan_block->phase != PHASE_FINISHED &&
            engine->now_ns - scan_block->started_ns >= timeout_ns)
            silence_end_block(engine, scan_block, RECORD_UNFINISHED | RECORD_TIMED_OUT);
    }
}
