#include "netio/order.h"

#include "base/bitset.h"

struct addr block_host(const struct block *block, uint32_t slot)
{
    return plan_host_at(block->plan, block->hosts ? block->hosts[slot] : block->first_host + slot);
}

static bool find_listed(const struct block *block, uint64_t position, uint32_t *ret_slot)
{
    uint32_t low = 0, high = block->host_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (block->hosts[middle] < position)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == block->host_count || block->hosts[low] != position)
        return false;
    *ret_slot = low;
    return true;
}

/* Listed hosts are mostly neighbours in the plan's order, too: then nothing has to be searched for. */
static bool is_run(const struct block *block)
{
    return !block->hosts || (block->host_count &&
                             block->hosts[block->host_count - 1] - block->hosts[0] == block->host_count - 1);
}

bool block_find_position(const struct block *block, uint64_t position, uint32_t *ret_slot)
{
    if (!is_run(block))
        return find_listed(block, position, ret_slot);
    uint64_t first = block->hosts ? block->hosts[0] : block->first_host;
    if (position < first || position - first >= block->host_count)
        return false;
    *ret_slot = (uint32_t)(position - first);
    return true;
}

uint64_t block_bit_at(const struct block *block, uint64_t position)
{
    if (position < block->early.size)
        return permutation_at(&block->early, position);
    return block->early.size + permutation_at(&block->rest, position - block->early.size);
}

uint64_t block_position_of(const struct block *block, uint64_t bit)
{
    if (bit < block->early.size)
        return permutation_find(&block->early, bit);
    return block->early.size + permutation_find(&block->rest, bit - block->early.size);
}

struct probe order_probe(const struct order *order, const struct order_place *place, int64_t now_ns)
{
    if (order->list)
        return order->list[place->position];
    const struct block *block = order->block;
    uint64_t bit = place->bit;
    const struct probe_spec *spec = &block->specs[block_spec_of(block, bit)];
    const struct technique *technique = spec->technique;
    struct probe probe = {
        .technique = technique,
        .src = order->src,
        .dst = block_host(block, block_slot_of(block, bit)),
        .port = spec->port,
        .try_number = order->try_number,
        .bit = bit,
    };
    if (technique->kind != REQUEST_PACKET) /* nothing in it is ours to choose */
        return probe;

    struct token_subject subject = token_subject_of(technique, &probe.dst, spec->port);
    subject.source = order->source;
    struct token token = token_make(order->key, &subject, order->try_number, now_ns);
    probe.source_port = token.source_port;
    probe.number = token.number;
    return probe;
}

/* Or are its probes listed? */
static bool walks_pending(const struct order *order)
{
    return !order->bits && !order->list;
}

static uint64_t bit_at(const struct order *order, uint64_t position)
{
    if (order->list)
        return 0;
    return order->bits ? order->bits[position] : block_bit_at(order->block, position);
}

/* Which bits stand at the next positions of the order, `count` of them. The order jumps over the whole
 * bitmap, so each of its words is a cache miss unless it is asked for beforehand. */
static void look_ahead(const struct order *order, struct order_place *ret, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        ret[i] = (struct order_place){.bit = bit_at(order, order->next + i), .position = order->next + i};
        if (walks_pending(order))
            __builtin_prefetch(&order->block->pending[ret[i].bit >> 6]);
    }
}

/* Leave only what is pending. Returns how many. */
static unsigned drop_settled(const struct order *order, struct order_place *places, unsigned count)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < count; i++) {
        if (bitset_get(order->block->pending, places[i].bit))
            places[kept++] = places[i];
    }
    return kept;
}

unsigned order_take(struct order *order, struct order_place *ret, unsigned capacity)
{
    unsigned taken = 0;
    while (taken < capacity && order->limit && order->next < order->end) {
        uint64_t left = order->end - order->next;
        unsigned count = capacity - taken;
        count = count < order->limit ? count : order->limit;
        count = count < left ? count : (unsigned)left;
        look_ahead(order, ret + taken, count);
        order->next += count;
        if (walks_pending(order))
            count = drop_settled(order, ret + taken, count);
        order->limit -= count;
        taken += count;
    }
    return taken;
}

bool order_next(struct order *order, int64_t now_ns, struct probe *ret)
{
    struct order_place place;
    if (order_take(order, &place, 1) == 0)
        return false;
    *ret = order_probe(order, &place, now_ns);
    return true;
}

void order_put_back(struct order *order, uint64_t position, unsigned count)
{
    order->next = position;
    order->limit += count;
}
