/* matrix [--all] [--seeds N] [--cell N] [--probes-max N]
 *
 * Scans the cells of the matrix on the simulated network, in virtual time, with seeds 1 to N (1), and prints
 * how long each took beside the ideal time, and what was wrong. Without --all the cells are a set in which
 * every two values of the axes meet. The exit status is 1 when a cell misses: no false open, wrong states at
 * most one in a million, at most 1.5 times the ideal time, the median at most 1.25. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "matrix.h"

#define RATIO_MAX        1.5
#define RATIO_MEDIAN_MAX 1.25
#define WRONG_SHARE_MAX  1e-6
#define WORST_COUNT      10

struct measured {
    struct matrix_cell cell;
    unsigned number;
    double ratio; /* of the mean time to the ideal */
    struct matrix_result sum;
};

struct table {
    struct matrix_cell cells[MATRIX_CELLS];
    struct measured measured[MATRIX_CELLS];
};

struct totals {
    uint64_t wrong, false_opens, states;
    unsigned slow;
};

static void measure(struct measured *measured, unsigned seeds)
{
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct matrix_result result = matrix_run(measured->cell, seed);
        measured->sum.seconds += result.seconds;
        measured->sum.wrong += result.wrong;
        measured->sum.false_opens += result.false_opens;
        measured->sum.packets += result.packets;
    }
    struct ideal_case ideal = matrix_ideal(measured->cell);
    measured->ratio = measured->sum.seconds / seeds / ideal_seconds(&ideal);
}

static void print_cell(const struct measured *measured, unsigned seeds)
{
    struct ideal_case ideal = matrix_ideal(measured->cell);
    printf("%4u", measured->number);
    matrix_describe(measured->cell, stdout);
    printf("%4u%11.3f%11.3f%7.2f%8.2f%7llu%7llu\n", ideal_tries(&ideal), ideal_seconds(&ideal),
           measured->sum.seconds / seeds, measured->ratio,
           (double)measured->sum.packets / seeds / (double)matrix_probes(measured->cell),
           (unsigned long long)measured->sum.wrong, (unsigned long long)measured->sum.false_opens);
    fflush(stdout);
}

static void print_heading(void)
{
    printf("cell%s  K    ideal s     took s  ratio packets  wrong  false\n", matrix_heading);
}

static int slowest_first(const void *a, const void *b)
{
    double x = ((const struct measured *)a)->ratio, y = ((const struct measured *)b)->ratio;
    return (x < y) - (x > y);
}

static void add(struct totals *totals, const struct measured *measured, unsigned seeds)
{
    totals->wrong += measured->sum.wrong;
    totals->false_opens += measured->sum.false_opens;
    totals->states += matrix_probes(measured->cell) * seeds;
    totals->slow += measured->ratio > RATIO_MAX;
}

/* Sorts them. False: something missed. */
static bool summarise(struct measured *measured, unsigned count, unsigned seeds)
{
    struct totals totals = {0};
    qsort(measured, count, sizeof *measured, slowest_first);
    for (unsigned i = 0; i < count; i++)
        add(&totals, &measured[i], seeds);
    double median = (measured[(count - 1) / 2].ratio + measured[count / 2].ratio) / 2;
    double wrong_share = (double)totals.wrong / (double)totals.states;
    printf("\nthe slowest beside their ideal:\n");
    print_heading();
    for (unsigned i = 0; i < count && i < WORST_COUNT; i++)
        print_cell(&measured[i], seeds);
    printf("\n%u cells, seeds 1 to %u: median %.2f times the ideal, worst %.2f, %u above %.1f; "
           "%llu wrong of %llu states (%.2g), %llu false opens\n",
           count, seeds, median, measured[0].ratio, totals.slow, RATIO_MAX, (unsigned long long)totals.wrong,
           (unsigned long long)totals.states, wrong_share, (unsigned long long)totals.false_opens);
    return totals.slow == 0 && median <= RATIO_MEDIAN_MAX && wrong_share <= WRONG_SHARE_MAX &&
           totals.false_opens == 0;
}

static unsigned collect(struct matrix_cell *cells, bool all)
{
    if (!all)
        return matrix_pairwise(cells);
    for (unsigned i = 0; i < MATRIX_CELLS; i++)
        cells[i] = matrix_cell_at(i);
    return MATRIX_CELLS;
}

static unsigned number_of(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*end || end == text || number > UINT32_MAX) {
        fprintf(stderr, "matrix: %s is no number\n", text);
        exit(EX_USAGE);
    }
    return (unsigned)number;
}

struct request {
    bool all;
    unsigned seeds, only, probes_max;
};

static struct request read_arguments(int argc, char **argv)
{
    static const struct option options[] = {{"all", no_argument, NULL, 'a'},
                                            {"seeds", required_argument, NULL, 's'},
                                            {"cell", required_argument, NULL, 'c'},
                                            {"probes-max", required_argument, NULL, 'p'},
                                            {0}};
    struct request request = {.seeds = 1, .only = MATRIX_CELLS, .probes_max = UINT32_MAX};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'a')
            request.all = true;
        else if (option == 's')
            request.seeds = number_of(optarg);
        else if (option == 'c')
            request.only = number_of(optarg);
        else if (option == 'p')
            request.probes_max = number_of(optarg);
        else
            exit(EX_USAGE);
    }
    if (optind != argc || request.seeds == 0) {
        fprintf(stderr, "matrix: [--all] [--seeds N] [--cell N] [--probes-max N]\n");
        exit(EX_USAGE);
    }
    return request;
}

/* False: something missed. */
static bool measure_all(struct table *table, const struct request *request)
{
    unsigned cell_count = collect(table->cells, request->all), count = 0;
    print_heading();
    for (unsigned i = 0; i < cell_count; i++) {
        bool chosen = request->only == MATRIX_CELLS || request->only == i;
        if (!chosen || matrix_probes(table->cells[i]) > request->probes_max)
            continue;
        struct measured *measured = &table->measured[count++];
        *measured = (struct measured){.cell = table->cells[i], .number = i};
        measure(measured, request->seeds);
        print_cell(measured, request->seeds);
    }
    return count && summarise(table->measured, count, request->seeds);
}

int main(int argc, char **argv)
{
    struct request request = read_arguments(argc, argv);
    struct table *table = calloc(1, sizeof *table);
    if (!table)
        return EX_OSERR;
    bool met = measure_all(table, &request);
    free(table);
    return met ? EXIT_SUCCESS : EXIT_FAILURE;
}
