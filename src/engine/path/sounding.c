#include "engine/path/sounding.h"

#include <string.h>

#include "engine/internal.h"

/* One packet in so many is a sounding while nothing else is answered; one in two until the path is proved. */
#define SHARE          16
#define SHARE_UNPROVED 2

/* On a link, where an answer takes no time, so many of each step of the rate are closer together. No more,
 * since those of a host that lets few packets through do not come back, and take the place of others. */
#define SHARE_SOUGHT  4
#define SOUGHT_ENOUGH 16

/* While other probes are answered, one in so many of what would be sent otherwise. That is decided for so
 * many turns at a time: if more were sent as soon as answers fail to come, bursts of loss would meet most of
 * them. */
#define RARELY 8
#define TURNS  64

/* Never more often than this, nor than so many in a round trip. While the rate is looked for its next step
 * waits for answers. */
#define PERIOD_MIN_NS    (500 * USEC)
#define PERIOD_SOUGHT_NS PACER_GRAIN_NS
#define PER_ROUND_TRIP   64

/* Bursts of loss take several that leave together: of those only one says something about the rate. */
#define JUDGES_PERIOD_NS (10 * MSEC)

/* So many tell what a path loses now. */
#define SOUNDINGS_REMEMBERED 1024.0

/* Echo requests that a host gets before it has answered anything. */
#define ECHOES_MAX 3

#define HOSTS_LOOKED_AT 64

static bool is_possible(const struct engine *engine)
{
    const struct engine_config *config = &engine->config;
    return config->timing.scan_delay_ns == 0 && config->spec_count &&
           config->specs[0].technique->kind == REQUEST_PACKET;
}

/* A scan of IP protocols asks for echoes itself. */
static bool has_echo(const struct engine *engine)
{
    return !engine->spec_of_port[PROTOCOL_IP];
}

static bool is_waited_for(const struct path *path, const struct scan_block *scan_block, uint32_t slot)
{
    for (unsigned i = path->soundings.count; i-- > 0;)
        if (path->soundings.waiting[i].slot == slot &&
            path->soundings.waiting[i].block_id == scan_block->block.id)
            return true;
    return false;
}

/* What this host would answer. A port is asked again only when its last sounding has come back or is lost. */
static bool choose_spec(struct engine *engine, struct scan_block *scan_block, uint32_t slot,
                        uint32_t *ret_spec, bool *ret_sure)
{
    struct host_slot *host = &scan_block->slots[slot];
    const struct host_record *record = host_table_get(&engine->hosts, host->record);
    uint32_t echo = scan_block->block.spec_count;
    if (host->done || !sounding_find_spec(engine, scan_block, record, ret_spec))
        return false;
    *ret_sure = record && record->has_sounding;
    if (*ret_sure)
        return *ret_spec == echo || !is_waited_for(path_of(engine, scan_block), scan_block, slot);
    if (host->echoes >= ECHOES_MAX)
        return false;
    host->echoes++;
    return true;
}

/* The next host of the block that can be asked; its probe as a bit. */
static bool choose(struct engine *engine, struct scan_block *scan_block, struct sounding *ret,
                   uint64_t *ret_bit)
{
    uint32_t host_count = scan_block->block.host_count, spec;
    bool sure;
    for (uint32_t i = 0; i < host_count && i < HOSTS_LOOKED_AT; i++) {
        uint32_t slot = scan_block->sounding_slot++ % host_count;
        if (!choose_spec(engine, scan_block, slot, &spec, &sure))
            continue;
        *ret = (struct sounding){.block_id = scan_block->block.id, .slot = slot, .sure = sure};
        *ret_bit = scan_block_bit(scan_block, slot, spec);
        return true;
    }
    return false;
}

static bool is_closer(const struct path *path)
{
    bool is_step_new = path->soundings.step_pps != path->rate.pps;
    return path->reach != REACH_ROUTED && rate_is_sought(&path->rate) &&
           (is_step_new || path->soundings.step_count < SOUGHT_ENOUGH);
}

static void count_of_step(struct path *path)
{
    struct soundings *soundings = &path->soundings;
    soundings->step_count = soundings->step_pps == path->rate.pps ? soundings->step_count + 1 : 1;
    soundings->step_pps = path->rate.pps;
}

