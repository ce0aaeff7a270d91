#include "engine/limited/calm.h"

#include <math.h>
#include <stdlib.h>

#include "base/bitset.h"
#include "engine/internal.h"
#include "engine/limited/own_block.h"

/* Where the search for the pace begins, and where it is given up. */
#define PACE_FIRST_PPS 1000.0
#define PACE_LEAST_PPS 0.5

/* A window is void when less of its canaries come back, of those that the path would let through. Then the
 * pace goes below what got through, but never down by more at once. */
#define SHARE_LEAST 0.75
#define BELOW       0.9
#define SLOWER_MOST 0.125

/* So many canaries in vain, and none back, are enough. */
#define HOPELESS 6

/* A window that is not void makes the next one faster until one was overrun, though not in vain; then a
 * little faster, twice as much each time, or slower, as its canaries are within or beyond so many standard
 * deviations of what the path loses. */
#define FASTER        2.0
#define FASTER_LATER  0.02
#define DOUBLINGS_MAX 5
#define SLOWER_LATER  0.9
#define DEVIATIONS    1.5

/* While the pace is searched for a window has the probes of so long a time, but not fewer than so many; later
 * not fewer than so many. */
#define SEARCH_NS     (250 * MSEC)
#define SEARCH_PROBES 16
#define WINDOW_PROBES 64

#define PATH_LOSS_MOST 0.4

/* Shares of so many canaries, at paces so far apart, that differ by less, two standard deviations of both,
 * are the same. Where fewer come back than that the pace has still far to fall. */
#define BAND_WIDTH    4.0
#define BAND_ENOUGH   48
#define SHARE_BETTER  0.2
#define SHARE_TELLING 0.3

/* What says that a host stopped answering, and not one port of it. */
#define PORTS_SURE 3

/* Silence of UDP ports and protocols has limiters to blame as well, which canaries of TCP know nothing of. */
bool calm_is_possible(const struct engine *engine)
{
    const struct engine_config *config = &engine->config;
    return !engine->spec_of_port[PROTOCOL_UDP] && !engine->spec_of_port[PROTOCOL_IP] && config->spec_count &&
           config->specs[0].technique->kind == REQUEST_PACKET;
}

static struct host_record *record_of(struct engine *engine, const struct scan_block *scan_block)
{
    return host_table_get(&engine->hosts, scan_block->slots[0].record);
}

/* Ports that are known to answer: services, and one that is closed. */
static uint32_t ports_known(const struct host_record *record)
{
    return record->service_count + (record->has_canary ? 1u : 0u);
}

static uint32_t known_spec(const struct host_record *record, uint32_t i)
{
    return i < record->service_count ? record->services[i] : record->canary_spec;
}

/* So many probes that a port need not be waited for before it is asked as a canary again, once the pace is
 * known. */
static uint32_t window_len(struct engine *engine, const struct scan_block *scan_block)
{
    const struct calm *calm = scan_block->calm;
    double seconds =
        (double)(calm->is_searching ? SEARCH_NS : own_block_rto_ns(engine, scan_block)) / (double)SEC;
    double least = calm->is_searching ? SEARCH_PROBES : WINDOW_PROBES;
    double probes = calm->pacer.rate_pps * seconds;
    uint32_t left = calm->bit_count - calm->first;
    if (!calm->is_searching)
        probes *= (double)CALM_CANARIES / ports_known(record_of(engine, scan_block));
    probes = probes > least ? probes : least;
    return probes < left ? (uint32_t)probes : left;
}

static void start_window(struct engine *engine, struct scan_block *scan_block)
{
    struct calm *calm = scan_block->calm;
    calm->next = calm->first;
    calm->end = calm->first + window_len(engine, scan_block);
    calm->canary_count = 0;
    calm->is_void = false;
}

/* Another order each time: what a policer drops follows a pattern, perhaps. */
static void shuffle(struct calm *calm)
{
    for (uint32_t i = calm->bit_count; i > 1; i--) {
        uint32_t j = (uint32_t)rand_below(&calm->rand, i);
        uint64_t bit = calm->bits[i - 1];
        calm->bits[i - 1] = calm->bits[j];
        calm->bits[j] = bit;
    }
}

