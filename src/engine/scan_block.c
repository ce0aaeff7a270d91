#include "engine/scan_block.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bitset.h"
#include "base/time.h"

static struct permutation order_of(uint64_t size, uint64_t key, bool in_order)
{
    if (size == 0)
        return (struct permutation){0};
    return in_order ? permutation_identity(size) : permutation_new(size, key);
}

static void set_first_bits(uint64_t *words, uint64_t bits)
{
    memset(words, 0xff, (size_t)(bits / 64) * 8);
    for (uint64_t bit = bits / 64 * 64; bit < bits; bit++)
        bitset_set(words, bit);
}

static void fill(struct scan_block *scan_block, const struct scan_block_config *config)
{
    struct block *block = &scan_block->block;
    uint64_t hosts = config->host_count;
    *block = (struct block){
        .id = config->id,
        .plan = config->plan,
        .hosts = scan_block->hosts,
        .host_count = config->host_count,
        .specs = config->specs,
        .spec_count = config->spec_count,
        .early = order_of(hosts * config->early_count, config->seed ^ config->id, config->in_order),
        .rest = order_of(hosts * (config->spec_count - config->early_count), ~config->seed ^ config->id,
                         config->in_order),
        .pending = block->pending,
    };
    set_first_bits(block->pending, block_probe_count(block));

    scan_block->kind = (uint8_t)config->kind;
    scan_block->path = config->hosts[0].path;
    scan_block->phase = PHASE_WAIT;
    scan_block->told.time_ns = -1;
    scan_block->open_hosts = config->host_count;
    scan_block->started_ns = scan_block->last_sent_ns = scan_block->wake_ns = config->now_ns;
    for (unsigned i = 0; i < TOKEN_TRIES_MAX; i++)
        scan_block->first_sent_ns[i] = TIME_NEVER;
    for (uint32_t slot = 0; slot < config->host_count; slot++) {
        scan_block->hosts[slot] = config->hosts[slot].position;
        scan_block->slots[slot].open = config->spec_count;
        scan_block->slots[slot].record = config->hosts[slot].record;
    }
}

struct scan_block *scan_block_new(const struct scan_block_config *config)
{
    uint64_t probes = (uint64_t)config->host_count * config->spec_count;
    struct scan_block *scan_block = calloc(1, sizeof *scan_block);
    if (!scan_block)
        return NULL;
    scan_block->hosts = calloc(config->host_count, sizeof *scan_block->hosts);
    scan_block->slots = calloc(config->host_count, sizeof *scan_block->slots);
    scan_block->up_slots =
        calloc(config->kind == BLOCK_PORTS ? 1 : config->host_count, sizeof *scan_block->up_slots);
    scan_block->silent = calloc(bitset_words(probes), sizeof *scan_block->silent);
    scan_block->served = calloc(bitset_words(probes), sizeof *scan_block->served);
    scan_block->block.pending = calloc(bitset_words(probes), sizeof *scan_block->block.pending);
    if (!scan_block->hosts || !scan_block->slots || !scan_block->up_slots || !scan_block->silent ||
        !scan_block->served || !scan_block->block.pending) {
        scan_block_free(scan_block);
        return NULL;
    }
    fill(scan_block, config);
    return scan_block;
}

void scan_block_free(struct scan_block *scan_block)
{
    if (!scan_block)
        return;
    free(scan_block->hosts);
    free(scan_block->slots);
    free(scan_block->up_slots);
    free(scan_block->silent);
    free(scan_block->served);
    free(scan_block->block.pending);
    free(scan_block);
}

uint64_t scan_block_bit(const struct scan_block *scan_block, uint32_t slot, uint32_t spec)
{
    return (uint64_t)spec * scan_block->block.host_count + slot;
}

static void mark_sweep(struct scan_block *scan_block, int64_t now_ns)
{
    scan_block->marks[0] = scan_block->marks[1] = (struct checkpoint_mark){now_ns, scan_block->cursor};
}

