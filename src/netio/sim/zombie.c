#include "netio/sim/zombie.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "netio/sim/answer.h"
#include "packet/ip.h"
#include "packet/packet.h"

#define PEERS_MAX       16 /* destinations that a zombie of the kind PER_HOST tells apart; others share */
#define FRAGMENT_HEADER 8  /* RFC 8200 section 4.5 */
#define CONSTANT_ID     0x1234
#define TTL             64

/* When a target sends its SYN/ACK: at once, and as often again while no reset came. */
static const int64_t synack_times_ns[] = {0, 1 * SEC, 3 * SEC, 7 * SEC};

enum event_kind {
    EVENT_QUESTION, /* our SYN/ACK reaches the zombie, which answers us */
    EVENT_SYNACK,   /* one to which it answers somebody else */
    EVENT_TOO_BIG,  /* it learns of a narrow path to `peer` */
    EVENT_FORGERY   /* a reset to us that the zombie did not send */
};

struct event {
    int64_t time_ns;
    uint64_t serial;
    uint8_t kind; /* enum event_kind */
    uint32_t zombie;
    struct addr peer;          /* to whom the zombie's packet goes, or would */
    struct tcp_header segment; /* of QUESTION: what it answers */
};

struct zombie_state {
    const struct sim_zombie *config;
    struct rand traffic; /* apart from all else, so that the same traffic comes whatever we do */
    uint32_t counter;
    int64_t next_packet_ns, next_burst_ns; /* of its own traffic */
    unsigned burst_left;
    int64_t burst_packet_ns;
    struct addr peers[PEERS_MAX];
    uint32_t counters[PEERS_MAX];
    bool narrow[PEERS_MAX]; /* paths that it was told of */
    unsigned peer_count;
    bool restarted;
};

struct sim_zombies {
    const struct sim_config *config;
    struct rand rand;
    struct zombie_state *states; /* owned; by index of config->zombies */
    struct event *events;        /* owned; a heap, earliest first */
    size_t event_count, event_capacity;
    uint64_t serial;
};

static bool earlier(const struct event *a, const struct event *b)
{
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->serial < b->serial;
}

static void push(struct sim_zombies *zombies, struct event event)
{
    if (zombies->event_count == zombies->event_capacity) {
        size_t capacity = zombies->event_capacity ? 2 * zombies->event_capacity : 256;
        struct event *events = reallocarray(zombies->events, capacity, sizeof *events);
        if (!events)
            return; /* lost, as packets may be */
        zombies->events = events;
        zombies->event_capacity = capacity;
    }
    event.serial = zombies->serial++;
    size_t i = zombies->event_count++;
    for (; i > 0 && earlier(&event, &zombies->events[(i - 1) / 2]); i = (i - 1) / 2)
        zombies->events[i] = zombies->events[(i - 1) / 2];
    zombies->events[i] = event;
}

static struct event pop(struct sim_zombies *zombies)
{
    struct event top = zombies->events[0];
    struct event last = zombies->events[--zombies->event_count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < zombies->event_count; i = child) {
        if (child + 1 < zombies->event_count && earlier(&zombies->events[child + 1], &zombies->events[child]))
            child++;
        if (!earlier(&zombies->events[child], &last))
            break;
        zombies->events[i] = zombies->events[child];
    }
    zombies->events[i] = last;
    return top;
}

/* The time to the next of events that come at random. */
static int64_t wait_ns(struct rand *rand, double per_s)
{
    return per_s > 0 ? (int64_t)(-log(1 - rand_unit(rand)) / per_s * (double)SEC) : TIME_NEVER / 2;
}

static bool chance(struct sim_zombies *zombies, double probability)
{
    return probability > 0 && rand_unit(&zombies->rand) < probability;
}

