#include "engine/idle/port_groups.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LIVE_ENOUGH    48 /* with so many groups in work no new one is begun */
#define ROOT_TESTS_MAX 4  /* times that a group which shows something without an open port is begun */
#define FAILURES_MAX   20 /* guesses that may fail at a port */

/* Before anything is known, one port in a hundred is open. */
#define PRIOR_OPEN  1.0
#define PRIOR_PORTS 100.0

#define RECENT_PORTS 256.0

#define SAFETY 10.0

int port_groups_init(struct port_groups *groups, uint32_t port_capacity, double risk)
{
    size_t places = (size_t)port_capacity + 1;
    *groups = (struct port_groups){
        .capacity = port_capacity,
        .open_at = log(SAFETY / risk),
        .findings = calloc(places, sizeof *groups->findings),
        .failures = calloc(places, sizeof *groups->failures),
        .next = calloc(places, sizeof *groups->next),
        .groups = calloc(places, sizeof *groups->groups),
        .live = calloc(places, sizeof *groups->live),
        .unused = calloc(places, sizeof *groups->unused),
        .roots = calloc(places, sizeof *groups->roots),
        .unused_roots = calloc(places, sizeof *groups->unused_roots),
    };
    if (groups->findings && groups->failures && groups->next && groups->groups && groups->live &&
        groups->unused && groups->roots && groups->unused_roots)
        return 0;
    port_groups_done(groups);
    return -ENOMEM;
}

void port_groups_done(struct port_groups *groups)
{
    free(groups->findings);
    free(groups->failures);
    free(groups->next);
    free(groups->groups);
    free(groups->live);
    free(groups->unused);
    free(groups->roots);
    free(groups->unused_roots);
    *groups = (struct port_groups){.port_count = 0};
}

/* ----- chains
 * -------------------------------------------------------------------------------------------------------- */

static void join(struct port_groups *groups, struct port_chain *chain, struct port_chain more)
{
    if (more.count == 0)
        return;
    if (chain->count > 0)
        groups->next[chain->last] = more.first;
    else
        chain->first = more.first;
    chain->last = more.last;
    chain->count += more.count;
}

/* The first so many of a chain, which has at least one. */
static struct port_chain cut(const struct port_groups *groups, struct port_chain *chain, uint32_t count)
{
    struct port_chain ret = {.first = chain->first, .last = chain->first, .count = count};
    for (uint32_t i = 1; i < count; i++)
        ret.last = groups->next[ret.last];
    chain->count -= count;
    if (chain->count > 0)
        chain->first = groups->next[ret.last];
    return ret;
}

/* All ports of which nothing is known are in no group. */
void port_groups_restart(struct port_groups *groups)
{
    groups->live_count = groups->leads = 0;
    groups->silent = groups->refuted = groups->pool = (struct port_chain){.count = 0};
    groups->unused_count = groups->unused_root_count = groups->port_count;
    for (uint32_t i = 0; i < groups->port_count; i++) {
        groups->unused[i] = groups->unused_roots[i] = groups->port_count - 1 - i;
        if (groups->findings[i] == FINDING_NONE_YET)
            join(groups, &groups->pool, (struct port_chain){.first = i, .last = i, .count = 1});
    }
}

void port_groups_begin(struct port_groups *groups, uint32_t port_count)
{
    assert(port_count <= groups->capacity);
    groups->port_count = port_count;
    groups->open_count = groups->done_count = groups->bursts = 0;
    groups->tentative = true;
    groups->recent_open = groups->recent_done = 0;
    memset(groups->findings, FINDING_NONE_YET, port_count);
    memset(groups->failures, 0, port_count);
    port_groups_restart(groups);
}

/* ----- findings
 * ------------------------------------------------------------------------------------------------------ */

static void find(struct port_groups *groups, const struct port_chain *ports, enum port_finding finding)
{
    uint32_t port = ports->first;
    for (uint32_t i = 0; i < ports->count; i++, port = groups->next[port])
        groups->findings[port] = (uint8_t)finding;
    bool open = finding == FINDING_OPEN;
    double fade = exp(-(double)ports->count / RECENT_PORTS);
    groups->recent_open = groups->recent_open * fade + (open ? ports->count : 0);
    groups->recent_done = groups->recent_done * fade + ports->count;
    groups->done_count += ports->count;
    groups->open_count += open ? ports->count : 0;
}

/* A guess has failed at these ports: they are asked for again when another is made. */
static void refute(struct port_groups *groups, struct port_chain ports)
{
    while (ports.count > 0) {
        struct port_chain port = cut(groups, &ports, 1);
        if (++groups->failures[port.first] >= FAILURES_MAX)
            find(groups, &port, FINDING_IN_DOUBT);
        else
            join(groups, &groups->refuted, port);
    }
}

/* ----- groups
 * -------------------------------------------------------------------------------------------------------- */

