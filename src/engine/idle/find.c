#include "engine/idle/find.h"

#include <stdlib.h>

#include "engine/emit.h"
#include "engine/idle/qualify.h"
#include "engine/path/pacer.h"
#include "technique/rows.h"

#define CANDIDATES_MAX     512 /* that are asked at the same time */
#define FIRST_QUESTIONS    3   /* after which a host that never answered is silent */
#define NEIGHBOR_TRIES     3
#define NEIGHBOR_WAIT_NS   (400 * MSEC)
#define PROGRESS_PERIOD_NS (200 * MSEC)
#define SEND_PATIENCE_NS   (20 * MSEC)

enum candidate_step {
    CANDIDATE_NONE,
    CANDIDATE_NEIGHBOR, /* its station on an attached network is asked for */
    CANDIDATE_FIRST,    /* it has not answered yet */
    CANDIDATE_ASKED
};

struct candidate {
    uint8_t step; /* enum candidate_step */
    uint8_t neighbor_asked;
    bool neighbor_known;
    int64_t wake_ns;
    struct zombie zombie;
    struct question questions[QUALIFY_QUESTIONS_MAX];
};

struct idle_find {
    struct scanner scanner;
    struct engine_config config;
    struct netio *io;
    uint16_t port;
    int64_t now_ns;
    struct pacer pacer;
    struct rtt_limits rtt_limits;
    struct candidate candidates[CANDIDATES_MAX];
    unsigned count; /* of those that are at work */
    uint64_t next_host;
    uint64_t hosts_up, hosts_done, probes_sent, answers, rejected;
    int64_t next_progress_ns;
    bool stopping, over;
};

static struct idle_find *find_of(struct scanner *scanner)
{
    return (struct idle_find *)scanner; /* the scanner is the first member */
}

/* ----- records
 * ------------------------------------------------------------------------------------------------------- */

static void emit_progress(struct idle_find *find)
{
    struct record record = record_new(&find->config, find->now_ns, RECORD_PROGRESS, NULL);
    uint64_t hosts = find->config.plan->host_count;
    record.value[PROGRESS_PROBES_SENT] = find->probes_sent;
    record.value[PROGRESS_PROBES_PLANNED] =
        find->hosts_done ? (uint64_t)((double)find->probes_sent * (double)hosts / (double)find->hosts_done)
                         : hosts;
    record.value[PROGRESS_ANSWERS] = find->answers;
    record.value[PROGRESS_DROPS] = find->io->stats.ring_drops + find->io->stats.send_errors;
    record.value[PROGRESS_REJECTED] = find->rejected;
    record.value[PROGRESS_RATE_PPS] = (uint64_t)find->pacer.rate_pps;
    record.value[PROGRESS_HOSTS_DONE] = find->hosts_done;
    record.value[PROGRESS_HOSTS_UP] = find->hosts_up;
    find->config.emit(find->config.context, &record);
}

static void emit_down(struct idle_find *find, const struct addr *host, enum reason reason)
{
    struct record record = record_new(&find->config, find->now_ns, RECORD_HOST_DOWN, host);
    record.reason = (uint8_t)reason;
    find->config.emit(find->config.context, &record);
    find->hosts_done++;
}

static void emit_up(struct idle_find *find, const struct addr *host, enum reason reason, int64_t rtt_ns)
{
    struct record record = record_new(&find->config, find->now_ns, RECORD_HOST_UP, host);
    record.reason = (uint8_t)reason;
    record.rtt_ns = rtt_ns;
    find->config.emit(find->config.context, &record);
    find->hosts_up++;
}

static void emit_done(struct idle_find *find, const struct addr *host)
{
    struct record record = record_new(&find->config, find->now_ns, RECORD_HOST_DONE, host);
    record.reason = REASON_NO_RESPONSE;
    find->config.emit(find->config.context, &record);
    find->hosts_done++;
}

static bool end(struct idle_find *find, uint8_t flags)
{
    struct record record = record_new(&find->config, find->now_ns, RECORD_END, NULL);
    emit_progress(find);
    record.flags = flags;
    find->config.emit(find->config.context, &record);
    find->over = true;
    return false;
}

/* ----- candidates
 * ---------------------------------------------------------------------------------------------------- */

static void send_probes(struct idle_find *find, struct probe *probes, uint32_t count)
{
    struct order order = {.list = probes, .end = count, .limit = count, .rate_pps = find->pacer.rate_pps};
    if (count == 0)
        return;
    find->io->ops->work(find->io, &order, find->now_ns + SEND_PATIENCE_NS);
    find->now_ns = find->io->ops->now(find->io);
    find->probes_sent += count - order.limit;
    pacer_spend(&find->pacer, count);
}