struct sim_zombies *sim_zombies_new(const struct sim_config *config)
{
    struct sim_zombies *zombies = calloc(1, sizeof *zombies);
    if (!zombies)
        return NULL;
    zombies->config = config;
    zombies->rand.state = config->seed ^ UINT64_C(0x7a6f6d626965);
    zombies->states = calloc(config->zombie_count + 1, sizeof *zombies->states);
    if (!zombies->states) {
        free(zombies);
        return NULL;
    }
    for (size_t i = 0; i < config->zombie_count; i++) {
        struct zombie_state *state = &zombies->states[i];
        state->config = &config->zombies[i];
        state->counter = state->config->first_id;
        state->traffic.state = config->seed * 31 + i;
        state->next_packet_ns = wait_ns(&state->traffic, state->config->background_pps);
        state->next_burst_ns = wait_ns(&state->traffic, state->config->bursts_per_s);
    }
    return zombies;
}

void sim_zombies_free(struct sim_zombies *zombies)
{
    if (!zombies)
        return;
    free(zombies->states);
    free(zombies->events);
    free(zombies);
}

static void count_background(struct zombie_state *state)
{
    state->counter += state->config->ipid == SIM_IPID_BY_TWO ? 2 : 1;
}

static void restart(struct zombie_state *state, int64_t now_ns)
{
    if (state->restarted || !state->config->restarts_at_ns || now_ns < state->config->restarts_at_ns)
        return;
    state->restarted = true;
    state->counter = 0;
    memset(state->counters, 0, sizeof state->counters);
}

/* Its own traffic up to this time. */
static void run_traffic(struct zombie_state *state, int64_t now_ns)
{
    const struct sim_zombie *config = state->config;
    while (state->next_packet_ns <= now_ns) {
        count_background(state);
        state->next_packet_ns += wait_ns(&state->traffic, config->background_pps);
    }
    for (;;) {
        if (state->burst_left && state->burst_packet_ns <= now_ns) {
            count_background(state);
            state->burst_left--;
            state->burst_packet_ns += config->burst_gap_ns;
        } else if (!state->burst_left && state->next_burst_ns <= now_ns) {
            state->burst_left = config->burst_len;
            state->burst_packet_ns = state->next_burst_ns;
            state->next_burst_ns += wait_ns(&state->traffic, config->bursts_per_s);
        } else {
            return;
        }
    }
}

static unsigned peer_index(struct zombie_state *state, const struct addr *peer)
{
    for (unsigned i = 0; i < state->peer_count; i++) {
        if (addr_equal(&state->peers[i], peer))
            return i;
    }
    if (state->peer_count == PEERS_MAX)
        return PEERS_MAX - 1;
    state->peers[state->peer_count] = *peer;
    state->counters[state->peer_count] = state->config->first_id + 1000 * state->peer_count;
    return state->peer_count++;
}

/* The ID of its next packet, which goes to this peer. */
static uint32_t next_id(struct sim_zombies *zombies, struct zombie_state *state, const struct addr *peer)
{
    switch ((enum sim_ipid)state->config->ipid) {
    case SIM_IPID_COUNTER:
        return ++state->counter;
    case SIM_IPID_BY_TWO:
        return state->counter += 2;
    case SIM_IPID_SWAPPED:
        state->counter++;
        return (state->counter << 8 & 0xff00) | (state->counter >> 8 & 0xff);
    case SIM_IPID_PER_HOST:
        return ++state->counters[peer_index(state, peer)];
    case SIM_IPID_RANDOM:
        return (uint32_t)rand_next(&zombies->rand);
    case SIM_IPID_ZERO:
        return 0;
    case SIM_IPID_CONSTANT:
        break;
    }
    return CONSTANT_ID;
}

static uint8_t *fragment_header(struct writer *out, uint32_t id)
{
    uint8_t *at = write_span(out, FRAGMENT_HEADER);
    if (at) {
        memset(at, 0, FRAGMENT_HEADER);
        at[0] = IP_PROTO_TCP;
        put_be32(at + 4, id);
    }
    return at;
}

