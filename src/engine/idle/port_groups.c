#include "engine/idle/port_groups.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LIVE_ENOUGH    48 /* with so many groups in work no new one is begun */
#define ROOT_TESTS_MAX 4  /* times that a group which shows something without an open port is begun */

#define ROOT_GUESSES_MAX 20 /* the same while tests are tentative */

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
        .groups = calloc(places, sizeof *groups->groups),
        .live = calloc(places, sizeof *groups->live),
        .unused = calloc(places, sizeof *groups->unused),
        .roots = calloc(places, sizeof *groups->roots),
    };
    if (groups->findings && groups->groups && groups->live && groups->unused && groups->roots)
        return 0;
    port_groups_done(groups);
    return -ENOMEM;
}

void port_groups_done(struct port_groups *groups)
{
    free(groups->findings);
    free(groups->groups);
    free(groups->live);
    free(groups->unused);
    free(groups->roots);
    *groups = (struct port_groups){.port_count = 0};
}

void port_groups_begin(struct port_groups *groups, uint32_t port_count)
{
    assert(port_count <= groups->capacity);
    groups->port_count = port_count;
    groups->live_count = groups->root_count = groups->next_port = 0;
    groups->open_count = groups->done_count = groups->bursts = 0;
    groups->tentative = true;
    groups->recent_open = groups->recent_done = 0;
    memset(groups->findings, FINDING_NONE_YET, port_count);
    groups->unused_count = port_count;
    for (uint32_t i = 0; i < port_count; i++)
        groups->unused[i] = port_count - 1 - i;
}

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

static void begin_root(struct port_groups *groups, uint32_t root, bool held)
{
    const struct group_root *whole = &groups->roots[root];
    groups->roots[root].tests++;
    add_group(
        groups,
        (struct group){
            .first = whole->first, .count = whole->count, .root = root, .sibling = GROUP_NIL, .held = held});
}

static void find(struct port_groups *groups, uint32_t port, enum port_finding finding)
{
    if (groups->findings[port] != FINDING_NONE_YET)
        return;
    groups->findings[port] = (uint8_t)finding;
    groups->done_count++;
    groups->open_count += finding == FINDING_OPEN;
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
}

/* All parts of a group are done. If it had shown something and there was nothing, it begins anew; else what was not found
 * to be open is not. */
static void end_root(struct port_groups *groups, uint32_t index)
{
    struct group_root *root = &groups->roots[index];
    bool burst = root->shown && !root->found;
    groups->bursts += burst && !groups->tentative;
    if (burst && root->tests < (groups->tentative ? ROOT_GUESSES_MAX : ROOT_TESTS_MAX)) {
        root->shown = false;
        begin_root(groups, index, groups->tentative);
        return;
    }
    for (uint32_t i = 0; i < root->count; i++)
        find(groups, root->first + i, burst && groups->tentative ? FINDING_IN_DOUBT : FINDING_NOT_OPEN);
    double fade = exp(-(double)root->count / RECENT_PORTS);
    groups->recent_open = groups->recent_open * fade + root->found;
    groups->recent_done = groups->recent_done * fade + root->count;
}

static void end_group(struct port_groups *groups, uint32_t index)
{
    uint32_t root = groups->groups[index].root;
    remove_group(groups, index);
    if (--groups->roots[root].parts == 0)
        end_root(groups, root);
}

/* Two groups in place of one. */
static void halve(struct port_groups *groups, uint32_t index)
{
    struct group whole = groups->groups[index];
    groups->roots[whole.root].shown = true;
    remove_group(groups, index);
    uint32_t half = whole.count / 2;
    uint32_t one = add_group(groups, (struct group){.first = whole.first, .count = half, .root = whole.root});
    uint32_t other = add_group(groups, (struct group){.first = whole.first + half,
                                                      .count = whole.count - half,
                                                      .root = whole.root,
                                                      .second_half = true});
    groups->groups[one].sibling = other;
    groups->groups[other].sibling = one;
    groups->roots[whole.root].parts--;
}

/* The other half holds nothing, so this one must hold what their whole had shown. */
static void must_be_this_one(struct port_groups *groups, uint32_t index)
{
    const struct group *group = &groups->groups[index];
    if (group->count > 1 && group->tests == 0 && !group->in_flight)
        halve(groups, index);
}

