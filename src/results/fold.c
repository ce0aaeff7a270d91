#include "results/fold.h"

#include <stdlib.h>
#include <string.h>

#define FOLD_LIMIT 25

static uint64_t fold_limit(const struct fold_options *options)
{
    uint64_t per_debugging = options->ip_protocols ? 3 : 20;
    if (!options->verbosity && !options->debugging)
        return FOLD_LIMIT;
    return FOLD_LIMIT * (options->verbosity + UINT64_C(1) + per_debugging * options->debugging);
}

static bool is_interesting(enum port_state state)
{
    return state == PORT_OPEN || state == PORT_OPEN_FILTERED || state == PORT_UNFILTERED;
}

static bool is_folded(enum port_state state, uint32_t count, const struct fold_options *options)
{
    if (!count || state == PORT_OPEN)
        return false;
    if (state == PORT_UNKNOWN || (options->open_only && !is_interesting(state)))
        return true;
    if (options->debugging >= 3 || (state == PORT_OPEN_FILTERED && options->verbosity >= 3))
        return false;
    return count > fold_limit(options);
}

/* By decreasing count; else in the order of the enums, so that the same results give the same report. */
static int compare_reasons(const void *a_, const void *b_)
{
    const struct fold_reason *a = a_;
    const struct fold_reason *b = b_;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    if (a->protocol != b->protocol)
        return a->protocol < b->protocol ? -1 : 1;
    return a->reason < b->reason ? -1 : a->reason > b->reason;
}

static int compare_groups(const void *a_, const void *b_)
{
    const struct fold_group *a = a_;
    const struct fold_group *b = b_;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return a->state < b->state ? -1 : a->state > b->state;
}

/* The reasons of one folded state, appended after the `first` ones. Returns how many. */
static uint16_t add_reasons(uint32_t counts[REASON_COUNT][PROTOCOL_COUNT], enum port_state state,
                            struct fold_reason *ret)
{
    uint16_t added = 0;
    for (unsigned reason = 0; reason < REASON_COUNT; reason++)
        for (unsigned protocol = 0; protocol < PROTOCOL_COUNT; protocol++)
            if (counts[reason][protocol])
                ret[added++] = (struct fold_reason){.state = (uint8_t)state,
                                                    .reason = (uint8_t)reason,
                                                    .protocol = (uint8_t)protocol,
                                                    .count = counts[reason][protocol]};
    qsort(ret, added, sizeof *ret, compare_reasons);
    return added;
}

void fold_host(const struct host_result *host, const struct fold_options *options, struct fold *ret)
{
    uint32_t counts[PORT_STATE_COUNT][REASON_COUNT][PROTOCOL_COUNT] = {0};
    *ret = (struct fold){0};
    for (uint32_t i = 0; i < host->port_count; i++) {
        const struct port_result *port = &host->ports[i];
        ret->counts[port->state]++;
        if (port->confirmation == CONFIRMATION_ACKNOWLEDGED)
            ret->confirmed_count++;
        else
            counts[port->state][port->reason][port->protocol]++;
    }

    uint16_t first = 0;
    for (unsigned state = 0; state < PORT_STATE_COUNT; state++) {
        ret->folded[state] = is_folded((enum port_state)state, ret->counts[state], options) ||
                             (state == PORT_OPEN && host->answers_all && options->debugging < 3 &&
                              ret->counts[state] > FOLD_LIMIT);
        if (!ret->folded[state]) {
            ret->listed_count += ret->counts[state];
            continue;
        }
        uint32_t folded_count = ret->counts[state];
        if (state == PORT_OPEN) {
            folded_count -= ret->confirmed_count;
            ret->listed_count += ret->confirmed_count;
        }
        uint16_t added = add_reasons(counts[state], (enum port_state)state, &ret->reasons[first]);
        ret->groups[ret->group_count++] = (struct fold_group){
            .state = (uint8_t)state, .count = folded_count, .first = first, .reason_count = added};
        first = (uint16_t)(first + added);
    }
    qsort(ret->groups, ret->group_count, sizeof ret->groups[0], compare_groups);
}

bool fold_hides(const struct fold *fold, const struct port_result *port)
{
    return fold->folded[port->state] && port->confirmation != CONFIRMATION_ACKNOWLEDGED;
}

bool fold_host_shown(const struct host_result *host, const struct fold_options *options)
{
    if (!host->up)
        return options->verbosity >= 1;
    if (!options->open_only || !host->port_count)
        return true;
    for (uint32_t i = 0; i < host->port_count; i++)
        if (is_interesting((enum port_state)host->ports[i].state))
            return true;
    return false;
}