static void start_pass(struct engine *engine, struct scan_block *scan_block)
{
    struct calm *calm = scan_block->calm;
    calm->bit_count = calm->first = 0;
    for (uint64_t bit = 0; bit < block_probe_count(&scan_block->block); bit++)
        if (bitset_get(scan_block->block.pending, bit))
            calm->bits[calm->bit_count++] = bit;
    shuffle(calm);
    calm->try_number = (uint8_t)((calm->try_number + 1) % TOKEN_TRY_CANARY);
    start_window(engine, scan_block);
}

bool calm_begin(struct engine *engine, struct scan_block *scan_block)
{
    struct host_record *record = record_of(engine, scan_block);
    if (!record || ports_known(record) == 0)
        return false;
    struct calm *calm = calloc(1, sizeof *calm + scan_block->block.spec_count * sizeof calm->bits[0]);
    if (!calm)
        return false;
    calm->is_searching = true;
    calm->share_most = 1;
    calm->rand.state = engine->config.plan->options.seed ^ scan_block->block.id;
    pacer_init(&calm->pacer, PACE_FIRST_PPS, engine->now_ns);
    if (scan_block->lane)
        calm->try_number = scan_block->lane->try_number;
    lane_free(scan_block->lane);
    scan_block->lane = NULL;
    scan_block->calm = calm;
    scan_block->phase = PHASE_LANE;
    scan_block->wake_ns = engine->now_ns;
    record->loss = (struct loss){0}; /* was that of another pace */
    struct addr host = block_host(&scan_block->block, 0);
    emit_note(engine, NOTE_POLICED, &host, 0, 0);
    start_pass(engine, scan_block);
    return true;
}

bool calm_open(struct engine *engine, struct scan_block *from, uint32_t slot)
{
    struct scan_block *scan_block = own_block_make(engine, from, slot);
    if (!scan_block)
        return false;
    engine->account.hosts_limited++;
    if (!calm_begin(engine, scan_block))
        host_finish(engine, scan_block, 0, RECORD_UNFINISHED);
    return true;
}

bool calm_doubts_lane(struct engine *engine, const struct scan_block *scan_block)
{
    const struct host_record *record = record_of(engine, scan_block);
    return calm_is_possible(engine) && record && !record->answers_limited && !record->canary_draws_icmp;
}

void calm_answered(struct engine *engine, struct scan_block *scan_block)
{
    unsigned before = scan_block->calm->passes;
    loss_count(&record_of(engine, scan_block)->loss, before + 1, before);
}

bool calm_canary_answered(struct engine *engine, struct scan_block *scan_block, uint32_t spec,
                          int64_t sent_ns)
{
    struct calm *calm = scan_block->calm;
    for (unsigned i = 0; i < calm->canary_count; i++) {
        struct calm_canary *canary = &calm->canaries[i];
        if (canary->spec != spec || canary->is_back || !departure_was(&canary->sent, sent_ns))
            continue;
        canary->is_back = true;
        scan_block->wake_ns = engine->now_ns;
        return true;
    }
    return false;
}

void calm_void(struct scan_block *scan_block)
{
    scan_block->calm->is_void = true;
}

/* A port whose answer is not on its way: who is asked twice at once need not answer twice. False: there is
 * none. */
static bool free_canary(struct engine *engine, const struct scan_block *scan_block, uint32_t *ret_spec)
{
    struct calm *calm = scan_block->calm;
    const struct host_record *record = record_of(engine, scan_block);
    int64_t due_ns = engine->now_ns - own_block_rto_ns(engine, scan_block);
    for (uint32_t i = 0; i < ports_known(record); i++) {
        uint32_t spec = known_spec(record, calm->next_canary++ % ports_known(record));
        bool waits = false;
        for (unsigned j = 0; j < calm->canary_count; j++)
            waits |= calm->canaries[j].spec == spec && !calm->canaries[j].is_back &&
                     calm->canaries[j].sent.to_ns > due_ns;
        *ret_spec = spec;
        if (!waits)
            return true;
    }
    return false;
}

/* False: it could not leave. */
static bool send_one(struct engine *engine, struct scan_block *scan_block, uint64_t bit, uint8_t try_number)
{
    bool has_left = send_bits(engine, scan_block, &(struct bits_to_send){&bit, 1, try_number, 0});
    pacer_spend(&scan_block->calm->pacer, has_left);
    return has_left;
}

