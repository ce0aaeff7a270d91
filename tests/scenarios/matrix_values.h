/* What the values of a cell's axes stand for. */
#pragma once

#include "base/time.h"
#include "matrix.h"

#define MATRIX_BURST_NS    (10 * MSEC) /* mean, where loss is bursty */
#define MATRIX_OPEN_PORTS  20          /* of each host */
#define MATRIX_LIMITER_PPS 200         /* of each host that limits its resets */

enum matrix_answers {
    MATRIX_ANSWERS_ALL,    /* open ports, and resets from all others */
    MATRIX_ANSWERS_FEW,    /* the open ports only: a firewall drops the rest */
    MATRIX_ANSWERS_LIMITED /* open ports; resets are limited */
};

struct matrix_loss {
    double share;     /* each way */
    int64_t burst_ns; /* mean; 0: each packet by itself */
};

struct matrix_size {
    uint32_t hosts;
    uint16_t ports;
};

struct matrix_values {
    int64_t rtt_ns;
    struct matrix_loss loss;
    double bottleneck_pps; /* 0: none */
    struct matrix_size size;
    enum matrix_answers answers;
};

struct matrix_values matrix_values_of(struct matrix_cell cell);