/* The reset to our segment, RFC 9293 section 3.10.7. */
static void write_reset(const struct sim_zombie *zombie, const struct event *event, uint32_t id,
                        bool with_fragment_header, struct sim_zombie_answer *ret)
{
    struct writer out = writer_over(ret->bytes, sizeof ret->bytes);
    struct ip_header ip = {.src = zombie->addr,
                           .dst = event->peer,
                           .proto = with_fragment_header ? IP_PROTO_FRAGMENT : IP_PROTO_TCP,
                           .ttl = TTL,
                           .id = (uint16_t)id};
    struct tcp_build build = {.header = {.source_port = event->segment.port,
                                         .port = event->segment.source_port,
                                         .seq = event->segment.ack,
                                         .flags = TCP_RST}};
    ip_write(&out, &ip, TCP_HEADER_LEN + (with_fragment_header ? FRAGMENT_HEADER : 0));
    if (with_fragment_header)
        fragment_header(&out, id);
    tcp_write(&out, &ip.src, &ip.dst, &build);
    ret->len = out.ok ? writer_len(&out) : 0;
}

static int64_t jitter_ns(struct sim_zombies *zombies, int64_t most_ns)
{
    return most_ns > 0 ? (int64_t)rand_below(&zombies->rand, (uint64_t)most_ns + 1) : 0;
}

/* One way between us and the zombie. */
static int64_t way_ns(struct sim_zombies *zombies, const struct sim_zombie *zombie)
{
    return zombie->rtt_ns / 2 + jitter_ns(zombies, zombie->jitter_ns);
}

static void answer_question(struct sim_zombies *zombies, const struct event *event,
                            struct sim_zombie_answer *ret)
{
    struct zombie_state *state = &zombies->states[event->zombie];
    const struct sim_zombie *zombie = state->config;
    if (chance(zombies, zombie->jump_chance))
        state->counter += (uint32_t)rand_next(&zombies->rand);
    uint32_t id = next_id(zombies, state, &event->peer);
    if (chance(zombies, zombie->loss))
        return;
    bool fragment = zombie->sends_fragment_ids && state->narrow[peer_index(state, &event->peer)];
    write_reset(zombie, event, id, fragment, ret);
    ret->time_ns = event->time_ns + way_ns(zombies, zombie);
}

/* By somebody who saw neither our question nor its number. */
static void forge(struct sim_zombies *zombies, const struct event *event, struct sim_zombie_answer *ret)
{
    struct event forged = *event;
    forged.segment.ack = (uint32_t)rand_next(&zombies->rand);
    write_reset(zombies->states[event->zombie].config, &forged, (uint32_t)rand_next(&zombies->rand), false,
                ret);
    ret->time_ns = event->time_ns;
}

static bool is_silent(const struct sim_zombie *zombie, int64_t now_ns)
{
    return zombie->silent_from_ns && now_ns >= zombie->silent_from_ns &&
           (!zombie->silent_to_ns || now_ns < zombie->silent_to_ns);
}

bool sim_zombies_step(struct sim_zombies *zombies, int64_t now_ns, struct sim_zombie_answer *ret)
{
    ret->len = 0;
    if (sim_zombies_due_ns(zombies) > now_ns)
        return false;
    struct event event = pop(zombies);
    struct zombie_state *state = &zombies->states[event.zombie];
    run_traffic(state, event.time_ns);
    restart(state, event.time_ns);
    if (event.kind == EVENT_FORGERY) {
        forge(zombies, &event, ret);
        return true;
    }
    if (is_silent(state->config, event.time_ns))
        return true;
    if (event.kind == EVENT_QUESTION)
        answer_question(zombies, &event, ret);
    else if (event.kind == EVENT_SYNACK)
        next_id(zombies, state, &event.peer);
    else
        state->narrow[peer_index(state, &event.peer)] = true;
    return true;
}

int64_t sim_zombies_due_ns(const struct sim_zombies *zombies)
{
    return zombies->event_count ? zombies->events[0].time_ns : TIME_NEVER;
}

/* Index of the zombie with this address, or the number of zombies. */
static uint32_t find(const struct sim_zombies *zombies, const struct addr *addr)
{
    uint32_t i = 0;
    while (i < zombies->config->zombie_count && !addr_equal(&zombies->config->zombies[i].addr, addr))
        i++;
    return i;
}

static const struct sim_host *target_of(const struct sim_zombies *zombies, const struct addr *addr)
{
    for (size_t i = 0; i < zombies->config->host_count; i++) {
        const struct sim_host *host = &zombies->config->hosts[i];
        if (addr_compare(addr, &host->first) >= 0 && addr_compare(addr, &host->last) <= 0)
            return host;
    }
    return NULL;
}

