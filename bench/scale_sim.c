/* scale_sim [SHAPE...], a SHAPE being HOSTS:PORTS in powers of two, as 18:10
 *
 * Does a probe of a huge scan cost what one of a small scan does? Scans on the simulated network, where
 * nobody answers and each probe is sent once, beside a bare loop in slices between: the simulator is given
 * orders that nobody thought about. Prints the processor time of a probe, its ratio to one of the bare loop,
 * and the most memory that the program has taken so far. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>

#include "base/bitset.h"
#include "engine/engine.h"
#include "netio/sim/sim.h"
#include "plan/ports.h"
#include "technique/rows.h"

#define SEED         1
#define RATE_PPS     1e7                 /* the simulator takes a microsecond of virtual time for a probe */
#define SLICE        (UINT64_C(1) << 20) /* probes of the scan between two of the bare loop */
#define BARE_HOSTS   (UINT32_C(1) << 15)
#define BARE_PORTS   128u /* a block of 2^22 probes, as large as the engine makes them */
#define BARE_SLICE   (UINT32_C(1) << 18)
#define NETWORK      "2001:db8::"
#define SOURCE_PORT  61000
#define SOURCE_PORTS 4096

struct shape {
    unsigned host_bits, port_bits;
};

/* The orders of the bare loop: over and over the same block. */
struct bare {
    struct plan *plan;
    struct netio *io;
    struct block block;
    struct token_key key;
    uint64_t next;
    double seconds;
    uint64_t sent;
};

static void check(bool works, const char *what)
{
    if (works)
        return;
    fprintf(stderr, "scale_sim: %s\n", what);
    exit(EX_OSERR);
}

