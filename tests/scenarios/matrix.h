/* The matrix of scenarios that the rate and the number of tries are measured in: which cells there are, and
 * one scan of one of them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "ideal.h"

enum matrix_axis { AXIS_RTT, AXIS_LOSS, AXIS_BOTTLENECK, AXIS_SIZE, AXIS_ANSWERS, AXIS_COUNT };

/* A cell: which value of each axis. */
struct matrix_cell {
    uint8_t value[AXIS_COUNT];
};

#define MATRIX_CELLS 1620

/* Cell number 0 .. MATRIX_CELLS - 1. */
struct matrix_cell matrix_cell_at(unsigned number);

/* A small set of cells in which every two values of different axes meet; always the same. Returns how many
 * there are. */
unsigned matrix_pairwise(struct matrix_cell cells[static MATRIX_CELLS]);

struct ideal_case matrix_ideal(struct matrix_cell cell);

uint64_t matrix_probes(struct matrix_cell cell); /* hosts x ports */

/* Writes what the cell is, in columns. */
void matrix_describe(struct matrix_cell cell, FILE *out);
extern const char matrix_heading[]; /* of these columns */

struct matrix_result {
    double seconds; /* virtual */
    uint64_t wrong;
    uint64_t false_opens;
    uint64_t packets; /* sent */
};

/* Scan it once. */
struct matrix_result matrix_run(struct matrix_cell cell, uint64_t seed);
