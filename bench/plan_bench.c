/* What the plan costs: reading ten million scattered targets from a file, and turning positions into
 * addresses and back. plan_bench [TARGETS]; prints one line a figure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "plan/plan.h"
#include "plan/targets.h"

#define LOOKUPS 5000000u

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    fprintf(stderr, "plan_bench: %s\n", what);
    exit(1);
}

/* A file of addresses in no order, all different: the factor is odd. Returns its path. */
static const char *write_targets(uint32_t count, char path[static 32])
{
    snprintf(path, 32, "plan_bench.XXXXXX");
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file)
        die("cannot write a file here");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t address = i * UINT32_C(2654435761);
        fprintf(file, "%u.%u.%u.%u\n", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
    }
    if (fclose(file))
        die("cannot write a file here");
    return path;
}

static void print_memory(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("memory at most           %8.1f MB\n", (double)usage.ru_maxrss / 1024);
}

static void measure_permutation(uint64_t size)
{
    struct permutation permutation = permutation_new(size, 42);
    uint64_t sum = 0;
    double start = cpu_s();
    for (uint32_t i = 0; i < LOOKUPS; i++)
        sum += permutation_at(&permutation, i % size);
    double middle = cpu_s();
    for (uint32_t i = 0; i < LOOKUPS; i++)
        sum += permutation_find(&permutation, i % size);
    double end = cpu_s();
    printf("permutation of %-10llu %8.1f ns there, %.1f ns back (%llx)\n", (unsigned long long)size,
           (middle - start) * 1e9 / LOOKUPS, (end - middle) * 1e9 / LOOKUPS, (unsigned long long)sum);
}

static void measure_hosts(const struct plan *plan, const char *what)
{
    uint64_t found = 0;
    double start = cpu_s();
    for (uint32_t i = 0; i < LOOKUPS; i++) {
        struct addr addr = plan_host_at(plan, i % plan->host_count);
        found += addr.bytes[3];
    }
    double middle = cpu_s();
    for (uint32_t i = 0; i < LOOKUPS; i++) {
        struct addr addr = addr_v4(i * UINT32_C(2654435761));
        uint64_t position;
        found += plan_host_find(plan, &addr, &position);
    }
    double end = cpu_s();
    printf("%-24s %8.1f ns a host, %.1f ns back (%llx)\n", what, (middle - start) * 1e9 / LOOKUPS,
           (end - middle) * 1e9 / LOOKUPS, (unsigned long long)found);
}

static void measure_plan(struct addr_set *targets, const char *what)
{
    const struct plan_options options = {.seed = 1, .shard_count = 1};
    struct port_set *ports = calloc(1, sizeof *ports);
    struct plan *plan = calloc(1, sizeof *plan);
    struct error err;
    double start = cpu_s();
    if (!ports || !plan || plan_init(plan, targets, NULL, NULL, ports, &options, &err))
        die("no plan");
    printf("plan of %-16s %8.2f s, %llu hosts\n", what, cpu_s() - start,
           (unsigned long long)plan->host_count);
    print_memory();
    measure_hosts(plan, what);
    plan_done(plan);
    free(plan);
    free(ports);
}

int main(int argc, char **argv)
{
    uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 10000000;
    char path[32];
    struct targets targets = {0};
    struct error err;

    measure_permutation(UINT64_C(1) << 32);
    measure_permutation((UINT64_C(1) << 32) + 1);
    measure_permutation(1000);

    if (targets_add(&targets, "10.0.0.0/8", NULL, &err))
        die(err.text);
    measure_plan(&targets.set, "a /8");

    write_targets(count, path);
    double start = cpu_s();
    int status = targets_read(&targets, path, NULL, &err);
    unlink(path);
    if (status)
        die(err.text);
    printf("read %-10u targets  %8.2f s\n", count, cpu_s() - start);
    measure_plan(&targets.set, "the list");
    targets_done(&targets);
    return 0;
}