static int64_t period_ns(const struct path *path, double pace_pps)
{
    bool unproved = path->rate.limits.unproved_pps > 0, closer = is_closer(path);
    unsigned share = unproved ? SHARE_UNPROVED : closer ? SHARE_SOUGHT : SHARE;
    int64_t by_rate_ns = (int64_t)((double)SEC * share / pace_pps);
    int64_t by_rtt_ns = path->base_rtt_ns / PER_ROUND_TRIP;
    int64_t period = by_rate_ns > by_rtt_ns ? by_rate_ns : by_rtt_ns;
    int64_t least_ns = rate_is_sought(&path->rate) ? PERIOD_SOUGHT_NS : PERIOD_MIN_NS;
    return period > least_ns ? period : least_ns;
}

/* One may be sent now. Is it not left out, because others are answered? */
static bool is_turn(struct path *path)
{
    struct soundings *soundings = &path->soundings;
    bool answered = path->rate.answers > soundings->answers;
    soundings->answers = path->rate.answers;
    if (path->rate.limits.unproved_pps > 0)
        return !answered;
    soundings->turns_answered += answered;
    if (++soundings->turns == TURNS) {
        soundings->rarely = soundings->turns_answered > TURNS / 2;
        soundings->turns = soundings->turns_answered = 0;
    }
    return !soundings->rarely || soundings->turns % RARELY == 0;
}

static void remove_waiting(struct soundings *soundings, unsigned first, unsigned count)
{
    memmove(&soundings->waiting[first], &soundings->waiting[first + count],
            (soundings->count - first - count) * sizeof soundings->waiting[0]);
    soundings->count -= count;
}

/* False: it could not leave. */
static bool send(struct engine *engine, struct scan_block *scan_block, struct sounding *sounding,
                 uint64_t bit)
{
    struct path *path = path_of(engine, scan_block);
    struct soundings *soundings = &path->soundings;
    int64_t now_ns = engine->now_ns;
    sounding->sent = departure_begin(now_ns);
    soundings->waiting[soundings->count++] = *sounding; /* its answer may come while it is sent */
    if (!send_bits(engine, scan_block, &(struct bits_to_send){&bit, 1, TOKEN_TRY_CANARY, 0})) {
        remove_waiting(soundings, soundings->count - 1, 1);
        return false;
    }
    struct sounding *last = soundings->count ? &soundings->waiting[soundings->count - 1] : NULL;
    if (last && last->sent.to_ns == TIME_NEVER) /* else it was answered while it was sent */
        last->sent.to_ns = engine->now_ns;
    if (sounding->judges)
        soundings->judged_ns = now_ns;
    count_of_step(path);
    paths_asked_known(engine, scan_block, sounding->sure);
    return true;
}

bool sounding_send(struct engine *engine, struct scan_block *scan_block)
{
    struct path *path = path_of(engine, scan_block);
    struct soundings *soundings = &path->soundings;
    struct sounding sounding;
    uint64_t bit;
    if (scan_block->kind != BLOCK_PORTS || engine->now_ns < soundings->next_ns ||
        soundings->count == SOUNDINGS_MAX || !is_possible(engine))
        return false;
    soundings->next_ns = engine->now_ns + period_ns(path, pace_of(engine, scan_block));
    if (!is_turn(path) || !choose(engine, scan_block, &sounding, &bit))
        return false;
    if (scan_block->first_sent_ns[TOKEN_TRY_CANARY] == TIME_NEVER)
        scan_block->first_sent_ns[TOKEN_TRY_CANARY] = engine->now_ns;
    sounding.judges = sounding.sure && engine->now_ns - soundings->judged_ns >= JUDGES_PERIOD_NS;
    return send(engine, scan_block, &sounding, bit);
}

static void count_loss(struct engine *engine, const struct scan_block *scan_block, uint32_t slot, bool lost)
{
    struct loss *loss = &path_of(engine, scan_block)->sounded_loss;
    struct addr host = block_host(&scan_block->block, slot);
    loss_forget(loss, SOUNDINGS_REMEMBERED - 1);
    loss_count(loss, 1, lost);
    divide_tried(engine, scan_block, &host, (struct outcomes){1, lost}, true);
}