static void end_single(struct port_groups *groups, uint32_t index, enum port_finding finding)
{
    const struct group *group = &groups->groups[index];
    struct group_root *root = &groups->roots[group->root];
    root->shown = true;
    root->found += finding != FINDING_NOT_OPEN;
    if (finding != FINDING_NOT_OPEN)
        find(groups, group->first, finding);
    end_group(groups, index);
}

void port_groups_tested(struct port_groups *groups, uint32_t index, double evidence)
{
    struct group *group = &groups->groups[index];
    group->in_flight = false;
    group->tests++;
    group->evidence += evidence;
    if (group->evidence <= GROUP_NONE_AT) {
        uint32_t sibling = group->sibling;
        end_group(groups, index);
        if (sibling != GROUP_NIL)
            must_be_this_one(groups, sibling);
    } else if (group->count > 1) {
        if (group->evidence >= GROUP_SPLIT_AT || group->tests >= GROUP_TESTS_MAX)
            halve(groups, index);
    } else if (group->evidence >= groups->open_at && group->tests >= GROUP_OPEN_TESTS) {
        end_single(groups, index, FINDING_OPEN);
    } else if (group->tests >= GROUP_TESTS_MAX) {
        end_single(groups, index, FINDING_IN_DOUBT);
    }
}

void port_groups_void(struct port_groups *groups, uint32_t index)
{
    groups->groups[index].in_flight = false;
}

/* A second half waits for the first, which may make its test needless. */
static bool is_held(const struct port_groups *groups, const struct group *group)
{
    return group->second_half && group->tests == 0 && group->sibling != GROUP_NIL &&
           groups->groups[group->sibling].evidence < GROUP_SPLIT_AT;
}

/* One of those that can be tested, each with the same chance; only the smallest of those that have shown something, if an
 * open port is wanted soon. */
static uint32_t pick(const struct port_groups *groups, struct rand *rand, uint32_t unlike, bool held_too,
                     bool smallest)
{
    uint32_t picked = GROUP_NIL, seen = 0;
    for (uint32_t i = 0; i < groups->live_count; i++) {
        uint32_t index = groups->live[i];
        const struct group *group = &groups->groups[index];
        if (group->in_flight || group->held || (smallest && !groups->roots[group->root].shown) ||
            index == unlike || (!held_too && is_held(groups, group)))
            continue;
        if (smallest && picked != GROUP_NIL && group->count != groups->groups[picked].count) {
            if (group->count > groups->groups[picked].count)
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
    uint32_t left = groups->port_count - groups->next_port;
    if (left == 0)
        return GROUP_NIL;
    uint32_t root = groups->root_count++;
    groups->roots[root] = (struct group_root){.first = groups->next_port, .count = size < left ? size : left};
    groups->next_port += groups->roots[root].count;
    begin_root(groups, root, false);
    return groups->live[groups->live_count - 1];
}

uint32_t port_groups_next(struct port_groups *groups, struct rand *rand, uint32_t unlike, bool deep,
                          bool ahead, uint32_t root_size)
{
    bool may_begin = !deep && groups->live_count < LIVE_ENOUGH;
    uint32_t index = GROUP_NIL;
    if (!may_begin || groups->next_port == groups->port_count || rand_below(rand, 2))
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

void port_groups_rule_out(struct port_groups *groups, uint32_t index)
{
    end_group(groups, index);
}

void port_groups_doubt(struct port_groups *groups, uint32_t index)
{
    const struct group *group = &groups->groups[index];
    for (uint32_t i = 0; i < group->count; i++)
        find(groups, group->first + i, FINDING_IN_DOUBT);
    end_group(groups, index);
}

void port_groups_release(struct port_groups *groups)
{
    for (uint32_t i = 0; i < groups->live_count; i++)
        groups->groups[groups->live[i]].held = false;
}

void port_groups_settle(struct port_groups *groups)
{
    groups->tentative = false;
    port_groups_release(groups);
}

bool port_groups_all_done(const struct port_groups *groups)
{
    return groups->live_count == 0 && groups->next_port == groups->port_count;
}

double port_groups_density(const struct port_groups *groups)
{
    return (groups->recent_open + PRIOR_OPEN) / (groups->recent_done + PRIOR_PORTS);
}
