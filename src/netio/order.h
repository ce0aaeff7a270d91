/* What the engine asks netio to send: ranges of a block's order, never single packets (design decision 4). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "plan/permutation.h"
#include "plan/plan.h"
#include "technique/technique.h"
#include "technique/token.h"

/* One question asked of every host of a block. */
struct probe_spec {
    const struct technique *technique;
    uint16_t port;
};

/* A block: hosts x specs, at most 2^26 probes. Probe `bit` is spec `bit / host_count` of host slot `bit %
 * host_count`; the order is a keyed permutation of the bits, in which the first early_specs specs of all
 * hosts come before the rest. */
struct block {
    uint32_t id; /* names the block in events; not reused within a scan */
    const struct plan *plan;
    const uint64_t *hosts; /* positions in the plan's order, ascending, one a slot; NULL: first_host + slot */
    uint64_t first_host;
    uint32_t host_count;
    const struct probe_spec *specs;
    uint32_t spec_count;
    struct permutation early; /* of the bits of the first specs; size 0: there are none */
    struct permutation rest;  /* of the others; size 0: there are none */
    uint64_t *pending;        /* by bit: set while the probe is unanswered and wanted */
};

static inline uint64_t block_probe_count(const struct block *block)
{
    return (uint64_t)block->host_count * block->spec_count;
}

/* Of a bit: it has less than 32, which takes less than half the time to divide. */
static inline uint32_t block_spec_of(const struct block *block, uint64_t bit)
{
    return (uint32_t)bit / block->host_count;
}

static inline uint32_t block_slot_of(const struct block *block, uint64_t bit)
{
    return (uint32_t)bit % block->host_count;
}

/* The host of a slot. */
struct addr block_host(const struct block *block, uint32_t slot);

/* Which slot has the host at this position of the plan's order? False: none of this block. */
bool block_find_position(const struct block *block, uint64_t position, uint32_t *ret_slot);

/* Which bit stands at this position of the order? position < block_probe_count */
uint64_t block_bit_at(const struct block *block, uint64_t position);

/* Where in the order does this bit stand? bit < block_probe_count */
uint64_t block_position_of(const struct block *block, uint64_t bit);

struct order {
    const struct block *block;
    const struct token_key *key;
    /* NULL: probes of the block. Else send these, as they are: positions are indexes into this list; a
     * probe's src may be anybody's, ADDR_NONE is ours. block and key are not used */
    const struct probe *list;
    const uint64_t *bits; /* NULL: walk the block's order. Else send these bits, pending or not: positions are
                             indexes into this list */
    uint64_t next;  /* position to go on from; netio moves it on as it sends (or skips what is not pending) */
    uint64_t end;   /* one past the last position */
    uint32_t limit; /* send at most so many probes; netio counts down */
    uint8_t try_number; /* 0 for the first sweep */
    uint16_t source;    /* number of the source in the pool, which tokens are made for; 0: the usual one */
    struct addr src;    /* its address; ADDR_NONE: the usual one */
    double rate_pps;    /* for backends that pace themselves; the others send at once */
};

/* Probes of a block, from the address that we usually have there? */
static inline bool order_is_plain(const struct order *order)
{
    return !order->list && !order->source && order->src.family == ADDR_NONE;
}

/* Where a probe stands. */
struct order_place {
    uint64_t bit;      /* in its block; 0 with a list of probes */
    uint64_t position; /* in its order */
};

/* The walker: the next pending bits of the order, `capacity` at most. Moves order->next behind them and
 * counts limit down. Returns how many; fewer than capacity: end of the range, or limit reached. */
unsigned order_take(struct order *order, struct order_place *ret, unsigned capacity);

/* The probe at a place, with its source port and number for `now_ns`; src is left for the backend where
 * neither the order nor a probe of its list names one. */
struct probe order_probe(const struct order *order, const struct order_place *place, int64_t now_ns);

/* Both in one step, for one probe. */
bool order_next(struct order *order, int64_t now_ns, struct probe *ret);

/* Put back what was taken from this position on, `count` probes: it could not be sent now, and is next
 * again. */
void order_put_back(struct order *order, uint64_t position, unsigned count);