void sounding_expire(struct engine *engine, struct path *path)
{
    struct soundings *soundings = &path->soundings;
    int64_t oldest_ns = engine->now_ns - path->rtt.rto_ns;
    unsigned lost = 0;
    for (; lost < soundings->count && soundings->waiting[lost].sent.to_ns <= oldest_ns; lost++) {
        const struct sounding *sounding = &soundings->waiting[lost];
        const struct scan_block *scan_block = blocks_find(engine, sounding->block_id);
        if (sounding->judges)
            rate_sounded(&path->rate, sounding->sent.from_ns, false);
        if (scan_block && sounding->sure && sounding->sent.from_ns > path->rate.clean_ns)
            count_loss(engine, scan_block, sounding->slot, true);
    }
    if (lost)
        remove_waiting(soundings, 0, lost);
}

/* What this host was sent before was answered before, or is lost, when so much time has passed as packets
 * overtake each other by. */
static void expire_overtaken(struct engine *engine, struct scan_block *scan_block,
                             const struct sounding *answered)
{
    struct path *path = path_of(engine, scan_block);
    struct soundings *soundings = &path->soundings;
    const struct host_record *record =
        host_table_get(&engine->hosts, scan_block->slots[answered->slot].record);
    if (!record || !record->rtt.has_sample || !engine->answers_are_prompt)
        return;
    int64_t rto_ns = rtt_prompt_rto_ns(&record->rtt, engine->config.timing.prompt_rto_ns);
    for (unsigned i = soundings->count; i-- > 0;) {
        const struct sounding *sounding = &soundings->waiting[i];
        if (sounding->slot != answered->slot || sounding->block_id != answered->block_id ||
            sounding->sent.from_ns >= answered->sent.from_ns ||
            sounding->sent.to_ns > engine->now_ns - rto_ns)
            continue;
        if (sounding->judges)
            rate_sounded(&path->rate, sounding->sent.from_ns, false);
        if (sounding->sure && sounding->sent.from_ns > path->rate.clean_ns)
            count_loss(engine, scan_block, sounding->slot, true);
        remove_waiting(soundings, i, 1);
    }
}

bool sounding_answered(struct engine *engine, struct scan_block *scan_block, uint32_t slot, uint32_t spec,
                       int64_t sent_ns)
{
    struct path *path = path_of(engine, scan_block);
    struct soundings *soundings = &path->soundings;
    const struct host_record *record = host_table_get(&engine->hosts, scan_block->slots[slot].record);
    if (spec != scan_block->block.spec_count &&
        !(record && record->has_sounding && record->sounding_spec == spec))
        return false;
    for (unsigned i = 0; i < soundings->count; i++) {
        struct sounding answered = soundings->waiting[i], *sounding = &answered;
        if (sounding->slot != slot || sounding->block_id != scan_block->block.id ||
            !departure_was(&sounding->sent, sent_ns))
            continue;
        count_loss(engine, scan_block, slot, false);
        if (sounding->judges)
            rate_sounded(&path->rate, sent_ns, true);
        remove_waiting(soundings, i, 1);
        expire_overtaken(engine, scan_block, &answered);
        break;
    }
    return true;
}

bool sounding_find_spec(const struct engine *engine, const struct scan_block *scan_block,
                        const struct host_record *record, uint32_t *ret_spec)
{
    bool known = record && record->has_sounding;
    if (!known && !has_echo(engine))
        return false;
    *ret_spec = known ? record->sounding_spec : scan_block->block.spec_count;
    return true;
}

void sounding_learn(struct host_record *record, uint32_t spec, bool echo)
{
    if (record->has_sounding && !echo)
        return;
    record->has_sounding = true;
    record->sounding_spec = spec;
}

bool sounding_is_echo(const struct engine *engine, const struct scan_block *scan_block,
                      const struct packet *packet)
{
    bool reply = !packet->has_quote && (packet->layer == LAYER_ICMP4 || packet->layer == LAYER_ICMP6) &&
                 !packet->icmp.is_neighbor;
    return reply && scan_block->kind == BLOCK_PORTS && has_echo(engine);
}