/* Its answer may come while it is sent. */
static void send_canary(struct engine *engine, struct scan_block *scan_block, uint32_t spec)
{
    struct calm *calm = scan_block->calm;
    struct calm_canary *canary = &calm->canaries[calm->canary_count++];
    *canary = (struct calm_canary){.spec = spec, .sent = departure_begin(engine->now_ns)};
    if (send_one(engine, scan_block, scan_block_bit(scan_block, 0, spec), TOKEN_TRY_CANARY))
        canary->sent.to_ns = engine->now_ns;
    else
        calm->canary_count--;
}

/* The next packet of the window. False: it must wait for a canary's answer. */
static bool send_next(struct engine *engine, struct scan_block *scan_block)
{
    struct calm *calm = scan_block->calm;
    uint32_t spec, canaries_left = CALM_CANARIES - calm->canary_count;
    bool is_canary = rand_below(&calm->rand, canaries_left + calm->end - calm->next) < canaries_left;
    if (!is_canary) {
        uint64_t bit = calm->bits[calm->next];
        calm->next += !bitset_get(scan_block->block.pending, bit) ||
                      send_one(engine, scan_block, bit, calm->try_number);
        return true;
    }
    if (!free_canary(engine, scan_block, &spec))
        return false;
    send_canary(engine, scan_block, spec);
    return true;
}

static bool all_sent(const struct calm *calm)
{
    return calm->next == calm->end && calm->canary_count == CALM_CANARIES;
}

static unsigned canaries_back(const struct calm *calm)
{
    unsigned back = 0;
    for (unsigned i = 0; i < calm->canary_count; i++)
        back += calm->canaries[i].is_back;
    return back;
}

/* Everything pending was asked once more. */
static void end_pass(struct engine *engine, struct scan_block *scan_block)
{
    struct calm *calm = scan_block->calm;
    struct host_slot *slot = &scan_block->slots[0];
    scan_block->valid_tries = ++calm->passes;
    bool certain = silence_is_certain(engine, scan_block, slot, calm->passes);
    if (certain || calm->passes > engine->config.timing.max_retries)
        host_finish_asked(engine, scan_block, 0, certain);
    else
        start_pass(engine, scan_block);
}

/* No pace is slow enough: the host does not answer us any more, and what is left of it is unknown. If that
 * was said by a port or two, it may be theirs alone, and the silence of the others stands, though it says no
 * more than was known before. */
static void give_up(struct engine *engine, struct scan_block *scan_block)
{
    uint32_t open = scan_block->slots[0].open, asked = scan_block->block.spec_count;
    bool sure = ports_known(record_of(engine, scan_block)) >= PORTS_SURE;
    if (!sure)
        engine->account.doubt += open * loss_silence_risk(1, asked - open, asked, 1);
    host_finish(engine, scan_block, 0, sure ? RECORD_UNFINISHED : 0);
}

/* Paces within a factor of four are one band. */
static unsigned band_of(double pace_pps)
{
    double band = log(pace_pps / PACE_LEAST_PPS) / log(BAND_WIDTH);
    return band < 0 ? 0 : band < CALM_BANDS - 1 ? (unsigned)band : CALM_BANDS - 1;
}

static double share_back(const struct loss *canaries)
{
    return canaries->tries > 0 ? 1 - canaries->lost / canaries->tries : 0;
}

/* The slower we ask the more a policer lets through. If no more come back than at the faster pace of another
 * band, the path is as lossy as that, which was not known, and the faster pace is right. */
static void look_for_vain_slowness(struct calm *calm)
{
    unsigned here = band_of(calm->pacer.rate_pps), faster = here + 1;
    if (faster >= CALM_BANDS || calm->bands[here].tries < BAND_ENOUGH ||
        calm->bands[faster].tries < BAND_ENOUGH || share_back(&calm->bands[faster]) < SHARE_TELLING ||
        share_back(&calm->bands[here]) > share_back(&calm->bands[faster]) + SHARE_BETTER)
        return;
    calm->share_most = fmin(calm->share_most, share_back(&calm->bands[here]));
    pacer_set_rate(&calm->pacer, PACE_LEAST_PPS * pow(BAND_WIDTH, faster));
}

static void slow_down(struct engine *engine, struct scan_block *scan_block, double through)
{
    struct calm *calm = scan_block->calm;
    double pace_pps = calm->pacer.rate_pps * BELOW * (through > SLOWER_MOST ? through : SLOWER_MOST);
    if (pace_pps < PACE_LEAST_PPS) {
        give_up(engine, scan_block);
        return;
    }
    calm->was_overrun |= through > 0; /* else it may as well have been the path that was gone */
    calm->is_searching = true;
    calm->good_windows = 0;
    pacer_set_rate(&calm->pacer, pace_pps);
    start_window(engine, scan_block);
}

