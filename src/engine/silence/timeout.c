/* How long the answers to a sweep are waited for. */
#include "engine/internal.h"

/* Nobody on a link takes longer to answer an ARP request; most answer at once. */
#define NEIGHBOR_RTO_NS (300 * MSEC)

/* Requests cost little. Of a link's loss nothing is known before its first answer: then that many are sent
 * with which a third of all round trips may fail. */
#define NEIGHBOR_TRIES         5
#define NEIGHBOR_TRIES_UNKNOWN 12

/* Most of a scan of a neighbour or two would pass in waiting for one whose request was lost: they are asked
 * so many times more, after 1 and 3 ms. These tries share a burst of loss, and so are none of the others; nor
 * of many, since what is answered late seems lost. */
#define NEIGHBORS_FEW    4
#define NEIGHBORS_SOONER 2

/* Later tries are spread in time, because loss comes in bursts: each waits so much of the time-out longer. */
#define BACKOFF_SHARE 16

/* Where an ICMP error would tell what silence leaves open (closed ports of UDP answer so, and firewalls):
 * while none has come from a host its limiter may have been empty from the start. Then tries are as far apart
 * as a token takes on Linux. */
#define TOKEN_OF_LINUX_NS (1 * SEC)

/* Of a host whose canaries were silent again and again it is soon believed that somebody drops what comes too
 * fast: until then it is asked at longer and longer intervals, for a near host is asked five times in less
 * than a burst of loss. */
#define SILENT_AGAIN        2
#define SILENT_AGAIN_RTO_NS (20 * MSEC)

static int64_t least_rto_ns(const struct engine *engine, const struct scan_block *scan_block,
                            const struct host_record *record)
{
    bool errors_come = record && record->sends_errors;
    if (scan_block->kind == BLOCK_PORTS && engine->errors_tell && !errors_come)
        return TOKEN_OF_LINUX_NS;
    bool silent_again = record && record->canary_failures >= SILENT_AGAIN;
    return silent_again ? SILENT_AGAIN_RTO_NS << (record->canary_failures - SILENT_AGAIN) : 0;
}

static unsigned sooner_tries(const struct engine *engine, const struct scan_block *scan_block)
{
    bool is_patient = engine->config.timing.max_retries > NEIGHBOR_TRIES_UNKNOWN + NEIGHBORS_SOONER;
    return is_patient && scan_block->block.host_count <= NEIGHBORS_FEW ? NEIGHBORS_SOONER : 0;
}

unsigned neighbor_tries(struct engine *engine, const struct scan_block *scan_block)
{
    bool known = path_of(engine, scan_block)->neighbor_loss.tries > 0;
    return sooner_tries(engine, scan_block) + (known ? NEIGHBOR_TRIES : NEIGHBOR_TRIES_UNKNOWN);
}

static int64_t neighbor_rto_ns(struct engine *engine, const struct scan_block *scan_block)
{
    static const int64_t first_ns[] = {10 * MSEC, 10 * MSEC, 20 * MSEC, 40 * MSEC, 100 * MSEC};
    const unsigned last = sizeof first_ns / sizeof first_ns[0] - 1;
    unsigned sooner = sooner_tries(engine, scan_block), tries = scan_block->valid_tries;
    if (tries < sooner)
        return MSEC << tries;
    unsigned later = tries - sooner < last ? tries - sooner : last;
    int64_t rto_ns = tries + 1 >= neighbor_tries(engine, scan_block) ? NEIGHBOR_RTO_NS : first_ns[later];
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

/* Of a host that has answered what left after the sweep. */
static int64_t prompt_rto_ns(struct engine *engine, const struct host_slot *slot)
{
    const struct host_record *record = host_table_get(&engine->hosts, slot->record);
    return rtt_prompt_rto_ns(&record->rtt, engine->config.timing.prompt_rto_ns);
}

int64_t block_rto_ns(struct engine *engine, const struct scan_block *scan_block)
{
    bool prompt = scan_block->kept_up_slots == scan_block->block.host_count;
    bool sooner =
        scan_block->kind == BLOCK_NEIGHBOR && scan_block->valid_tries < sooner_tries(engine, scan_block);
    int64_t longest_ns = prompt || sooner ? 0 : engine->rtt_limits.min_rto_ns;
    for (uint32_t i = 0; i < scan_block->block.host_count; i++) {
        const struct host_slot *slot = &scan_block->slots[i];
        if (slot->done)
            continue;
        int64_t rto_ns = prompt ? prompt_rto_ns(engine, slot) : slot_rto_ns(engine, scan_block, slot);
        longest_ns = rto_ns > longest_ns ? rto_ns : longest_ns;
    }
    if (prompt)
        return longest_ns;
    return longest_ns + longest_ns / BACKOFF_SHARE * scan_block->valid_tries;
}
