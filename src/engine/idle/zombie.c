#include "engine/idle/zombie.h"

#include "base/bytes.h"
#include "base/siphash.h"
#include "base/time.h"
#include "technique/rows.h"

#define LOSS_WEIGHT     (1.0 / 32) /* of one question in the share of lost ones */
#define RTO_FLOOR_NS    (30 * MSEC)
#define JITTER_LEAST_NS (300 * USEC)
#define MEMORY          64 /* round trips after which an extreme is about forgotten */

static struct question *question_at(struct zombie *zombie, uint64_t serial)
{
    return &zombie->questions[serial % zombie->capacity];
}

const struct question *zombie_question(const struct zombie *zombie, uint64_t serial)
{
    return &zombie->questions[serial % zombie->capacity];
}

void zombie_init(struct zombie *zombie, const struct rtt_limits *limits)
{
    zombie->rtt_limits = *limits;
    if (zombie->rtt_limits.min_rto_ns < RTO_FLOOR_NS)
        zombie->rtt_limits.min_rto_ns = RTO_FLOOR_NS;
    rtt_init(&zombie->rtt, &zombie->rtt_limits);
}

/* No zombie can know the numbers of another's questions. */
static uint32_t number_of(const struct zombie *zombie, uint64_t serial)
{
    const uint8_t *bytes = zombie->addr.bytes;
    uint64_t words[] = {serial, get_be64(bytes), get_be64(bytes + 8)};
    return (uint32_t)siphash_words(&zombie->key.secret, words, sizeof words / sizeof words[0]);
}

struct probe zombie_ask(struct zombie *zombie, int64_t now_ns)
{
    uint64_t serial = zombie->next_serial++;
    if (zombie->oldest_open + zombie->capacity <= serial)
        zombie->oldest_open = serial - zombie->capacity + 1;
    uint32_t number = number_of(zombie, serial);
    *question_at(zombie, serial) = (struct question){.sent_ns = now_ns, .number = number};
    return (struct probe){
        .technique = &technique_zombie_id,
        .src = zombie->source,
        .dst = zombie->addr,
        .source_port = (uint16_t)(zombie->key.first_port + serial % zombie->key.port_count),
        .port = zombie->port,
        .number = number,
    };
}

/* The last question that left from this port and carried this number. */
static struct question *find(struct zombie *zombie, uint16_t source_port, uint32_t number)
{
    uint64_t ports = zombie->key.port_count;
    uint64_t offset = (uint64_t)(uint16_t)(source_port - zombie->key.first_port);
    if (offset >= ports || zombie->next_serial <= offset)
        return NULL;
    uint64_t last = zombie->next_serial - 1;
    uint64_t serial = last - (last - offset) % ports;
    for (; serial + zombie->capacity > last; serial -= ports) {
        if (question_at(zombie, serial)->number == number)
            return question_at(zombie, serial);
        if (serial < ports)
            break;
    }
    return NULL;
}

/* The extremes move towards what comes, so that one packet that was held up is soon forgotten. */
static void note_round_trip(struct zombie *zombie, int64_t round_trip_ns)
{
    if (zombie->answered == 1)
        zombie->shortest_ns = zombie->longest_ns = round_trip_ns;
    zombie->shortest_ns +=
        (round_trip_ns - zombie->shortest_ns) / (round_trip_ns < zombie->shortest_ns ? 1 : MEMORY);
    zombie->longest_ns +=
        (round_trip_ns - zombie->longest_ns) / (round_trip_ns > zombie->longest_ns ? 1 : MEMORY);
    rtt_sample(&zombie->rtt, &zombie->rtt_limits, round_trip_ns);
}

static void note_fate(struct zombie *zombie, bool lost)
{
    zombie->loss += ((lost ? 1.0 : 0.0) - zombie->loss) * LOSS_WEIGHT;
    zombie->lost_in_a_row = lost ? zombie->lost_in_a_row + 1 : 0;
}

bool zombie_answer(struct zombie *zombie, const struct packet *packet, int64_t time_ns)
{
    if (packet->layer != LAYER_TCP || !(packet->tcp.flags & TCP_RST) ||
        packet->tcp.source_port != zombie->port || !addr_equal(&packet->src, &zombie->addr))
        return false;
    struct question *question = find(zombie, packet->tcp.port, packet->tcp.seq);
    if (!question || question->state == QUESTION_ANSWERED || time_ns < question->sent_ns) {
        zombie->rejected++;
        return false;
    }
    bool v4 = packet->src.family == ADDR_V4;
    zombie->without_fragments = !v4 && !packet->has_fragment_id;
    question->state = QUESTION_ANSWERED;
    question->id = v4 ? packet->ip_id : packet->fragment_id;
    zombie->answered++;
    zombie->answered_ns = time_ns;
    note_round_trip(zombie, time_ns - question->sent_ns);
    note_fate(zombie, false);
    return true;
}

static void skip_settled(struct zombie *zombie)
{
    while (zombie->oldest_open < zombie->next_serial &&
           question_at(zombie, zombie->oldest_open)->state != QUESTION_OPEN)
        zombie->oldest_open++;
}

void zombie_time_out(struct zombie *zombie, int64_t now_ns)
{
    skip_settled(zombie);
    while (zombie_due_ns(zombie) <= now_ns) {
        question_at(zombie, zombie->oldest_open)->state = QUESTION_LOST;
        note_fate(zombie, true);
        skip_settled(zombie);
    }
}

int64_t zombie_due_ns(const struct zombie *zombie)
{
    uint64_t serial = zombie->oldest_open;
    while (serial < zombie->next_serial && zombie_question(zombie, serial)->state != QUESTION_OPEN)
        serial++;
    if (serial == zombie->next_serial)
        return TIME_NEVER;
    return zombie_question(zombie, serial)->sent_ns + zombie->rtt.rto_ns;
}

/* Both ways together vary by the longest less the shortest round trip. */
int64_t zombie_jitter_ns(const struct zombie *zombie)
{
    return (zombie->longest_ns - zombie->shortest_ns) * 6 / 10 + JITTER_LEAST_NS;
}