/* Groups have no port in common, so there is always a place. */
static uint32_t add_group(struct port_groups *groups, struct group group)
{
    assert(groups->unused_count > 0);
    uint32_t index = groups->unused[--groups->unused_count];
    groups->groups[index] = group;
    groups->live[groups->live_count++] = index;
    groups->roots[group.root].parts++;
    return index;
}

static void remove_group(struct port_groups *groups, uint32_t index)
{
    uint32_t sibling = groups->groups[index].sibling;
    if (sibling != GROUP_NIL)
        groups->groups[sibling].sibling = GROUP_NIL;
    uint32_t at = 0;
    while (groups->live[at] != index)
        at++;
    groups->live[at] = groups->live[--groups->live_count];
    groups->unused[groups->unused_count++] = index;
    groups->roots[groups->groups[index].root].parts--;
}

/* All parts of a root are done. If it had shown something and there was nothing, it begins anew; else what
 * was not found to be open is not. */
static void end_root(struct port_groups *groups, uint32_t index)
{
    struct group_root *root = &groups->roots[index];
    struct port_chain silent = root->silent;
    bool burst = root->shown && !root->found;
    groups->bursts += burst && !groups->tentative;
    if (burst && !groups->tentative && ++root->tests < ROOT_TESTS_MAX) {
        root->shown = false;
        root->silent.count = 0;
        add_group(groups, (struct group){.ports = silent, .root = index, .sibling = GROUP_NIL});
        return;
    }
    groups->leads -= root->leads;
    groups->unused_roots[groups->unused_root_count++] = index;
    if (!groups->tentative)
        find(groups, &silent, FINDING_NOT_OPEN);
    else if (burst)
        refute(groups, silent);
    else
        join(groups, &groups->silent, silent);
}

static void end_group(struct port_groups *groups, uint32_t index)
{
    uint32_t root = groups->groups[index].root;
    remove_group(groups, index);
    if (groups->roots[root].parts == 0)
        end_root(groups, root);
}

static void end_silent(struct port_groups *groups, uint32_t index)
{
    const struct group *group = &groups->groups[index];
    join(groups, &groups->roots[group->root].silent, group->ports);
    end_group(groups, index);
}

static void end_with(struct port_groups *groups, uint32_t index, enum port_finding finding)
{
    const struct group *group = &groups->groups[index];
    groups->roots[group->root].found += finding != FINDING_NOT_OPEN;
    find(groups, &group->ports, finding);
    end_group(groups, index);
}

/* Two groups in place of one. */
static void halve(struct port_groups *groups, uint32_t index)
{
    struct group whole = groups->groups[index];
    groups->roots[whole.root].shown = true;
    remove_group(groups, index);
    struct port_chain half = cut(groups, &whole.ports, whole.ports.count / 2);
    uint32_t one = add_group(groups, (struct group){.ports = half, .root = whole.root});
    uint32_t other =
        add_group(groups, (struct group){.ports = whole.ports, .root = whole.root, .second_half = true});
    groups->groups[one].sibling = other;
    groups->groups[other].sibling = one;
}

static bool is_untouched(const struct group *group)
{
    return group->tests == 0 && !group->in_flight;
}

/* The other half holds nothing, so this one must hold what their whole had shown. */
static void must_be_this_one(struct port_groups *groups, uint32_t index)
{
    const struct group *group = &groups->groups[index];
    if (group->ports.count > 1 && is_untouched(group))
        halve(groups, index);
}

/* The first half explains what their whole had shown: no more is known of the second than of any port. */
static void release_second(struct port_groups *groups, uint32_t index)
{
    uint32_t sibling = groups->groups[index].sibling;
    if (sibling == GROUP_NIL || !groups->groups[sibling].second_half ||
        !is_untouched(&groups->groups[sibling]))
        return;
    struct port_chain ports = groups->groups[sibling].ports;
    remove_group(groups, sibling);
    join(groups, &ports, groups->pool);
    groups->pool = ports;
}

void port_groups_tested(struct port_groups *groups, uint32_t index, double evidence)
{
    struct group *group = &groups->groups[index];
    group->in_flight = false;
    group->tests++;
    group->evidence += evidence;
    if (group->evidence >= GROUP_SPLIT_AT)
        release_second(groups, index);
    if (group->evidence <= GROUP_NONE_AT) {
        uint32_t sibling = group->sibling;
        end_silent(groups, index);
        if (sibling != GROUP_NIL)
            must_be_this_one(groups, sibling);
    } else if (group->ports.count > 1) {
        if (group->evidence >= GROUP_SPLIT_AT || group->tests >= GROUP_TESTS_MAX)
            halve(groups, index);
    } else if (group->evidence >= groups->open_at && group->tests >= GROUP_OPEN_TESTS) {
        end_with(groups, index, FINDING_OPEN);
    } else if (group->tests >= GROUP_TESTS_MAX) {
        end_with(groups, index, FINDING_IN_DOUBT);
    }
}

bool port_groups_would_open(const struct port_groups *groups, uint32_t index, double evidence)
{
    const struct group *group = &groups->groups[index];
    return group->ports.count == 1 && group->tests + 1 >= GROUP_OPEN_TESTS &&
           group->evidence + evidence >= groups->open_at;
}

