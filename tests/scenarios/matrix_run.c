/* One scan of one cell on the simulated network. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "matrix.h"
#include "matrix_values.h"
#include "scenario.h"
#include "technique/rows.h"

#define FIRST_HOST     UINT32_C(0xc6120001) /* 198.18.0.1 */
#define PORT_STEP      49                   /* between open ports: all below 1,000 */
#define LIMITER_BURST  20
#define QUEUE_NS       (100 * MSEC) /* what the bottleneck's queue holds, and at least */
#define QUEUE_LEN_MIN  100
#define VIRTUAL_MAX_NS (20 * 3600 * SEC)

/* A scan at work: one byte for each port's state. */
struct matrix_scan {
    struct matrix_values values;
    struct plan plan;
    uint8_t *states; /* by host's place in the plan, and port */
    uint32_t *done;  /* times that the host was reported */
};

static void take_record(void *context, const struct record *record)
{
    struct matrix_scan *scan = context;
    uint64_t position;
    uint16_t ports = scan->values.size.ports;
    if (record->type != RECORD_PORT && record->type != RECORD_HOST_DONE)
        return;
    bool known = plan_host_find(&scan->plan, &record->host, &position);
    assert(known);
    uint8_t *states = scan->states + position * ports;
    if (record->type == RECORD_PORT) {
        states[record->port - 1] = record->state;
        return;
    }
    scan->done[position]++;
    for (uint16_t i = 0; i < ports && !(record->flags & RECORD_UNFINISHED); i++)
        if (states[i] == PORT_UNKNOWN)
            states[i] = PORT_FILTERED;
}

static bool is_open(unsigned port)
{
    return port % PORT_STEP == 1 && port / PORT_STEP < MATRIX_OPEN_PORTS;
}

static void judge(const struct matrix_scan *scan, struct matrix_result *result)
{
    uint16_t ports = scan->values.size.ports;
    uint8_t other = scan->values.answers == MATRIX_ANSWERS_FEW ? PORT_FILTERED : PORT_CLOSED;
    for (uint64_t host = 0; host < scan->plan.host_count; host++) {
        for (unsigned port = 1; port <= ports; port++) {
            uint8_t seen = scan->states[host * ports + port - 1];
            result->wrong += seen != (is_open(port) ? PORT_OPEN : other) || scan->done[host] != 1;
            result->false_opens += seen == PORT_OPEN && !is_open(port);
        }
    }
}

static void make_plan(struct matrix_scan *scan, uint64_t seed)
{
    struct addr_set targets = {0};
    struct port_set *ports = calloc(1, sizeof *ports);
    struct plan_options options = {.seed = seed, .shard_count = 1};
    struct error err = {0};
    assert(ports);
    for (unsigned port = 1; port <= scan->values.size.ports; port++)
        port_set_add(ports, PORTS_TCP, (uint16_t)port);
    int result =
        addr_set_add(&targets, addr_v4(FIRST_HOST), addr_v4(FIRST_HOST + scan->values.size.hosts - 1));
    assert(result == 0);
    result = plan_init(&scan->plan, &targets, NULL, NULL, ports, &options, &err);
    assert(result == 0);
    free(ports);
}

static struct sim_host hosts_of(const struct matrix_values *values, struct sim_port *ports)
{
    for (unsigned i = 0; i < MATRIX_OPEN_PORTS; i++)
        ports[i] = (struct sim_port){
            IP_PROTO_TCP, (uint16_t)(i * PORT_STEP + 1), (uint16_t)(i * PORT_STEP + 1), SIM_OPEN, 0, 0,
            false};
    bool limited = values->answers == MATRIX_ANSWERS_LIMITED;
    return (struct sim_host){
        .first = addr_v4(FIRST_HOST),
        .last = addr_v4(FIRST_HOST + values->size.hosts - 1),
        .ports = ports,
        .port_count = MATRIX_OPEN_PORTS,
        .otherwise = values->answers == MATRIX_ANSWERS_FEW ? SIM_DROP : SIM_CLOSED,
        .on_link = values->rtt_ns < MSEC,
        .rtt_ns = values->rtt_ns,
        .jitter_ns = values->rtt_ns / 10,
        .rst_rate_pps = limited ? MATRIX_LIMITER_PPS : 0,
        .limiter_burst = LIMITER_BURST,
        .limits_each = true,
    };
}

