#include "scenario.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "engine/ask_first.h"
#include "netio/sim/answer.h"
#include "netio/sim/relay.h"
#include "technique/rows.h"

#define VIRTUAL_TIME_MAX_NS (4 * 3600 * SEC)
#define WRONG_PRINTED_MAX   5
#define WATCHED_TURNS       65536

struct timing scenario_timing(void)
{
    return (struct timing){
        .min_rto_ns = 10 * MSEC,
        .initial_rto_ns = SEC,
        .max_rto_ns = 10 * SEC,
        .risk = TIMING_RISK_USUAL,
        .max_retries = 30,
        .default_rate_pps = 10000,
        .share_left = 0.1,
    };
}

static struct addr parse(const char *text)
{
    struct addr addr;
    bool ok = addr_parse(text, &addr);
    assert(ok);
    return addr;
}

static const struct technique *technique_at(const struct scenario *scenario, unsigned port)
{
    return scenario->also && port >= scenario->also_from ? scenario->also : scenario->technique;
}

static void take_port(struct scenario *scenario, struct seen_host *host, const struct record *record)
{
    assert(record->port >= scenario->first_port && record->port <= scenario->last_port);
    struct seen_port *port = &host->ports[record->port - scenario->first_port];
    port->state = record->state;
    port->reason = record->reason;
    port->flags = record->flags;
    port->tries = record->tries;
    port->source = record->source;
    port->reports++;
}

static void take_done(struct scenario *scenario, struct seen_host *host, const struct record *record)
{
    bool unfinished = record->flags & RECORD_UNFINISHED;
    host->done = true;
    host->done_count++;
    host->done_flags = record->flags;
    host->done_ns = record->time_ns;
    for (uint32_t i = 0; !scenario->no_ports && i <= (uint32_t)(scenario->last_port - scenario->first_port);
         i++) {
        struct seen_port *port = &host->ports[i];
        if (port->reports)
            continue;
        port->state =
            unfinished ? PORT_UNKNOWN : technique_at(scenario, scenario->first_port + i)->silent_state;
        port->reason = unfinished ? REASON_UNFINISHED : record->reason;
        port->source = record->source;
    }
}

static struct seen_host *host_of(struct scenario *scenario, const struct record *record)
{
    uint64_t position;
    if (record->host.family == ADDR_NONE)
        return NULL;
    bool known = plan_host_find(scenario->plan, &record->host, &position);
    assert(known);
    return &scenario->hosts[position];
}

static void take_note(struct scenario *scenario, const struct record *record)
{
    scenario->notes[record->note]++;
    if (record->note == NOTE_RATE && record->value[1] < record->value[0])
        scenario->slower[record->value[2]]++;
    if (record->note != NOTE_RELAY)
        return;
    assert(record->value[0] < RELAY_TROUBLE_COUNT);
    scenario->troubles[record->value[0]]++;
    scenario->trouble_number = (unsigned)record->value[1];
}

static void take_record(void *context, const struct record *record)
{
    struct scenario *scenario = context;
    assert(record_valid(record));
    scenario->records[record->type]++;
    if (scenario->keep)
        scenario->keep(scenario->keep_context, record);
    struct seen_host *host = record->type == RECORD_NOTE ? NULL : host_of(scenario, record);
    switch ((enum record_type)record->type) {
    case RECORD_HOST_UP:
        assert(!host->up && !host->down);
        host->up = true;
        host->up_reason = record->reason;
        break;
    case RECORD_HOST_DOWN:
        assert(!host->up && !host->down);
        host->down = true;
        break;
    case RECORD_PORT:
        take_port(scenario, host, record);
        break;
    case RECORD_CONFIRMATION:
        host->ports[record->port - scenario->first_port].confirmation = record->confirmation;
        break;
    case RECORD_HOST_DONE:
        take_done(scenario, host, record);
        break;
    case RECORD_NOTE:
        take_note(scenario, record);
        break;
    case RECORD_PROGRESS:
        memcpy(scenario->progress, record->value, sizeof scenario->progress);
        break;
    case RECORD_END:
        scenario->unfinished = record->flags & RECORD_UNFINISHED;
        memcpy(scenario->end, record->value, sizeof scenario->end);
        break;
    case RECORD_EVIDENCE:
    case RECORD_INTAKE:
    case RECORD_BLOCK_HOSTS:
    case RECORD_BLOCK:
    case RECORD_BLOCK_VOID:
    case RECORD_BLOCK_END:
    case RECORD_MAC:
    case RECORD_TYPE_COUNT:
        break;
    }
}