static double used_s(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static double memory_mb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

/* NETWORK and the next 2^bits addresses. */
static void range_of(unsigned bits, struct addr *ret_first, struct addr *ret_last)
{
    check(addr_parse(NETWORK, ret_first), NETWORK);
    *ret_last = *ret_first;
    uint32_t last = (UINT32_C(1) << bits) - 1;
    for (unsigned i = 0; i < 4; i++)
        ret_last->bytes[15 - i] = (uint8_t)(last >> 8 * i);
}

static struct plan *make_plan(unsigned host_bits)
{
    struct plan *plan = calloc(1, sizeof *plan);
    struct port_set *ports = calloc(1, sizeof *ports);
    struct addr_set targets = {0};
    struct plan_options options = {.seed = SEED, .shard_count = 1};
    struct error err;
    struct addr first, last;
    range_of(host_bits, &first, &last);
    check(plan && ports && addr_set_add(&targets, first, last) == 0, "no memory");
    check(plan_init(plan, &targets, NULL, NULL, ports, &options, &err) == 0, "no plan");
    free(ports);
    return plan;
}

static void free_plan(struct plan *plan)
{
    plan_done(plan);
    free(plan);
}

static struct probe_spec *make_specs(uint32_t count)
{
    struct probe_spec *specs = calloc(count, sizeof *specs);
    check(specs, "no memory");
    for (uint32_t i = 0; i < count; i++)
        specs[i] = (struct probe_spec){&technique_syn, (uint16_t)(i + 1)};
    return specs;
}

static struct token_key make_key(void)
{
    return (struct token_key){.secret = {{SEED, 2}}, .first_port = SOURCE_PORT, .port_count = SOURCE_PORTS};
}

/* Nobody is there. */
static struct netio *make_network(struct sim_host *host, struct sim_config *config)
{
    range_of(31, &host->first, &host->last);
    host->down = true;
    *config = (struct sim_config){.seed = SEED, .hosts = host, .host_count = 1};
    check(addr_parse("2001:db8:1::1", &config->source6) && addr_parse("2001:db8:1::2", &config->router6),
          "addresses");
    struct netio *io = sim_new(config);
    check(io, "no memory");
    return io;
}

static struct bare *make_bare(struct netio *io)
{
    struct bare *bare = calloc(1, sizeof *bare);
    check(bare, "no memory");
    bare->plan = make_plan(15);
    bare->io = io;
    bare->key = make_key();
    bare->block = (struct block){
        .id = 1,
        .plan = bare->plan,
        .host_count = BARE_HOSTS,
        .specs = make_specs(BARE_PORTS),
        .spec_count = BARE_PORTS,
        .rest = permutation_new(BARE_HOSTS * BARE_PORTS, SEED),
        .pending = calloc(bitset_words(BARE_HOSTS * BARE_PORTS), sizeof(uint64_t)),
    };
    check(bare->block.pending, "no memory");
    for (uint64_t i = 0; i < BARE_HOSTS * BARE_PORTS; i++)
        bitset_set(bare->block.pending, i);
    return bare;
}

static void free_bare(struct bare *bare)
{
    bare->io->ops->close(bare->io);
    free_plan(bare->plan);
    free((void *)(uintptr_t)bare->block.specs);
    free(bare->block.pending);
    free(bare);
}

static void run_bare(struct bare *bare)
{
    struct netio *io = bare->io;
    struct order order = {.block = &bare->block,
                          .key = &bare->key,
                          .next = bare->next,
                          .end = BARE_HOSTS * BARE_PORTS,
                          .limit = BARE_SLICE,
                          .rate_pps = RATE_PPS};
    double before = used_s();
    while (order.limit && order.next < order.end)
        io->ops->work(io, &order, io->ops->now(io) + SEC);
    bare->seconds += used_s() - before;
    bare->sent += BARE_SLICE - order.limit;
    bare->next = order.next < order.end ? order.next : 0;
}

static void count_done(void *context, const struct record *record)
{
    uint64_t *done = context;
    *done += record->type == RECORD_HOST_DONE;
}

/* Seconds of the processor. */
static double run_scan(struct netio *io, struct scanner *scanner, struct bare *bare)
{
    double seconds = 0;
    bool more = true;
    for (uint64_t next = SLICE; more; next += SLICE) {
        double before = used_s();
        while (more && io->stats.packets_sent < next)
            more = scanner->ops->turn(scanner, TIME_NEVER);
        seconds += used_s() - before;
        run_bare(bare);
    }
    return seconds;
}

static struct engine_config describe(const struct plan *plan, const struct probe_spec *specs,
                                     struct netio *io, uint64_t *done)
{
    return (struct engine_config){
        .plan = plan,
        .specs = specs,
        .assume_up = true,
        .timing = {.min_rto_ns = 10 * MSEC,
                   .initial_rto_ns = SEC,
                   .max_rto_ns = 10 * SEC,
                   .risk = TIMING_RISK_USUAL,
                   .default_rate_pps = RATE_PPS,
                   .min_rate_pps = RATE_PPS},
        .key = make_key(),
        .io = io,
        .emit = count_done,
        .context = done,
    };
}

static void measure(struct shape shape)
{
    struct sim_host hosts[2] = {0};
    struct sim_config configs[2];
    struct netio *io = make_network(&hosts[0], &configs[0]);
    struct bare *bare = make_bare(make_network(&hosts[1], &configs[1]));
    struct plan *plan = make_plan(shape.host_bits);
    struct probe_spec *specs = make_specs(UINT32_C(1) << shape.port_bits);
    struct scanner *scanner;
    struct error err;
    uint64_t done = 0;
    struct engine_config config = describe(plan, specs, io, &done);
    config.spec_count = UINT32_C(1) << shape.port_bits;
    check(engine_new(&config, &scanner, &err) == 0, "no engine");
    double seconds = run_scan(io, scanner, bare);
    double each = seconds / (double)io->stats.packets_sent;
    printf("2^%u hosts, 2^%u ports: %llu sent, %6.1f ns each, %.2f times the bare loop; %llu hosts done; "
           "%.0f MB\n",
           shape.host_bits, shape.port_bits, (unsigned long long)io->stats.packets_sent, each * 1e9,
           each / (bare->seconds / (double)bare->sent), (unsigned long long)done, memory_mb());
    fflush(stdout);
    scanner->ops->free(scanner);
    io->ops->close(io);
    free_bare(bare);
    free_plan(plan);
    free(specs);
}

/* HOSTS:PORTS, powers of two up to 24 and 15. */
static struct shape read_shape(const char *text)
{
    char *end;
    unsigned long hosts = strtoul(text, &end, 10);
    unsigned long ports = *end == ':' ? strtoul(end + 1, &end, 10) : ULONG_MAX;
    if (*end || hosts > 24 || ports > 15) {
        fprintf(stderr, "usage: scale_sim [HOSTS:PORTS...], powers of two up to 24 and 15\n");
        exit(EX_USAGE);
    }
    return (struct shape){(unsigned)hosts, (unsigned)ports};
}

int main(int argc, char **argv)
{
    static const struct shape usual[] = {{10, 10}, {14, 10}, {18, 10}, {20, 0}, {24, 0}};
    for (size_t i = 0; argc == 1 && i < sizeof usual / sizeof usual[0]; i++)
        measure(usual[i]);
    for (int i = 1; i < argc; i++)
        measure(read_shape(argv[i]));
    return EX_OK;
}