static struct sim_link link_of(const struct matrix_values *values)
{
    double queue_len = values->bottleneck_pps * (double)QUEUE_NS / (double)SEC;
    return (struct sim_link){
        .first = addr_v4(FIRST_HOST),
        .last = addr_v4(FIRST_HOST + values->size.hosts - 1),
        .rate_pps = values->bottleneck_pps,
        .queue_len = queue_len > QUEUE_LEN_MIN ? (unsigned)queue_len : QUEUE_LEN_MIN,
        .loss_out = values->loss.share,
        .loss_back = values->loss.share,
        .burst_ns = values->loss.burst_ns,
    };
}

static struct token_key key_of(uint64_t seed)
{
    struct rand rand = {.state = ~seed};
    struct token_key key = {.first_port = 61000, .port_count = 4096};
    key.secret.half[0] = rand_next(&rand);
    key.secret.half[1] = rand_next(&rand);
    return key;
}

static void scan_it(struct matrix_scan *scan, struct netio *io, uint64_t seed, struct matrix_result *result)
{
    uint16_t ports = scan->values.size.ports;
    struct probe_spec *specs = calloc(ports, sizeof *specs);
    assert(specs);
    for (uint16_t i = 0; i < ports; i++)
        specs[i] = (struct probe_spec){&technique_syn, (uint16_t)(i + 1)};
    static const struct probe_spec neighbor = {&technique_neighbor, 0};
    struct engine_config config = {
        .plan = &scan->plan,
        .specs = specs,
        .spec_count = ports,
        .early_count = ports / 10,
        .discovery = &neighbor,
        .discovery_count = 1,
        .assume_up = true,
        .timing = scenario_timing(),
        .key = key_of(seed),
        .io = io,
        .emit = take_record,
        .context = scan,
    };
    struct scanner *scanner;
    struct error err;
    int made = engine_new(&config, &scanner, &err);
    assert(made == 0);
    int64_t start_ns = io->ops->now(io);
    while (scanner->ops->turn(scanner, TIME_NEVER) && io->ops->now(io) - start_ns < VIRTUAL_MAX_NS)
        ;
    result->seconds = (double)(io->ops->now(io) - start_ns) / (double)SEC;
    result->packets = io->stats.packets_sent;
    scanner->ops->free(scanner);
    free(specs);
}

struct matrix_result matrix_run(struct matrix_cell cell, uint64_t seed)
{
    struct matrix_scan *scan = calloc(1, sizeof *scan);
    assert(scan);
    scan->values = matrix_values_of(cell);
    make_plan(scan, seed);
    scan->states = calloc(matrix_probes(cell), 1);
    scan->done = calloc(scan->values.size.hosts, sizeof *scan->done);
    assert(scan->states && scan->done);

    struct sim_port ports[MATRIX_OPEN_PORTS];
    struct sim_host hosts = hosts_of(&scan->values, ports);
    struct sim_link link = link_of(&scan->values);
    struct sim_config sim = {.seed = seed,
                             .hosts = &hosts,
                             .host_count = 1,
                             .links = &link,
                             .link_count = 1,
                             .source4 = addr_v4(0xcb007101),
                             .router4 = addr_v4(0xcb0071fe)};
    struct netio *io = sim_new(&sim);
    assert(io);
    struct matrix_result result = {0};
    scan_it(scan, io, seed, &result);
    judge(scan, &result);
    io->ops->close(io);
    plan_done(&scan->plan);
    free(scan->states);
    free(scan->done);
    free(scan);
    return result;
}