static void make_plan(struct scenario *scenario)
{
    struct addr_set targets = {0};
    struct port_set *ports = calloc(1, sizeof *ports);
    scenario->plan = calloc(1, sizeof *scenario->plan);
    struct plan_options options = {.seed = scenario->seed, .shard_count = 1};
    struct error err = {0};
    assert(ports && scenario->plan);
    for (unsigned port = scenario->first_port; port <= scenario->last_port; port++)
        port_set_add(ports, (enum port_protocol)technique_at(scenario, port)->protocol, (uint16_t)port);
    int result = addr_set_add(&targets, parse(scenario->targets_first), parse(scenario->targets_last));
    assert(result == 0);
    result = plan_init(scenario->plan, &targets, NULL, NULL, ports, &options, &err);
    assert(result == 0);
    free(ports);
}

static void make_hosts(struct scenario *scenario)
{
    uint64_t count = scenario->plan->host_count;
    size_t port_count = (size_t)(scenario->last_port - scenario->first_port) + 1;
    scenario->hosts = calloc(count, sizeof *scenario->hosts);
    struct seen_port *ports = calloc(count * port_count, sizeof *ports);
    assert(scenario->hosts && ports);
    for (uint64_t i = 0; i < count; i++)
        scenario->hosts[i].ports = ports + i * port_count;
}

static struct token_key make_key(const struct scenario *scenario)
{
    uint64_t seed = scenario->resume ? ~scenario->seed : scenario->seed;
    struct rand rand = {.state = seed ^ UINT64_C(0x746f6b656e)};
    struct token_key key = {.first_port = SCENARIO_FIRST_PORT,
                            .port_count = scenario->one_source_port ? 1 : SCENARIO_PORT_COUNT};
    key.secret.half[0] = rand_next(&rand);
    key.secret.half[1] = rand_next(&rand);
    return key;
}

/* How much had been sent at the end of each of the last turns. */
struct rate_watch {
    int64_t times_ns[WATCHED_TURNS];
    uint64_t sent[WATCHED_TURNS];
    unsigned first, count;
};

static void watch(struct rate_watch *rate_watch, struct scenario *scenario, struct netio *io)
{
    int64_t now_ns = io->ops->now(io);
    rate_watch->times_ns[rate_watch->count % WATCHED_TURNS] = now_ns;
    rate_watch->sent[rate_watch->count % WATCHED_TURNS] = io->stats.packets_sent;
    rate_watch->count++;
    while (now_ns - rate_watch->times_ns[rate_watch->first % WATCHED_TURNS] > 100 * MSEC)
        rate_watch->first++;
    uint64_t sent = io->stats.packets_sent - rate_watch->sent[rate_watch->first % WATCHED_TURNS];
    if (sent > scenario->worst_window)
        scenario->worst_window = sent;
}

static void run(struct scenario *scenario, struct scanner *scanner, struct netio *io)
{
    int64_t start_ns = io->ops->now(io);
    struct rate_watch *rate_watch = scenario->watch_rate ? calloc(1, sizeof *rate_watch) : NULL;
    while (scanner->ops->turn(scanner, TIME_NEVER)) {
        int64_t elapsed_ns = io->ops->now(io) - start_ns;
        assert(elapsed_ns < VIRTUAL_TIME_MAX_NS);
        if (scenario->kill_at_ns && elapsed_ns >= scenario->kill_at_ns)
            break;
        if (scenario->stop_at_ns && elapsed_ns >= scenario->stop_at_ns)
            scanner->ops->stop(scanner);
        if (rate_watch)
            watch(rate_watch, scenario, io);
    }
    scenario->took_ns = io->ops->now(io) - start_ns;
    scenario->stats = io->stats;
    free(rate_watch);
}

static void set_addresses(struct scenario *scenario)
{
    scenario->sim.seed = scenario->seed;
    scenario->sim.source4 = parse("203.0.113.1");
    scenario->sim.router4 = parse("203.0.113.254");
    scenario->sim.source6 = parse("2001:db8:ffff::1");
    scenario->sim.router6 = parse("2001:db8:ffff::fe");
}

