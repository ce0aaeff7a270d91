/* The questions that an idle scan asks its zombie, each a SYN/ACK that draws a reset with an ID, and the
 * answers. A question has a serial number; its source port and its keyed number follow from it, so an answer
 * names its question and proves that it is one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/idle/ipid.h"
#include "engine/path/rtt.h"
#include "packet/packet.h"
#include "technique/token.h"

enum question_state { QUESTION_OPEN, QUESTION_ANSWERED, QUESTION_LOST };

struct question {
    int64_t sent_ns;
    uint32_t number;
    uint32_t id;   /* of the answer */
    uint8_t state; /* enum question_state */
};

struct zombie {
    struct addr addr;
    struct addr source; /* ours, that it answers to */
    uint16_t port;
    struct token_key key;
    struct ipid_scale scale;
    struct rtt rtt;
    struct rtt_limits rtt_limits;
    int64_t shortest_ns, longest_ns; /* of the last round trips, about */
    uint64_t next_serial;
    uint64_t oldest_open; /* all before it are answered or lost */
    uint64_t answered;
    int64_t answered_ns;        /* when the last answer came */
    uint64_t rejected;          /* answers that prove nothing */
    unsigned lost_in_a_row;     /* questions since the last answer that were lost */
    double loss;                /* share of the last questions that went unanswered */
    bool without_fragments;     /* IPv6: an answer came without a fragment header */
    struct question *questions; /* borrowed; a ring of the last ones: */
    unsigned capacity;          /* so many, far more than are ever open */
};

/* *zombie is zeroed memory with addr, port, source, key, questions and capacity set. */
void zombie_init(struct zombie *zombie, const struct rtt_limits *limits);

/* The next question, which leaves now. */
struct probe zombie_ask(struct zombie *zombie, int64_t now_ns);

/* Is this the answer to an open or a lost question? Then it is taken. */
bool zombie_answer(struct zombie *zombie, const struct packet *packet, int64_t time_ns);

/* Give up on questions that have been open for too long. */
void zombie_time_out(struct zombie *zombie, int64_t now_ns);

/* When the oldest open question will be given up; TIME_NEVER: none is open. */
int64_t zombie_due_ns(const struct zombie *zombie);

/* Among the last `capacity`. */
const struct question *zombie_question(const struct zombie *zombie, uint64_t serial);

/* How differently long two packets of ours may take to it. */
int64_t zombie_jitter_ns(const struct zombie *zombie);