static double next_pace_pps(struct calm *calm, double expected, unsigned back)
{
    double spread = sqrt(CALM_CANARIES * expected * (1 - expected));
    if (!calm->was_overrun)
        return calm->pacer.rate_pps * FASTER;
    if (back < CALM_CANARIES * expected - DEVIATIONS * spread) {
        calm->good_windows = 0;
        return calm->pacer.rate_pps * SLOWER_LATER;
    }
    double more = FASTER_LATER * (1u << calm->good_windows);
    if (calm->good_windows < DOUBLINGS_MAX)
        calm->good_windows++;
    return calm->pacer.rate_pps * (1 + more);
}

/* Of its canaries. A path that seems to lose more than that is rather one that we are too fast for. */
static double share_expected(const struct path *path, const struct calm *calm)
{
    double p = path_chance_of_loss(path);
    return fmin(1 - fmin(p, PATH_LOSS_MOST), calm->share_most);
}

/* The window is over, and what comes back has come back. */
static void judge(struct engine *engine, struct scan_block *scan_block)
{
    struct calm *calm = scan_block->calm;
    unsigned back = canaries_back(calm);
    if (!calm->is_void) {
        loss_count(&calm->bands[band_of(calm->pacer.rate_pps)], CALM_CANARIES, CALM_CANARIES - back);
        look_for_vain_slowness(calm);
    }
    double expected = share_expected(path_of(engine, scan_block), calm);
    double through = back / (CALM_CANARIES * expected);
    if (calm->is_void) {
        start_window(engine, scan_block);
        return;
    }
    if (through < SHARE_LEAST && !calm->was_void) {
        calm->was_void = true; /* it may have been a burst of loss */
        start_window(engine, scan_block);
        return;
    }
    calm->was_void = false;
    if (through < SHARE_LEAST) {
        slow_down(engine, scan_block, through);
        return;
    }
    loss_count(&record_of(engine, scan_block)->loss, CALM_CANARIES, CALM_CANARIES - back);
    pacer_set_rate(&calm->pacer, next_pace_pps(calm, expected, back));
    calm->is_searching = !calm->was_overrun;
    calm->first = calm->end;
    if (calm->first == calm->bit_count)
        end_pass(engine, scan_block);
    else
        start_window(engine, scan_block);
}

/* Nothing comes back: the rest of the window would not either. */
static bool is_hopeless(const struct calm *calm, int64_t due_ns)
{
    unsigned lost = 0;
    for (unsigned i = 0; i < calm->canary_count; i++) {
        if (calm->canaries[i].is_back)
            return false;
        lost += calm->canaries[i].sent.to_ns <= due_ns;
    }
    return lost >= HOPELESS;
}

static bool is_over(struct engine *engine, const struct scan_block *scan_block)
{
    const struct calm *calm = scan_block->calm;
    int64_t rto = own_block_rto_ns(engine, scan_block);
    if (all_sent(calm) &&
        (canaries_back(calm) == CALM_CANARIES || scan_block->last_sent_ns + rto <= engine->now_ns))
        return true;
    return is_hopeless(calm, engine->now_ns - rto);
}

static int64_t next_wake_ns(struct engine *engine, const struct scan_block *scan_block, bool waits)
{
    const struct calm *calm = scan_block->calm;
    int64_t pacer_ns = pacer_next_ns(&calm->pacer), way_ns = may_send_ns(engine, scan_block);
    int64_t rto = own_block_rto_ns(engine, scan_block);
    if (waits) /* or until that answer comes */
        return engine->now_ns + rto / 4;
    if (all_sent(calm))
        return scan_block->last_sent_ns + rto;
    return pacer_ns > way_ns ? pacer_ns : way_ns;
}

void calm_run(struct engine *engine, struct scan_block *scan_block)
{
    struct calm *calm = scan_block->calm;
    bool waits = false;
    if (is_over(engine, scan_block))
        judge(engine, scan_block);
    /* Answers may arrive while something is sent, and be the host's last. */
    while (scan_block->open_hosts && !waits && !all_sent(calm) &&
           pacer_allowance(&calm->pacer, engine->now_ns) && allowance_of(engine, scan_block))
        waits = !send_next(engine, scan_block);
    if (scan_block->open_hosts)
        scan_block->wake_ns = next_wake_ns(engine, scan_block, waits);
}