/* Members need not be of a machine that does not exist. */
static struct source_pool make_pool(uint32_t size)
{
    struct source_pool pool = {.addrs = calloc(size + 1, sizeof *pool.addrs), .v4_count = size};
    assert(pool.addrs);
    for (uint32_t i = 0; i < size; i++)
        pool.addrs[i] = addr_v4(UINT32_C(0xcb007100) + i);
    return pool;
}

static struct scanner *make_engine(const struct engine_config *config)
{
    struct scanner *scanner;
    struct error err;
    int result = engine_new(config, &scanner, &err);
    assert(result == 0);
    return scanner;
}

static struct scanner *make_bounce(const struct scenario *scenario, struct engine_config *config,
                                   struct found_hosts *found)
{
    struct scanner *scanner;
    struct error err;
    if (scenario->discovery) {
        int result = found_hosts_init(found, config->plan, &err);
        assert(result == 0);
        config->found = found;
    }
    int result = bounce_new(config, scenario->relay, &scanner, &err);
    if (result == 0 && scenario->discovery)
        result = ask_first_new(config, found, scanner, &scanner, &err);
    assert(result == 0);
    return scanner;
}

void scenario_run(struct scenario *scenario)
{
    set_addresses(scenario);
    make_plan(scenario);
    make_hosts(scenario);

    uint32_t spec_count = scenario->no_ports ? 0 : (uint32_t)(scenario->last_port - scenario->first_port) + 1;
    struct probe_spec *specs = calloc(spec_count ? spec_count : 1, sizeof *specs);
    assert(specs);
    for (uint32_t i = 0; i < spec_count; i++) {
        uint16_t port = (uint16_t)(scenario->first_port + i);
        specs[i] = (struct probe_spec){technique_at(scenario, port), port};
    }
    const struct probe_spec discovery[] = {
        {&technique_neighbor, 0},   {&technique_ping_echo, 0}, {&technique_ping_timestamp, 0},
        {&technique_ping_syn, 443}, {&technique_ping_ack, 80},
    };
    const struct probe_spec only[] = {{&technique_neighbor, 0}, {scenario->ping, 80}};

    struct source_pool pool = make_pool(scenario->pool_size);
    scenario->sim.pool = &pool;
    struct netio *io = sim_new(&scenario->sim);
    assert(io);
    struct engine_config config = {
        .plan = scenario->plan,
        .specs = specs,
        .spec_count = spec_count,
        .early_count = spec_count / 10,
        .discovery = scenario->ping ? only : discovery,
        .discovery_count = scenario->ping        ? 2
                           : scenario->discovery ? 5
                                                 : 1,
        .assume_up = !scenario->discovery,
        .timing = scenario->timing,
        .verify = scenario->verify,
        .key = make_key(scenario),
        .checkpoints = scenario->keep != NULL,
        .resume = scenario->resume,
        .pool = &pool,
        .io = io,
        .emit = take_record,
        .context = scenario,
    };
    struct found_hosts found = {.up = NULL};
    struct scanner *scanner = scenario->relay ? make_bounce(scenario, &config, &found) : make_engine(&config);
    run(scenario, scanner, io);
    scanner->ops->free(scanner);
    found_hosts_done(&found);
    io->ops->close(io);
    source_pool_done(&pool);
    free(specs);
}

void scenario_done(struct scenario *scenario)
{
    free(scenario->hosts[0].ports);
    free(scenario->hosts);
    plan_done(scenario->plan);
    free(scenario->plan);
}

const struct seen_host *scenario_host(const struct scenario *scenario, const char *address)
{
    struct addr addr = parse(address);
    uint64_t position;
    bool known = plan_host_find(scenario->plan, &addr, &position);
    assert(known);
    return &scenario->hosts[position];
}

const struct seen_port *scenario_port(const struct scenario *scenario, const char *address, uint16_t port)
{
    return &scenario_host(scenario, address)->ports[port - scenario->first_port];
}

/* What a SYN finds at a port that answers a handshake in some way. */
static bool is_open(const struct sim_port *port)
{
    return port->behaviour == SIM_OPEN || port->behaviour == SIM_BARE_SYN ||
           port->behaviour == SIM_BROKEN_OPTIONS || port->behaviour == SIM_SOFT_ONCE ||
           port->behaviour == SIM_FICKLE;
}

static bool answers_icmp(const struct sim_port *port)
{
    return port->behaviour == SIM_ICMP || port->behaviour == SIM_SHORT_QUOTE;
}

/* What an open port shows to a technique other than SYN and connect; the reset that it may send says
 * "closed". */