void scan_block_start_sweep(struct scan_block *scan_block, bool repair, int64_t now_ns)
{
    bool first = scan_block->first_sent_ns[0] == TIME_NEVER;
    if (!first) {
        scan_block->sweep++;
        scan_block->try_number = (uint8_t)(scan_block->sweep % TOKEN_TRY_CANARY);
    }
    scan_block->valid_before[scan_block->try_number] = scan_block->valid_tries;
    scan_block->phase = PHASE_SWEEP;
    scan_block->tries_counted = false;
    scan_block->first_sent_ns[scan_block->try_number] = now_ns; /* no answer to this try can be older */
    scan_block->swept_ns = 0;
    scan_block->kept_up_slots = 0;
    scan_block->slice_count = 0;
    scan_block->repair_index = 0;
    scan_block->repairs_in_a_row = repair ? scan_block->repairs_in_a_row + 1 : 0;
    scan_block->repair_count = repair ? scan_block->void_count : 0;
    memcpy(scan_block->repairs, scan_block->voids, scan_block->repair_count * sizeof scan_block->voids[0]);
    scan_block->void_count = 0; /* a sweep over everything sends them again anyway */
    scan_block->part = (struct order_range){0, block_probe_count(&scan_block->block)};
    if (scan_block->repair_count)
        scan_block->part = scan_block->repairs[0];
    scan_block->cursor = scan_block->part.first;
    mark_sweep(scan_block, now_ns);
}

void scan_block_resume_sweep(struct scan_block *scan_block, uint8_t tries, uint64_t next, int64_t now_ns)
{
    uint8_t try_number = tries < TOKEN_TRY_CANARY ? tries : TOKEN_TRY_CANARY - 1;
    uint64_t probes = block_probe_count(&scan_block->block);
    scan_block->sweep = scan_block->try_number = try_number;
    scan_block->valid_tries = scan_block->valid_before[try_number] = tries;
    for (unsigned i = 0; i <= try_number; i++)
        scan_block->first_sent_ns[i] = now_ns;
    scan_block->part = (struct order_range){0, probes};
    scan_block->cursor = next < probes ? next : probes;
    scan_block->phase = scan_block->cursor < probes ? PHASE_SWEEP : PHASE_WAIT;
    mark_sweep(scan_block, now_ns);
}

struct order_range scan_block_todo(const struct scan_block *scan_block)
{
    return (struct order_range){scan_block->cursor, scan_block->part.end};
}

static struct slice join(const struct slice *a, const struct slice *b)
{
    return (struct slice){
        .from_ns = a->from_ns,
        .to_ns = b->to_ns,
        .range = {a->range.first < b->range.first ? a->range.first : b->range.first,
                  a->range.end > b->range.end ? a->range.end : b->range.end},
    };
}

/* With the log full two neighbours become one: those that span least beside how long they are ago. So it
 * reaches back to the start of the sweep, however long that is, and knows best what was sent of late. */
static void make_room(struct scan_block *scan_block, int64_t now_ns)
{
    struct slice *slices = scan_block->slices;
    unsigned best = 0;
    double best_share = HUGE_VAL;
    for (unsigned i = 0; i + 1 < scan_block->slice_count; i++) {
        double span_ns = (double)(slices[i + 1].to_ns - slices[i].from_ns);
        double age_ns = (double)(now_ns - slices[i + 1].to_ns) + 1;
        if (span_ns / age_ns >= best_share)
            continue;
        best = i;
        best_share = span_ns / age_ns;
    }
    slices[best] = join(&slices[best], &slices[best + 1]);
    scan_block->slice_count--;
    memmove(&slices[best + 1], &slices[best + 2], (scan_block->slice_count - best - 1) * sizeof slices[0]);
}

static void log_slice(struct scan_block *scan_block, struct order_range range, int64_t now_ns)
{
    if (scan_block->slice_count) {
        struct slice *last = &scan_block->slices[scan_block->slice_count - 1];
        if (last->range.end == range.first && now_ns - last->from_ns < MSEC) {
            last->range.end = range.end;
            last->to_ns = now_ns;
            return;
        }
    }
    if (scan_block->slice_count == SLICE_LOG_LEN)
        make_room(scan_block, now_ns);
    scan_block->slices[scan_block->slice_count++] = (struct slice){now_ns, now_ns, range};
}