static void begin_asking(struct idle_find *find, struct candidate *candidate)
{
    struct probe hints[QUALIFY_HINTS_MAX];
    candidate->step = CANDIDATE_FIRST;
    candidate->wake_ns = find->now_ns;
    send_probes(find, hints, qualify_hints(&candidate->zombie, hints));
}

static void begin(struct idle_find *find, struct candidate *candidate, const struct addr *host, bool on_link)
{
    *candidate = (struct candidate){.wake_ns = find->now_ns};
    struct zombie *zombie = &candidate->zombie;
    zombie->addr = *host;
    zombie->port = find->port;
    zombie->source = find->io->ops->source(find->io, host);
    zombie->key = find->config.key;
    zombie->questions = candidate->questions;
    zombie->capacity = QUALIFY_QUESTIONS_MAX;
    zombie_init(zombie, &find->rtt_limits);
    find->count++;
    if (on_link)
        candidate->step = CANDIDATE_NEIGHBOR;
    else
        begin_asking(find, candidate);
}

static void take_host(struct idle_find *find, struct candidate *candidate)
{
    struct addr host = plan_host_at(find->config.plan, find->next_host++);
    enum reach way = find->io->ops->reach(find->io, &host);
    if (way == REACH_NONE) {
        emit_down(find, &host, REASON_NO_ROUTE);
    } else if (way == REACH_LOCAL) { /* no third party */
        emit_up(find, &host, REASON_LOCALHOST_RESPONSE, 0);
        emit_done(find, &host);
    } else {
        begin(find, candidate, &host, way == REACH_LINK && find->io->ops->can(find->io, REQUEST_NEIGHBOR));
    }
}

static void drop(struct idle_find *find, struct candidate *candidate)
{
    candidate->step = CANDIDATE_NONE;
    find->count--;
}

static void judge(struct idle_find *find, struct candidate *candidate)
{
    struct zombie *zombie = &candidate->zombie;
    struct qualification found = qualify_judge(zombie);
    emit_up(find, &zombie->addr, REASON_RESET, zombie->rtt.srtt_ns);
    struct record record = record_new(&find->config, find->now_ns, RECORD_NOTE, &zombie->addr);
    record.note = NOTE_ZOMBIE;
    record.value[0] = found.class;
    record.value[1] = (uint64_t)(found.pps * 1e3);
    record.value[2] = (uint64_t)(zombie->loss * 1e6);
    record.value[3] = (uint64_t)zombie->rtt.srtt_ns;
    find->config.emit(find->config.context, &record);
    emit_done(find, &zombie->addr);
    drop(find, candidate);
}

static void give_up(struct idle_find *find, struct candidate *candidate)
{
    emit_down(find, &candidate->zombie.addr, REASON_NO_RESPONSE);
    drop(find, candidate);
}

static void ask_neighbor(struct idle_find *find, struct candidate *candidate)
{
    struct probe probe = {.technique = &technique_neighbor, .dst = candidate->zombie.addr};
    if (candidate->neighbor_known) {
        begin_asking(find, candidate);
    } else if (candidate->neighbor_asked == NEIGHBOR_TRIES) {
        give_up(find, candidate);
    } else {
        candidate->neighbor_asked++;
        candidate->wake_ns = find->now_ns + NEIGHBOR_WAIT_NS;
        send_probes(find, &probe, 1);
    }
}

/* Until the first answer each question waits for the fate of the one before. */
static void ask(struct idle_find *find, struct candidate *candidate)
{
    struct zombie *zombie = &candidate->zombie;
    bool first = candidate->step == CANDIDATE_FIRST;
    int64_t due_ns = zombie_due_ns(zombie);
    if (first ? due_ns == TIME_NEVER && zombie->next_serial < FIRST_QUESTIONS : qualify_asks_more(zombie)) {
        struct probe probe = zombie_ask(zombie, find->now_ns);
        candidate->wake_ns = first ? zombie_due_ns(zombie) : find->now_ns + QUALIFY_GAP_NS;
        send_probes(find, &probe, 1);
    } else if (due_ns != TIME_NEVER) {
        candidate->wake_ns = due_ns;
    } else if (first) {
        give_up(find, candidate);
    } else {
        judge(find, candidate);
    }
}

/* What is due, as far as the rate allows. */
static void run_candidates(struct idle_find *find)
{
    for (unsigned i = 0; i < CANDIDATES_MAX; i++) {
        struct candidate *candidate = &find->candidates[i];
        if (pacer_allowance(&find->pacer, find->now_ns) == 0)
            return;
        if (candidate->step == CANDIDATE_NONE && find->next_host < find->config.plan->host_count)
            take_host(find, candidate);
        if (candidate->step == CANDIDATE_NONE || candidate->wake_ns > find->now_ns)
            continue;
        zombie_time_out(&candidate->zombie, find->now_ns);
        if (candidate->step == CANDIDATE_NEIGHBOR)
            ask_neighbor(find, candidate);
        else
            ask(find, candidate);
    }
}

