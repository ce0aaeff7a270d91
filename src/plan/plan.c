#include "plan/plan.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/own.h"

/* What is never scanned unless asked for: RFC 1122 section 3.2.1.3, RFC 1112 section 4, RFC 4291 sections
 * 2.5.2 and 2.7. A bare zone-less range covers every zone. */
static const struct special_range {
    enum special_kind kind;
    const char *first;
    const char *last;
} special_ranges[] = {
    {SPECIAL_THIS_NETWORK, "0.0.0.0", "0.255.255.255"},
    {SPECIAL_THIS_NETWORK, "::", "::"},
    {SPECIAL_MULTICAST, "224.0.0.0", "239.255.255.255"},
    {SPECIAL_MULTICAST, "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    {SPECIAL_RESERVED, "240.0.0.0", "255.255.255.255"},
};

const char *special_kind_name(enum special_kind kind)
{
    static const char *const names[SPECIAL_COUNT] = {
        [SPECIAL_THIS_NETWORK] = "this network (0.0.0.0/8 and ::)",
        [SPECIAL_MULTICAST] = "multicast (224.0.0.0/4 and ff00::/8)",
        [SPECIAL_RESERVED] = "reserved (240.0.0.0/4)",
        [SPECIAL_BROADCAST] = "broadcast of an attached network",
    };
    return names[kind];
}

static void own_addr_set_done(struct addr_set *set)
{
    addr_set_done(set);
}

static int special_set(enum special_kind kind, struct addr_set *ret)
{
    for (size_t i = 0; i < sizeof special_ranges / sizeof special_ranges[0]; i++) {
        const struct special_range *range = &special_ranges[i];
        struct addr first;
        struct addr last;
        if (range->kind != kind)
            continue;
        bool parsed = addr_parse(range->first, &first) && addr_parse(range->last, &last);
        assert(parsed);
        int error = addr_set_add(ret, first, last);
        if (error)
            return error;
    }
    (void)addr_set_normalize(ret); /* ff00::/8 is more than can be scanned, and meant to be taken away */
    return 0;
}

static int remove_special(struct plan *plan, struct addr_set *broadcasts)
{
    for (enum special_kind kind = 0; kind < SPECIAL_BROADCAST; kind++) {
        own(addr_set_done) struct addr_set special = {0};
        int error = special_set(kind, &special);
        if (!error)
            error = addr_set_subtract(&plan->targets, &special, &plan->special_count[kind]);
        if (error)
            return error;
    }
    if (!broadcasts)
        return 0;
    (void)addr_set_normalize(broadcasts);
    return addr_set_subtract(&plan->targets, broadcasts, &plan->special_count[SPECIAL_BROADCAST]);
}

static int nothing_left(const struct plan *plan, struct error *err)
{
    uint64_t special = 0;
    for (enum special_kind kind = 0; kind < SPECIAL_COUNT; kind++)
        special += plan->special_count[kind];
    if (special)
        return error_set(err, EX_DATAERR,
                         "no target left to scan: %" PRIu64 " excluded, %" PRIu64
                         " never scanned without --allow-special",
                         plan->excluded_count, special);
    if (plan->excluded_count)
        return error_set(err, EX_DATAERR, "no target left to scan: all %" PRIu64 " are excluded",
                         plan->excluded_count);
    return error_set(err, EX_DATAERR, "no targets given");
}

/* Every shard_count-th of all targets. */
static void count_hosts(struct plan *plan)
{
    uint64_t total = plan->targets.addr_count;
    uint64_t index = plan->options.shard_index;
    plan->host_count = index < total ? (total - 1 - index) / plan->options.shard_count + 1 : 0;
}

/* Everything but the ports: targets, what is taken from them, and their order. */
static int choose_hosts(struct plan *plan, struct addr_set *excluded, struct addr_set *broadcasts,
                        struct error *err)
{
    if (addr_set_normalize(&plan->targets))
        return error_set(err, EX_DATAERR, "too many targets: 2^63 addresses or more");
    int error = 0;
    if (excluded) {
        (void)addr_set_normalize(excluded); /* more may be excluded than could be scanned */
        error = addr_set_subtract(&plan->targets, excluded, &plan->excluded_count);
    }
    if (!error && !plan->options.allow_special)
        error = remove_special(plan, broadcasts);
    if (error)
        return error_set(err, EX_OSERR, "out of memory for the targets");

    uint64_t total = plan->targets.addr_count;
    if (total == 0)
        return nothing_left(plan, err);
    count_hosts(plan);
    plan->host_order = permutation_new(total, plan->options.seed);
    return 0;
}

int plan_init(struct plan *ret, struct addr_set *targets, struct addr_set *excluded,
              struct addr_set *broadcasts, struct port_set *ports, const struct plan_options *options,
              struct error *err)
{
    assert(options->shard_count >= 1 && options->shard_index < options->shard_count);
    own(free_ptr) struct plan *plan = calloc(1, sizeof *plan);
    if (!plan) {
        addr_set_done(targets);
        memset(ports, 0, sizeof *ports);
        return error_set(err, EX_OSERR, "out of memory for the plan");
    }
    plan->targets = *targets;
    *targets = (struct addr_set){0};
    plan->ports = *ports;
    memset(ports, 0, sizeof *ports);
    plan->options = *options;

    int error = choose_hosts(plan, excluded, broadcasts, err);
    if (error) {
        plan_done(plan);
        return error;
    }
    *ret = *plan;
    return 0;
}

void plan_done(struct plan *plan)
{
    if (plan)
        addr_set_done(&plan->targets);
}

void plan_take_share(struct plan *plan, uint64_t index, uint64_t count)
{
    assert(index < count && plan->options.shard_count <= UINT64_MAX / count);
    plan->options.shard_index += plan->options.shard_count * index;
    plan->options.shard_count *= count;
    count_hosts(plan);
}

bool plan_is_anothers(const struct plan *plan, const struct addr *addr)
{
    uint64_t index, position;
    return addr_set_find(&plan->targets, addr, &index) && !plan_host_find(plan, addr, &position);
}

struct addr plan_host_at(const struct plan *plan, uint64_t position)
{
    assert(position < plan->host_count);
    uint64_t global = position * plan->options.shard_count + plan->options.shard_index;
    return addr_set_at(&plan->targets, permutation_at(&plan->host_order, global));
}

bool plan_host_find(const struct plan *plan, const struct addr *addr, uint64_t *ret_position)
{
    uint64_t index;
    if (!addr_set_find(&plan->targets, addr, &index))
        return false;
    uint64_t global = permutation_find(&plan->host_order, index);
    if (global % plan->options.shard_count != plan->options.shard_index)
        return false;
    *ret_position = global / plan->options.shard_count;
    return true;
}
