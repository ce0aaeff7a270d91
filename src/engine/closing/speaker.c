#include "engine/closing/speaker.h"

#include "engine/answer/flow.h"
#include "engine/internal.h"

/* Open ports that make it worth asking. A host with fewer costs nothing. */
#define OPEN_ENOUGH 3

/* SYN/ACKs of dead ports that show a box. A host on which one port in ten is open has so many with a chance
 * of 2 in 10^5. */
#define DEAD_OPEN_ENOUGH 6

/* How often they are asked, if some have answered and some were lost. */
#define ASKS_MAX 4

#define DYNAMIC_PORTS_FIRST 1024
#define DYNAMIC_PORTS       (UINT16_MAX + 1 - DYNAMIC_PORTS_FIRST)

static const struct technique *syn_technique(const struct engine *engine)
{
    for (uint32_t i = 0; i < engine->config.spec_count; i++) {
        const struct technique *technique = engine->config.specs[i].technique;
        if (technique->protocol == PROTOCOL_TCP)
            return technique->kind == REQUEST_PACKET && technique->tcp_flags == TCP_SYN ? technique : NULL;
    }
    return NULL;
}

static bool port_is_among(const uint16_t *ports, unsigned count, uint16_t port)
{
    for (unsigned i = 0; i < count; i++)
        if (ports[i] == port)
            return true;
    return false;
}

void speakers_init(struct engine *engine)
{
    struct speakers *speakers = &engine->speakers;
    if (engine->config.timing.scan_delay_ns == 0) /* each probe more would cost such a scan a delay */
        speakers->technique = syn_technique(engine);
    if (!speakers->technique)
        return;
    uint64_t draw[2] = {0, 0};
    for (unsigned i = 0; i < DEAD_PORTS;) {
        uint64_t drawn = siphash_words(&engine->config.key.secret, draw, 2);
        uint16_t port = (uint16_t)(DYNAMIC_PORTS_FIRST + drawn % DYNAMIC_PORTS);
        draw[1]++;
        if (port_is_among(speakers->ports, i, port))
            continue;
        if (engine->spec_of_port[PROTOCOL_TCP][port])
            speakers->asked_anyway |= (uint8_t)(1u << i);
        speakers->ports[i++] = port;
    }
}

/* The bit of a dead port; 0: it is none. */
static uint8_t dead_bit(const struct speakers *speakers, uint16_t port)
{
    for (unsigned i = 0; i < DEAD_PORTS; i++)
        if (speakers->ports[i] == port)
            return (uint8_t)(1u << i);
    return 0;
}

static struct host_record *record_of(struct engine *engine, const struct scan_block *scan_block,
                                     uint32_t slot)
{
    return host_table_get(&engine->hosts, scan_block->slots[slot].record);
}

/* A host that resets one port does not answer for all. */
static bool is_suspicious(const struct host_record *record)
{
    return record->speaker.open_count >= OPEN_ENOUGH && !record->has_canary && !record->speaker.dead_closed;
}

static void note_dead(struct speaker *speaker, uint8_t bit, const struct verdict *verdict)
{
    if (verdict->state == PORT_OPEN)
        speaker->dead_open |= bit;
    else if (verdict->state == PORT_CLOSED)
        speaker->dead_closed |= bit;
}

/* Put the host on the list of those to be asked. */
static void want(struct engine *engine, const struct scan_block *scan_block, uint32_t slot,
                 struct speaker *speaker)
{
    struct speakers *speakers = &engine->speakers;
    if (speakers->wanted_count == SPEAKERS_WANTED_MAX)
        return;
    speakers->wanted[speakers->wanted_count++] = block_host(&scan_block->block, slot);
    speaker->wanted = true;
}

void speaker_port_settled(struct engine *engine, struct scan_block *scan_block, uint32_t slot, uint16_t port,
                          const struct verdict *verdict)
{
    const struct speakers *speakers = &engine->speakers;
    struct host_record *record = record_of(engine, scan_block, slot);
    if (!speakers->technique || !record || !engine->packet || engine->packet->layer != LAYER_TCP)
        return;
    struct speaker *speaker = &record->speaker;
    note_dead(speaker, dead_bit(speakers, port), verdict);
    if (verdict->reason != REASON_SYN_ACK)
        return;
    speaker->open_count++;
    speaker->shut_count += engine->packet->tcp.window == 0;
    if (speaker->open_count == OPEN_ENOUGH && is_suspicious(record) && speaker->asks == 0)
        want(engine, scan_block, slot, speaker);
}

/* Does the packet prove by its numbers that it answers the probe of this dead port? */
static bool is_proved(const struct engine *engine, const struct flow *flow, const struct answer *answer)
{
    struct token_subject subject = token_subject_of(engine->speakers.technique, &flow->host, flow->port);
    for (unsigned i = 0; i < answer->number_count; i++) {
        uint8_t try_number;
        int64_t sent_ns;
        if (token_check(&engine->config.key, &subject, flow->source_port, answer->numbers[i], engine->now_ns,
                        &try_number, &sent_ns))
            return true;
    }
    return false;
}

/* The block of the scan that has this host. */
static struct scan_block *block_of(const struct engine *engine, const struct addr *host, uint32_t *ret_slot)
{
    uint64_t position;
    if (!plan_host_find(engine->config.plan, host, &position))
        return NULL;
    for (unsigned i = engine->block_count; i-- > 0;) {
        struct scan_block *scan_block = engine->blocks[i];
        if (scan_block->kind == BLOCK_PORTS && block_find_position(&scan_block->block, position, ret_slot) &&
            scan_block->slots[*ret_slot].record != HOST_RECORD_NONE)
            return scan_block;
    }
    return NULL;
}

