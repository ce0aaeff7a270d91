/* The search for the lag, while no open port is known: how much later than our own packets what follows from
 * SYNs shows.
 *
 * Blocks of ports are sent to again and again, each time in another order. If something showed, some block
 * was open: at a lag that follows from when that block was sent to. Wrong pairs of block and lag do not show
 * again when the order changes; the right lag shows for every open block, every time. So of each block and
 * each span that the lag may lie in we keep how much likelier what was counted is if the block has an open
 * port and the lag lies there, than if it has none.
 *
 * Answers of other blocks show there, too. To find a silent block we take them for chance, as nothing is
 * known of the lag. To find the lag we let each span foretell them, from when the blocks were sent to that
 * are open if the lag lies there: at the right span little comes that was not foretold, and what was foretold
 * comes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/idle/evidence.h"
#include "engine/idle/lag.h"

#define SEARCH_BLOCKS_MAX 48
#define SEARCH_SPANS_MAX  512
#define SEARCH_WIDTHS     3 /* by how much the way through the target varies: little, 15 ms, 60 ms */

struct search_span {
    struct lag_span lag;
    uint8_t width;
};

struct search_block {
    uint32_t group;  /* GROUP_NIL: the place is free */
    uint64_t serial; /* which block it is */
    uint32_t ports;
    unsigned shots;   /* times that it was sent to, of which so many */
    unsigned pending; /* have not been counted in all spans */
    /* ln of the likelihood ratios, others being taken for chance, and being foretold. */
    float by_chance[SEARCH_SPANS_MAX], foretold[SEARCH_SPANS_MAX];
};

struct search {
    struct search_span spans[SEARCH_SPANS_MAX]; /* in the order of their ends; half belongs to the next */
    unsigned span_count;
    double explained[SEARCH_SPANS_MAX]; /* ln of how much likelier all was as foretold than by chance */
    unsigned of_width[SEARCH_WIDTHS];   /* how many */
    unsigned width;                     /* for which we search: 0 at first */
    struct search_block blocks[SEARCH_BLOCKS_MAX];
    uint64_t next_serial;
};

/* Without blocks, and by the least width.
 *   least_ns  the width of the narrowest spans */
void search_init(struct search *search, struct lag_span longest, int64_t least_ns);

/* How wide spans of this width are. */
int64_t search_width_ns(const struct search *search, unsigned width);

/* Returns its place; there must be one. */
unsigned search_add(struct search *search, uint32_t group, uint32_t ports);
unsigned search_block_count(const struct search *search);

/* So much was counted where the answers of a block would show if the lag lay in this span.
 *   others    how likely something that looks like answers shows in such a stretch, by chance
 *   foretold  the same, by what the span foretells of the other blocks */
void search_count(struct search *search, struct search_block *block, unsigned span,
                  struct evidence_chances chances, double others, double foretold);

/* The chance that a port of the block is open if the lag lies in this span.
 *   density  share of the ports that are open, before anything is known */
double search_open(const struct search_block *block, unsigned span, double density);

/* How likely what was counted is if a port of the block is open, than if none is, wherever the lag lies:
 * ln. */
double search_anywhere(const struct search *search, const struct search_block *block);

/* The same if the lag lies around the middle of this span; the way may vary a little more than is searched
 * for. */
double search_at(const struct search *search, const struct search_block *block, struct lag_span lag);

/* Where the lag is, when that is clear.
 *   density  share of the ports that are open, before anything is known */
bool search_guess(const struct search *search, double density, struct lag_span *ret);