/* Something for the zombie itself: a question of ours, or what we send it in somebody's name. */
static void send_to_zombie(struct sim_zombies *zombies, uint32_t index, const struct packet *packet,
                           bool ours, int64_t now_ns)
{
    const struct sim_zombie *zombie = &zombies->config->zombies[index];
    const struct sim_host *named = target_of(zombies, &packet->src);
    bool synack = packet->layer == LAYER_TCP && packet->tcp.flags == (TCP_SYN | TCP_ACK);
    bool too_big = packet->layer == LAYER_ICMP6 && packet->icmp.type == ICMP6_PACKET_TOO_BIG;
    struct event event = {.zombie = index, .peer = packet->src, .segment = packet->tcp};
    for (unsigned i = 0; ours && synack && i < zombie->forgeries; i++) {
        event.kind = EVENT_FORGERY;
        event.time_ns = now_ns + way_ns(zombies, zombie);
        push(zombies, event);
    }
    if ((!synack && !too_big) || (named && named->not_to_be_spoofed) || chance(zombies, zombie->loss))
        return;
    event.kind = too_big ? EVENT_TOO_BIG : ours ? EVENT_QUESTION : EVENT_SYNACK;
    event.time_ns = now_ns + way_ns(zombies, zombie);
    push(zombies, event);
}

/* A SYN in the zombie's name reaches an open port: SYN/ACKs to the zombie until a reset of it comes back. */
static void send_synacks(struct sim_zombies *zombies, uint32_t index, const struct sim_host *target,
                         const struct addr *target_addr, int64_t now_ns)
{
    const struct sim_zombie *zombie = &zombies->config->zombies[index];
    int64_t at_target_ns = now_ns + target->rtt_ns / 2 + jitter_ns(zombies, target->jitter_ns);
    int64_t between_ns = (target->rtt_ns + zombie->rtt_ns) / 2;
    for (size_t i = 0; i < sizeof synack_times_ns / sizeof synack_times_ns[0]; i++) {
        int64_t way = between_ns + jitter_ns(zombies, target->jitter_ns);
        if (chance(zombies, target->loss_back))
            continue;
        int64_t at_zombie_ns = at_target_ns + synack_times_ns[i] + way;
        push(zombies,
             (struct event){
                 .kind = EVENT_SYNACK, .zombie = index, .peer = *target_addr, .time_ns = at_zombie_ns});
        if (!is_silent(zombie, at_zombie_ns) && !chance(zombies, zombie->loss))
            return;
    }
}

static void send_in_zombies_name(struct sim_zombies *zombies, uint32_t index, const struct packet *packet,
                                 int64_t now_ns)
{
    const struct sim_host *target = target_of(zombies, &packet->dst);
    if (!target || target->down || target->not_to_be_spoofed || packet->layer != LAYER_TCP ||
        packet->tcp.flags != TCP_SYN || chance(zombies, target->loss_out))
        return;
    if (sim_port_of(target, IP_PROTO_TCP, packet->tcp.port).behaviour == SIM_OPEN)
        send_synacks(zombies, index, target, &packet->dst, now_ns);
}

bool sim_zombies_take(struct sim_zombies *zombies, const uint8_t *bytes, size_t len, int64_t now_ns)
{
    struct packet packet;
    struct packet_reading strict = {.checksums = true};
    if (packet_read_ip(bytes, len, strict, &packet) != PACKET_OK)
        return false;
    const struct sim_config *config = zombies->config;
    bool ours = addr_equal(&packet.src, packet.src.family == ADDR_V4 ? &config->source4 : &config->source6) ||
                (config->pool && source_pool_find(config->pool, &packet.src));
    uint32_t count = (uint32_t)config->zombie_count;
    uint32_t to = find(zombies, &packet.dst), from = find(zombies, &packet.src);
    if (to < count)
        send_to_zombie(zombies, to, &packet, ours, now_ns);
    else if (from < count)
        send_in_zombies_name(zombies, from, &packet, now_ns);
    return to < count || !ours;
}