void scan_block_sent(struct scan_block *scan_block, uint64_t end, int64_t now_ns)
{
    if (end > scan_block->cursor) {
        log_slice(scan_block, (struct order_range){scan_block->cursor, end}, now_ns);
        scan_block->last_sent_ns = now_ns;
    }
    scan_block->cursor = end;
    if (scan_block->cursor == scan_block->part.end &&
        scan_block->repair_index + 1 < scan_block->repair_count) {
        scan_block->part = scan_block->repairs[++scan_block->repair_index];
        scan_block->cursor = scan_block->part.first;
    }
}

int64_t scan_block_sent_ns(const struct scan_block *scan_block, uint64_t bit)
{
    uint64_t position = block_position_of(&scan_block->block, bit);
    unsigned low = 0, high = scan_block->slice_count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        const struct slice *slice = &scan_block->slices[middle];
        if (position < slice->range.first)
            high = middle;
        else if (position >= slice->range.end)
            low = middle + 1;
        else
            return slice->to_ns - slice->from_ns < MSEC ? slice->from_ns : TIME_NEVER;
    }
    return TIME_NEVER;
}

/* The two ranges with the least between them become one: sending a little too much again is harmless. */
static void join_nearest(struct order_range *ranges, unsigned *count)
{
    unsigned best = 0;
    for (unsigned i = 1; i + 1 < *count; i++)
        if (ranges[i + 1].first - ranges[i].end < ranges[best + 1].first - ranges[best].end)
            best = i;
    ranges[best].end = ranges[best + 1].end;
    (*count)--;
    memmove(&ranges[best + 1], &ranges[best + 2], (*count - best - 1) * sizeof ranges[0]);
}

/* Insert in order, joining what touches. */
void scan_block_void_range(struct scan_block *scan_block, struct order_range range)
{
    if (range.first >= range.end)
        return;
    struct order_range merged[VOID_RANGES_MAX + 1];
    unsigned count = 0;
    bool placed = false;
    for (unsigned i = 0; i < scan_block->void_count; i++) {
        struct order_range old = scan_block->voids[i];
        if (old.end < range.first) {
            merged[count++] = old;
        } else if (range.end < old.first) {
            if (!placed)
                merged[count++] = range;
            placed = true;
            merged[count++] = old;
        } else {
            range.first = old.first < range.first ? old.first : range.first;
            range.end = old.end > range.end ? old.end : range.end;
        }
    }
    if (!placed)
        merged[count++] = range;
    if (count > VOID_RANGES_MAX)
        join_nearest(merged, &count);
    memcpy(scan_block->voids, merged, count * sizeof merged[0]);
    scan_block->void_count = count;
}

uint64_t scan_block_void_time(struct scan_block *scan_block, int64_t from_ns, int64_t to_ns)
{
    uint64_t positions = 0;
    for (unsigned i = 0; i < scan_block->slice_count; i++) {
        const struct slice *slice = &scan_block->slices[i];
        if (slice->to_ns < from_ns || slice->from_ns > to_ns)
            continue;
        scan_block_void_range(scan_block, slice->range);
        positions += slice->range.end - slice->range.first;
    }
    return positions;
}

void scan_block_drop_probe(struct scan_block *scan_block, uint32_t slot, uint32_t spec)
{
    uint64_t bit = scan_block_bit(scan_block, slot, spec);
    assert(bitset_get(scan_block->block.pending, bit) && scan_block->slots[slot].open > 0);
    bitset_clear(scan_block->block.pending, bit);
    bitset_set(scan_block->silent, bit);
    scan_block->slots[slot].open--;
}

void scan_block_drop_host(struct scan_block *scan_block, uint32_t slot, bool silent)
{
    for (uint32_t spec = 0; spec < scan_block->block.spec_count; spec++) {
        uint64_t bit = scan_block_bit(scan_block, slot, spec);
        if (!bitset_get(scan_block->block.pending, bit))
            continue;
        bitset_clear(scan_block->block.pending, bit);
        if (silent)
            bitset_set(scan_block->silent, bit);
    }
    assert(!scan_block->slots[slot].done && scan_block->open_hosts > 0);
    scan_block->slots[slot].done = true;
    scan_block->open_hosts--;
}