static int64_t wake_ns(const struct idle_find *find, int64_t until_ns)
{
    int64_t wake_ns = find->next_progress_ns < until_ns ? find->next_progress_ns : until_ns;
    if (find->count < CANDIDATES_MAX && find->next_host < find->config.plan->host_count)
        wake_ns = find->now_ns;
    for (unsigned i = 0; i < CANDIDATES_MAX; i++) {
        const struct candidate *candidate = &find->candidates[i];
        if (candidate->step != CANDIDATE_NONE && candidate->wake_ns < wake_ns)
            wake_ns = candidate->wake_ns;
    }
    int64_t allowed_ns = pacer_next_ns(&find->pacer);
    return wake_ns > allowed_ns ? wake_ns : allowed_ns;
}

/* ----- events
 * -------------------------------------------------------------------------------------------------------- */

static struct candidate *candidate_at(struct idle_find *find, const struct addr *host)
{
    for (unsigned i = 0; i < CANDIDATES_MAX; i++) {
        if (find->candidates[i].step != CANDIDATE_NONE && addr_equal(&find->candidates[i].zombie.addr, host))
            return &find->candidates[i];
    }
    return NULL;
}

static void on_packet(void *context, int64_t time_ns, const struct packet *packet)
{
    struct idle_find *find = context;
    bool neighbor = packet->layer == LAYER_ARP || (packet->layer == LAYER_ICMP6 && packet->icmp.is_neighbor);
    struct candidate *candidate = candidate_at(find, &packet->src);
    if (!candidate)
        return;
    if (neighbor && candidate->step == CANDIDATE_NEIGHBOR) {
        candidate->neighbor_known = true;
        candidate->wake_ns = 0;
    } else if (!neighbor) {
        uint64_t rejected = candidate->zombie.rejected;
        bool answered = zombie_answer(&candidate->zombie, packet, time_ns);
        find->answers += answered;
        find->rejected += candidate->zombie.rejected - rejected;
        if (answered && candidate->step == CANDIDATE_FIRST) {
            candidate->step = CANDIDATE_ASKED;
            candidate->wake_ns = 0;
        }
    }
}

static void on_connected(void *context, const struct connect_event *event)
{
    (void)context;
    (void)event;
}

/* A question that did not leave is not answered, as if it had been lost. */
static void on_unsent(void *context, const struct order *order, const struct probe *probe, int error)
{
    (void)context;
    (void)order;
    (void)probe;
    (void)error;
}

static void on_dropped(void *context, int64_t from_ns, int64_t to_ns, uint64_t count)
{
    (void)context;
    (void)from_ns;
    (void)to_ns;
    (void)count;
}

/* ----- the scanner
 * --------------------------------------------------------------------------------------------------- */

static bool find_turn(struct scanner *scanner, int64_t until_ns)
{
    struct idle_find *find = find_of(scanner);
    if (find->over)
        return false;
    find->now_ns = find->io->ops->now(find->io);
    if (find->stopping)
        return end(find, RECORD_UNFINISHED);
    if (find->now_ns >= find->next_progress_ns) {
        emit_progress(find);
        find->next_progress_ns = find->now_ns + PROGRESS_PERIOD_NS;
    }
    run_candidates(find);
    if (find->count == 0 && find->next_host == find->config.plan->host_count)
        return end(find, 0);
    find->io->ops->work(find->io, NULL, wake_ns(find, until_ns));
    return true;
}

static void find_stop(struct scanner *scanner)
{
    find_of(scanner)->stopping = true;
}

static void find_free(struct scanner *scanner)
{
    free(find_of(scanner));
}

int idle_find_new(const struct engine_config *config, uint16_t port, struct scanner **ret, struct error *err)
{
    static const struct scanner_ops ops = {.turn = find_turn, .stop = find_stop, .free = find_free};
    static const struct netio_events events = {
        .packet = on_packet, .connected = on_connected, .unsent = on_unsent, .dropped = on_dropped};
    const struct timing *timing = &config->timing;
    struct idle_find *find = calloc(1, sizeof *find);
    if (!find)
        return error_set(err, EX_OSERR, "not enough memory to look for zombies");
    find->scanner.ops = &ops;
    find->config = *config;
    find->port = port;
    find->io = config->io;
    find->io->events = &events;
    find->io->context = find;
    find->now_ns = find->io->ops->now(find->io);
    find->rtt_limits = (struct rtt_limits){timing->min_rto_ns, timing->initial_rto_ns, timing->max_rto_ns};
    double rate_pps = timing->max_rate_pps > 0 && timing->max_rate_pps < timing->default_rate_pps
                          ? timing->max_rate_pps
                          : timing->default_rate_pps;
    pacer_init(&find->pacer, rate_pps, find->now_ns);
    *ret = &find->scanner;
    return 0;
}