static enum port_state open_seen_by(const struct technique *technique, const struct sim_host *host)
{
    if (technique == &technique_ack)
        return PORT_UNFILTERED;
    if (technique == &technique_window)
        return host->open_reset_window ? PORT_OPEN : PORT_CLOSED;
    if (technique == &technique_maimon)
        return host->drops_fin_ack ? PORT_OPEN_FILTERED : PORT_CLOSED;
    return host->resets_all ? PORT_CLOSED : PORT_OPEN_FILTERED;
}

static enum port_state truth_of(const struct technique *technique, const struct sim_host *host,
                                const struct sim_port *port)
{
    bool handshake = technique == &technique_syn || technique == &technique_connect;
    if (host && host->front && handshake)
        return PORT_OPEN;
    if (answers_icmp(port))
        return PORT_FILTERED;
    if (port->behaviour == SIM_CLOSED)
        return technique == &technique_ack ? PORT_UNFILTERED : PORT_CLOSED;
    if (is_open(port))
        return handshake ? PORT_OPEN : open_seen_by(technique, host);
    return (enum port_state)technique->silent_state;
}

/* A datagram shows an open port, whoever must be asked how. */
static enum port_state udp_truth(const struct sim_port *port)
{
    bool unreachable = port->icmp_type == ICMP4_UNREACHABLE && port->icmp_code == 3;
    switch ((enum sim_behaviour)port->behaviour) {
    case SIM_CLOSED:
        return PORT_CLOSED;
    case SIM_ICMP:
    case SIM_SHORT_QUOTE:
        return unreachable && !port->from_router ? PORT_CLOSED : PORT_FILTERED;
    case SIM_OPEN:
    case SIM_SERVICE:
    case SIM_LAST_PAYLOAD:
    case SIM_NEW_PORT:
    case SIM_OTHER_ADDRESS:
    case SIM_SOFT_ONCE:
        return PORT_OPEN;
    case SIM_FICKLE:
    case SIM_DROP:
    case SIM_BARE_SYN:
    case SIM_WRONG_ACK:
    case SIM_WRONG_RESET:
    case SIM_STRANGE_QUOTE:
    case SIM_BROKEN_OPTIONS:
    case SIM_TRUNCATED:
        break;
    }
    return PORT_OPEN_FILTERED;
}

/* An FTP server that does not say why its connect() failed says the same of a port that an ICMP error
 * closes. */
static enum port_state bounce_truth(const struct sim_relay *relay, const struct sim_port *port)
{
    if (answers_icmp(port))
        return relay->gives_reasons ? PORT_FILTERED : PORT_CLOSED;
    return truth_of(&technique_connect, NULL, port);
}

static enum port_state expected_state(const struct scenario *scenario, const struct sim_host *host,
                                      uint16_t port)
{
    const struct technique *technique = technique_at(scenario, port);
    if (!host || host->down)
        return (enum port_state)technique->silent_state;
    struct sim_port truth = sim_port_of(host, technique->ip_proto, port);
    if (technique->ip_proto == IP_PROTO_UDP)
        return udp_truth(&truth);
    if (scenario->relay)
        return bounce_truth(&scenario->sim.relays[0], &truth);
    return truth_of(technique, host, &truth);
}

uint64_t scenario_count_wrong(const struct scenario *scenario)
{
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < scenario->plan->host_count; i++) {
        struct addr addr = plan_host_at(scenario->plan, i);
        const struct sim_host *host = sim_host_of(&scenario->sim, &addr);
        const struct seen_host *seen_host = &scenario->hosts[i];
        for (unsigned port = scenario->first_port; port <= scenario->last_port; port++) {
            const struct seen_port *seen = &seen_host->ports[port - scenario->first_port];
            enum port_state expected = expected_state(scenario, host, (uint16_t)port);
            if (seen->state == expected && seen_host->done_count == 1)
                continue;
            char text[ADDR_TEXT_MAX];
            if (wrong++ < WRONG_PRINTED_MAX)
                fprintf(stderr,
                        "seed %llu: %s port %u is %s, reported %s (%s) %u times, host done %u times\n",
                        (unsigned long long)scenario->seed, addr_format(&addr, text), port,
                        state_name(expected), state_name((enum port_state)seen->state),
                        reason_name((enum reason)seen->reason), seen->reports, seen_host->done_count);
        }
    }
    return wrong;
}