void port_groups_tried(struct port_groups *groups, uint32_t index, double evidence)
{
    if (evidence >= groups->open_at)
        end_with(groups, index, FINDING_OPEN);
    else if (evidence <= GROUP_NONE_AT)
        end_silent(groups, index);
    else
        end_with(groups, index, FINDING_IN_DOUBT);
}

void port_groups_void(struct port_groups *groups, uint32_t index)
{
    groups->groups[index].in_flight = false;
}

/* ----- which is next
 * ------------------------------------------------------------------------------------------------- */

/* A second half waits for the first, which may make its test needless. */
static bool is_held(const struct port_groups *groups, const struct group *group)
{
    return group->second_half && group->tests == 0 && group->sibling != GROUP_NIL &&
           groups->groups[group->sibling].evidence < GROUP_SPLIT_AT;
}

/* One of those that can be tested, each with the same chance; only the smallest of those that have shown
 * something, if an open port is wanted soon. */
static uint32_t pick(const struct port_groups *groups, struct rand *rand, uint32_t unlike, bool held_too,
                     bool smallest)
{
    uint32_t picked = GROUP_NIL, seen = 0;
    for (uint32_t i = 0; i < groups->live_count; i++) {
        uint32_t index = groups->live[i];
        const struct group *group = &groups->groups[index];
        if (group->in_flight || (smallest && !groups->roots[group->root].shown) || index == unlike ||
            (!held_too && is_held(groups, group)))
            continue;
        if (smallest && picked != GROUP_NIL && group->ports.count != groups->groups[picked].ports.count) {
            if (group->ports.count > groups->groups[picked].ports.count)
                continue;
            seen = 0;
        }
        if (rand_below(rand, ++seen) == 0)
            picked = index;
    }
    return picked;
}

static uint32_t new_root(struct port_groups *groups, uint32_t size)
{
    uint32_t left = groups->pool.count;
    if (left == 0)
        return GROUP_NIL;
    uint32_t root = groups->unused_roots[--groups->unused_root_count];
    groups->roots[root] = (struct group_root){.parts = 0};
    return add_group(groups, (struct group){.ports = cut(groups, &groups->pool, size < left ? size : left),
                                            .root = root,
                                            .sibling = GROUP_NIL});
}

uint32_t port_groups_next(struct port_groups *groups, struct rand *rand, uint32_t unlike, bool deep,
                          bool ahead, uint32_t root_size)
{
    bool may_begin = !deep && groups->live_count < LIVE_ENOUGH;
    uint32_t index = GROUP_NIL;
    if (!may_begin || groups->pool.count == 0 || rand_below(rand, 2))
        index = pick(groups, rand, unlike, false, deep);
    if (index == GROUP_NIL && may_begin)
        index = new_root(groups, root_size);
    if (index == GROUP_NIL)
        index = pick(groups, rand, unlike, false, deep);
    if (index == GROUP_NIL && ahead)
        index = pick(groups, rand, unlike, true, deep);
    if (index != GROUP_NIL)
        groups->groups[index].in_flight = true;
    return index;
}

/* ----- what is said of groups, and of the guess
 * ---------------------------------------------------------------------- */

void port_groups_rule_out(struct port_groups *groups, uint32_t index)
{
    end_with(groups, index, FINDING_NOT_OPEN);
}

void port_groups_doubt(struct port_groups *groups, uint32_t index)
{
    end_with(groups, index, FINDING_IN_DOUBT);
}

void port_groups_lead(struct port_groups *groups, uint32_t index, double evidence)
{
    struct group_root *root = &groups->roots[groups->groups[index].root];
    groups->leads += !root->leads;
    root->leads = true;
    port_groups_tested(groups, index, evidence);
}

void port_groups_doubt_all(struct port_groups *groups)
{
    for (uint32_t i = 0; i < groups->live_count; i++) {
        struct group *group = &groups->groups[groups->live[i]];
        struct group_root *root = &groups->roots[group->root];
        group->evidence = group->shown = group->sent = group->noise = 0;
        group->tests = group->lag_tests = 0;
        join(groups, &groups->pool, root->silent);
        root->silent.count = 0;
    }
}

void port_groups_settle(struct port_groups *groups, bool right)
{
    groups->tentative = false;
    if (right)
        find(groups, &groups->silent, FINDING_NOT_OPEN);
    else
        join(groups, &groups->pool, groups->silent);
    join(groups, &groups->pool, groups->refuted);
    groups->silent = groups->refuted = (struct port_chain){.count = 0};
    if (!right)
        port_groups_doubt_all(groups);
}

bool port_groups_all_done(const struct port_groups *groups)
{
    return groups->done_count == groups->port_count;
}

double port_groups_density(const struct port_groups *groups)
{
    return (groups->recent_open + PRIOR_OPEN) / (groups->recent_done + PRIOR_PORTS);
}