bool speaker_answer(struct engine *engine, const struct packet *packet)
{
    const struct speakers *speakers = &engine->speakers;
    struct flow flow = flow_of(packet);
    uint8_t bit = flow.ip_proto == IP_PROTO_TCP ? dead_bit(speakers, flow.port) : 0;
    struct answer answer;
    uint32_t slot;
    if (!speakers->technique || !bit || !speakers->technique->judge(speakers->technique, packet, &answer) ||
        !is_proved(engine, &flow, &answer))
        return false;
    engine->answers++;
    struct scan_block *scan_block = block_of(engine, &flow.host, &slot);
    if (scan_block)
        note_dead(&record_of(engine, scan_block, slot)->speaker, bit, &answer.verdict);
    return true;
}

/* SYNs to the dead ports that have not answered. Returns how many. */
static unsigned write_probes(const struct engine *engine, const struct addr *host,
                             const struct speaker *speaker, struct probe *ret)
{
    const struct speakers *speakers = &engine->speakers;
    uint8_t known = speaker->dead_open | speaker->dead_closed | speakers->asked_anyway;
    unsigned count = 0;
    for (unsigned i = 0; i < DEAD_PORTS; i++) {
        if (known & 1u << i)
            continue;
        struct token_subject subject = token_subject_of(speakers->technique, host, speakers->ports[i]);
        struct token token = token_make(&engine->config.key, &subject, speaker->asks, engine->now_ns);
        ret[count++] = (struct probe){.technique = speakers->technique,
                                      .dst = *host,
                                      .source_port = token.source_port,
                                      .port = speakers->ports[i],
                                      .number = token.number,
                                      .try_number = speaker->asks};
    }
    return count;
}

static void ask(struct engine *engine, struct scan_block *scan_block, uint32_t slot, struct speaker *speaker)
{
    struct probe probes[DEAD_PORTS];
    struct addr host = block_host(&scan_block->block, slot);
    unsigned count = write_probes(engine, &host, speaker, probes);
    struct order order = {.block = &scan_block->block,
                          .list = probes,
                          .end = count,
                          .limit = count,
                          .rate_pps = path_of(engine, scan_block)->rate.pps};
    speaker->wanted = false;
    speaker->asked_ns = engine->now_ns;
    speaker->asks++;
    if (count == 0)
        return;
    engine->io->ops->work(engine->io, &order, engine->now_ns);
    engine->now_ns = engine->io->ops->now(engine->io);
    count_sent(engine, scan_block, count - order.limit);
}

void speakers_run(struct engine *engine)
{
    struct speakers *speakers = &engine->speakers;
    while (speakers->wanted_count > 0) {
        uint32_t slot;
        struct addr host = speakers->wanted[speakers->wanted_count - 1];
        struct scan_block *scan_block = block_of(engine, &host, &slot);
        if (scan_block && allowance_of(engine, scan_block) == 0)
            return;
        /* first: while its ports are asked, answers come in that put other hosts on the list */
        speakers->wanted_count--;
        if (scan_block) /* else it was reported without */
            ask(engine, scan_block, slot, &record_of(engine, scan_block, slot)->speaker);
    }
}

int64_t speakers_next_ns(const struct engine *engine)
{
    const struct speakers *speakers = &engine->speakers;
    uint32_t slot;
    if (speakers->wanted_count == 0)
        return TIME_NEVER;
    const struct scan_block *scan_block =
        block_of(engine, &speakers->wanted[speakers->wanted_count - 1], &slot);
    return scan_block ? may_send_ns(engine, scan_block) : engine->now_ns;
}

/* Some have answered, so a box is likely, and some may have been lost. */
static bool is_undecided(const struct speaker *speaker)
{
    unsigned opened = (unsigned)__builtin_popcount(speaker->dead_open);
    return opened > 0 && opened < DEAD_OPEN_ENOUGH && !speaker->dead_closed && speaker->asks < ASKS_MAX;
}

/* How long after they were asked an answer may come. A host that has answered what left later does not stand
 * still. */
static int64_t time_out_ns(const struct engine *engine, const struct host_record *record)
{
    bool has_kept_up = engine->answers_are_prompt && record->answered_ns > record->speaker.asked_ns;
    return has_kept_up ? rtt_prompt_rto_ns(&record->rtt, engine->config.timing.prompt_rto_ns)
                       : record->rtt.rto_ns;
}

int64_t speaker_wait_until_ns(struct engine *engine, struct scan_block *scan_block, uint32_t slot)
{
    struct host_record *record = record_of(engine, scan_block, slot);
    struct speaker *speaker = record ? &record->speaker : NULL;
    if (!speaker || !engine->speakers.technique)
        return 0;
    if (speaker->wanted)
        return TIME_NEVER;
    if (speaker->asks == 0 || (speaker->dead_open | speaker->dead_closed) == UINT8_MAX)
        return 0;
    int64_t until_ns = speaker->asked_ns + time_out_ns(engine, record);
    if (until_ns <= engine->now_ns && is_undecided(speaker)) {
        want(engine, scan_block, slot, speaker);
        return speaker->wanted ? TIME_NEVER : 0;
    }
    return until_ns;
}

uint8_t speaker_flags(const struct speaker *speaker)
{
    if (!speaker)
        return 0;
    uint8_t flags = __builtin_popcount(speaker->dead_open) >= DEAD_OPEN_ENOUGH ? RECORD_ANSWERS_ALL : 0;
    /* A service that takes data says so at once (RFC 9293 section 3.8.6.2.2); a SYN proxy cannot know. */
    if (speaker->open_count > 0 && speaker->shut_count == speaker->open_count)
        flags |= RECORD_PROXIED;
    return flags;
}
