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

bool block_find_position(const struct block *block, uint64_t position, uint32_t *ret_slot)
{
    if (block->hosts)
        return find_listed(block, position, ret_slot);
    if (position < block->first_host || position - block->first_host >= block->host_count)
        return false;
    *ret_slot = (uint32_t)(position - block->first_host);
    return true;
}

uint64_t block_bit_at(const struct block *block, uint64_t position)
{
    if (position < block->early.size)
        return permutation_at(&block->early, position);
    return block->early.size + permutation_at(&block->rest, position - block->early.size);
}

static struct probe probe_of(const struct order *order, uint64_t bit, int64_t now_ns)
{
    const struct block *block = order->block;
    const struct probe_spec *spec = &block->specs[bit / block->host_count];
    const struct technique *technique = spec->technique;
    struct probe probe = {
        .technique = technique,
        .src = order->src,
        .dst = block_host(block, (uint32_t)(bit % block->host_count)),
        .port = spec->port,
        .try_number = order->try_number,
        .bit = bit,
    };
    if (technique->kind == REQUEST_NEIGHBOR)
        return probe;

    struct token_subject subject = token_subject_of(technique, &probe.dst, spec->port);
    subject.source = order->source;
    struct token token = token_make(order->key, &subject, order->try_number, now_ns);
    probe.source_port = token.source_port;
    probe.number = token.number;
    return probe;
}

bool order_next(struct order *order, int64_t now_ns, struct probe *ret)
{
    while (order->limit && order->next < order->end) {
        uint64_t position = order->next++;
        if (order->list) {
            order->limit--;
            *ret = order->list[position];
            return true;
        }
        uint64_t bit = order->bits ? order->bits[position] : block_bit_at(order->block, position);
        if (!order->bits && !bitset_get(order->block->pending, bit))
            continue;
        order->limit--;
        *ret = probe_of(order, bit, now_ns);
        return true;
    }
    return false;
}

void order_undo(struct order *order)
{
    order->next--;
    order->limit++;
}
