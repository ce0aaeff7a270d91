/* A host's limiter of resets or ICMP errors as a token bucket: how many tokens it is believed to hold, and
 * how fast they come, learned from its answers. A probe is promised a token before it leaves; one that stays
 * silent gives it back.
 *
 * The belief only decides how many probes are sent when; what silence means is not left to it (see
 * lane.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LIMITER_GAPS 8

struct limiter {
    double period_ns; /* between two tokens */
    double tokens;    /* not promised to a probe yet */
    int64_t at_ns;    /* when tokens was right */
    int64_t last_answer_ns;
    int64_t emptied_ns;   /* the bucket was seen empty: a canary was silent */
    uint32_t answers;     /* since then */
    unsigned slowed_down; /* times that tokens were believed in that were not there */
    bool was_silent;      /* a probe stayed silent since the last answer: the bucket was empty then */
    int64_t gaps_ns[LIMITER_GAPS]; /* ring: between answers, while the bucket ran empty */
    unsigned gap_count;
};

/* The bucket is empty now. */
void limiter_init(struct limiter *limiter, int64_t now_ns);

/* Probes that a token waits for. */
uint32_t limiter_allowance(struct limiter *limiter, int64_t now_ns);
void limiter_promise(struct limiter *limiter, uint32_t probes);

/* When the next token is believed to come. */
int64_t limiter_next_ns(const struct limiter *limiter);

/* A probe took its token: the limited kind of answer came. */
void limiter_answered(struct limiter *limiter, int64_t now_ns);

/* A probe stayed silent, or was answered without a token: its token is free again. */
void limiter_silent(struct limiter *limiter);
void limiter_untouched(struct limiter *limiter);

/* Tokens were believed in that were not there: the bucket is empty. */
void limiter_slow_down(struct limiter *limiter, int64_t now_ns);

/* So long after the last answer there is a token for sure. */
int64_t limiter_sure_wait_ns(const struct limiter *limiter);
