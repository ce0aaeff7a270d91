/* The cells: values of the axes, and a set of them that covers all pairs. */
#include <stdlib.h>

#include "base/time.h"
#include "matrix.h"
#include "matrix_values.h"

/* clang-format off */
static const struct matrix_loss losses[] = {
    {0, 0}, {0.01, 0}, {0.05, 0}, {0.10, 0}, {0.20, 0},
    {0.01, MATRIX_BURST_NS}, {0.05, MATRIX_BURST_NS}, {0.10, MATRIX_BURST_NS}, {0.20, MATRIX_BURST_NS},
};
static const struct matrix_size sizes[] = {{1, 1000}, {64, 1000}, {1024, 1000}, {1, 65535}, {64, 65535}};
/* clang-format on */
static const int64_t rtts_ns[] = {200 * USEC, 20 * MSEC, 200 * MSEC};
static const double bottlenecks_pps[] = {0, 1000, 10000, 100000};
static const char *const answers[] = {"all", "20 of all", "limited"};

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static const uint8_t axis_lengths[AXIS_COUNT] = {LENGTH(rtts_ns), LENGTH(losses), LENGTH(bottlenecks_pps),
                                                 LENGTH(sizes), LENGTH(answers)};

struct matrix_cell matrix_cell_at(unsigned number)
{
    struct matrix_cell cell;
    for (unsigned axis = 0; axis < AXIS_COUNT; axis++) {
        cell.value[axis] = (uint8_t)(number % axis_lengths[axis]);
        number /= axis_lengths[axis];
    }
    return cell;
}

/* Which pairs of values have met: by both axes and both values. */
#define VALUES_MAX 9
struct pairs {
    bool met[AXIS_COUNT][AXIS_COUNT][VALUES_MAX][VALUES_MAX];
};

static unsigned count_new(const struct pairs *pairs, struct matrix_cell cell)
{
    unsigned count = 0;
    for (unsigned a = 0; a < AXIS_COUNT; a++)
        for (unsigned b = a + 1; b < AXIS_COUNT; b++)
            count += !pairs->met[a][b][cell.value[a]][cell.value[b]];
    return count;
}

static void meet(struct pairs *pairs, struct matrix_cell cell)
{
    for (unsigned a = 0; a < AXIS_COUNT; a++)
        for (unsigned b = a + 1; b < AXIS_COUNT; b++)
            pairs->met[a][b][cell.value[a]][cell.value[b]] = true;
}

/* Greedy: always the cell in which most pairs meet for the first time. Of several the one that comes first
 * from a place that moves on, so that no value is preferred. */
unsigned matrix_pairwise(struct matrix_cell cells[static MATRIX_CELLS])
{
    static const struct pairs none;
    struct pairs pairs = none;
    for (unsigned count = 0; count < MATRIX_CELLS; count++) {
        unsigned best_new = 0;
        for (unsigned i = 0; i < MATRIX_CELLS; i++) {
            struct matrix_cell cell = matrix_cell_at((i + count * 389) % MATRIX_CELLS);
            unsigned new_pairs = count_new(&pairs, cell);
            if (new_pairs <= best_new)
                continue;
            best_new = new_pairs;
            cells[count] = cell;
        }
        if (best_new == 0)
            return count;
        meet(&pairs, cells[count]);
    }
    return MATRIX_CELLS;
}

struct matrix_values matrix_values_of(struct matrix_cell cell)
{
    return (struct matrix_values){
        .rtt_ns = rtts_ns[cell.value[AXIS_RTT]],
        .loss = losses[cell.value[AXIS_LOSS]],
        .bottleneck_pps = bottlenecks_pps[cell.value[AXIS_BOTTLENECK]],
        .size = sizes[cell.value[AXIS_SIZE]],
        .answers = (enum matrix_answers)cell.value[AXIS_ANSWERS],
    };
}

uint64_t matrix_probes(struct matrix_cell cell)
{
    struct matrix_size size = sizes[cell.value[AXIS_SIZE]];
    return (uint64_t)size.hosts * size.ports;
}

struct ideal_case matrix_ideal(struct matrix_cell cell)
{
    struct matrix_values values = matrix_values_of(cell);
    double probes = (double)matrix_probes(cell), ports = values.size.ports;
    bool firewalled = values.answers == MATRIX_ANSWERS_FEW;
    double answering = firewalled ? MATRIX_OPEN_PORTS * (double)values.size.hosts : probes;
    return (struct ideal_case){
        .rtt_s = (double)values.rtt_ns / (double)SEC,
        .loss = values.loss.share,
        .burst_s = (double)values.loss.burst_ns / (double)SEC,
        .bottleneck_pps = values.bottleneck_pps,
        .answering = answering,
        .silent = probes - answering,
        .answering_share = answering / probes,
        .limited = values.answers == MATRIX_ANSWERS_LIMITED ? ports - MATRIX_OPEN_PORTS : 0,
        .limiter_pps = MATRIX_LIMITER_PPS,
    };
}

const char matrix_heading[] = "  rtt ms  loss         packets/s  hosts  ports  answer   ";

void matrix_describe(struct matrix_cell cell, FILE *out)
{
    struct matrix_values values = matrix_values_of(cell);
    fprintf(out, "%8.1f %4.0f %% %-6s", (double)values.rtt_ns / (double)MSEC, 100 * values.loss.share,
            values.loss.burst_ns    ? "bursty"
            : values.loss.share > 0 ? "smooth"
                                    : "");
    if (values.bottleneck_pps > 0)
        fprintf(out, "%10.0f", values.bottleneck_pps);
    else
        fprintf(out, "%10s", "any");
    fprintf(out, "%7u%7u  %-9s", values.size.hosts, values.size.ports, answers[values.answers]);
}
