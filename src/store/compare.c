#include "store/compare.h"

#include <assert.h>
#include <string.h>

#include "store/query.h"
#include "store/summary.h"

/* One of the two scans, and where it is. */
struct side {
    struct database *database;
    const struct stored_scan *scan;
    struct host_summaries hosts;
    size_t next;                /* of them */
    struct host_cursor *cursor; /* for their ports */
    struct sqlite3_stmt *down;  /* the range of hosts that are down, at or before a position */
};

struct comparison {
    struct side before, after;
    bool same_ports; /* both asked the same */
    const struct compare_sink *sink;
};

const char *change_name(enum change change)
{
    static const char *const names[CHANGE_COUNT] = {
        "none", "opened", "closed", "changed", "no longer covered", "uncertain"};
    return names[change];
}

/* Nobody said so, and it was asked but once, or less often than its network called for. */
static bool is_doubtful(struct compare_port side)
{
    return side.port->reason == REASON_NO_RESPONSE && (side.port->tries < 2 || side.capped);
}

enum change compare_ports(struct compare_port before, struct compare_port after, bool down)
{
    bool covered_before = before.port && before.port->state != PORT_UNKNOWN;
    bool covered_after = after.port && after.port->state != PORT_UNKNOWN;
    bool open_before = covered_before && before.port->state == PORT_OPEN;
    bool open_after = covered_after && after.port->state == PORT_OPEN;
    if (!covered_before)
        return open_after ? CHANGE_OPENED : CHANGE_NONE;
    if (!covered_after && down)
        return open_before ? CHANGE_CLOSED : CHANGE_NONE;
    if (!covered_after)
        return CHANGE_UNCOVERED;
    if (before.port->state == after.port->state)
        return CHANGE_NONE;
    if (is_doubtful(before) || is_doubtful(after))
        return CHANGE_UNCERTAIN;
    return open_after ? CHANGE_OPENED : open_before ? CHANGE_CLOSED : CHANGE_STATE;
}

static int end_run(const struct comparison *comparison, const struct compare_run *run)
{
    if (run->change == CHANGE_NONE)
        return 0;
    return comparison->sink->ports(comparison->sink->context, run);
}

static const char *state_text(const struct port_result *port, bool down)
{
    if (port && port->state != PORT_UNKNOWN)
        return state_name((enum port_state)port->state);
    return down ? "down" : "not covered";
}

/* Ports that changed alike, one behind the other, are one run. */
static int add_port(const struct comparison *comparison, struct compare_run *run, struct compare_port before,
                    struct compare_port after, bool down)
{
    const struct port_result *port = before.port ? before.port : after.port;
    assert(port);
    struct compare_run next = {.address = run->address,
                               .change = compare_ports(before, after, down),
                               .before = state_text(before.port, down),
                               .after = state_text(after.port, down),
                               .protocol = port->protocol,
                               .first = port->port,
                               .last = port->port};
    bool goes_on = next.change == run->change && next.protocol == run->protocol &&
                   run->last + 1 == next.first && next.before == run->before && next.after == run->after;
    if (goes_on) {
        run->last = port->port;
        return 0;
    }
    int r = end_run(comparison, run);
    *run = next;
    return r;
}

static int order_of(const struct port_result *a, const struct port_result *b)
{
    if (a->protocol != b->protocol)
        return a->protocol < b->protocol ? -1 : 1;
    return a->port < b->port ? -1 : a->port > b->port;
}

/* One may have no ports: see compare_ports. */
static int compare_lists(const struct comparison *comparison, const char *address,
                         const struct host_result *before, const struct host_result *after, bool down)
{
    struct compare_run run = {.address = address, .change = CHANGE_NONE};
    uint32_t i = 0;
    uint32_t j = 0;
    int r = 0;
    while (r == 0 && (i < before->port_count || j < after->port_count)) {
        int order = i == before->port_count  ? 1
                    : j == after->port_count ? -1
                                             : order_of(&before->ports[i], &after->ports[j]);
        struct compare_port old = {order <= 0 ? &before->ports[i++] : NULL, before->capped};
        struct compare_port new = {order >= 0 ? &after->ports[j++] : NULL, after->capped};
        r = add_port(comparison, &run, old, new, down);
    }
    return r == 0 ? end_run(comparison, &run) : r;
}

static const struct host_summary *next_host(const struct side *side)
{
    return side->next < side->hosts.count ? &side->hosts.list[side->next] : NULL;
}

/* The host, with its ports; borrowed until the next one. */
static int load(struct side *side, const struct host_summary *summary, const struct host_result **ret,
                struct error *err)
{
    enum host_progress progress = HOST_DONE;
    int r = host_cursor_find(side->cursor, summary->position, &progress, err);
    if (r == 1)
        r = host_cursor_ports(side->cursor, err);
    *ret = host_cursor_host(side->cursor);
    return r;
}

/* Did this scan find the host, of which it has no row, down? 1, 0 or an error. */
static int is_down(struct side *side, const struct addr *address, struct error *err)
{
    uint64_t position;
    if (!plan_host_find(side->scan->plan, address, &position))
        return 0;
    query_again(side->down);
    query_bind(side->down, 1, (int64_t)position);
    int r = query_next(side->database, side->down, err);
    return r == 1 ? query_int(side->down, 0) >= (int64_t)position : r;
}

/* A host of which only one of them has a row. */
static int compare_alone(struct comparison *comparison, const struct host_summary *summary, struct side *here,
                         struct side *there, struct error *err)
{
    const struct host_result nothing = {.port_count = 0};
    const struct host_result *host = NULL;
    char address[ADDR_TEXT_MAX];
    int r = load(here, summary, &host, err);
    int down = r < 0 ? r : is_down(there, &host->addr, err);
    if (down < 0)
        return down;
    addr_format(&host->addr, address);
    if (here == &comparison->before)
        return compare_lists(comparison, address, host, &nothing, down);
    return compare_lists(comparison, address, &nothing, host, down);
}

static int compare_both(struct comparison *comparison, const struct host_summary *before,
                        const struct host_summary *after, struct error *err)
{
    const struct host_result *old = NULL;
    const struct host_result *new = NULL;
    char address[ADDR_TEXT_MAX];
    if (comparison->same_ports && before->digest == after->digest)
        return 0;
    int r = load(&comparison->before, before, &old, err);
    if (r == 0)
        r = load(&comparison->after, after, &new, err);
    if (r != 0)
        return r;
    return compare_lists(comparison, addr_format(&old->addr, address), old, new, old->up != new->up);
}

static int walk(struct comparison *comparison, struct error *err)
{
    struct side *before = &comparison->before;
    struct side *after = &comparison->after;
    int r = 0;
    while (r == 0) {
        const struct host_summary *first = next_host(before);
        const struct host_summary *second = next_host(after);
        if (!first && !second)
            break;
        int order = !first ? 1 : !second ? -1 : addr_compare(&first->addr, &second->addr);
        if (first && second && order == 0)
            r = compare_both(comparison, first, second, err);
        else if (first && order < 0)
            r = compare_alone(comparison, first, before, after, err);
        else if (second)
            r = compare_alone(comparison, second, after, before, err);
        before->next += order <= 0;
        after->next += order >= 0;
    }
    return r;
}

static int open_side(struct side *side, struct error *err)
{
    static const char sql[] = "SELECT last FROM down WHERE first <= ? ORDER BY first DESC LIMIT 1";
    int r = host_summaries_load(side->database, side->scan, &side->hosts, err);
    if (r == 0)
        r = host_cursor_open(side->database, side->scan, LOAD_ONE, &side->cursor, err);
    return r == 0 ? database_query(side->database, sql, &side->down, err) : r;
}

static void close_side(struct side *side)
{
    host_summaries_done(&side->hosts);
    host_cursor_close(side->cursor);
    query_done(side->down);
}

static bool asked_the_same(const struct stored_scan *a, const struct stored_scan *b)
{
    if (a->asked_count != b->asked_count)
        return false;
    for (uint32_t i = 0; i < a->asked_count; i++) {
        if (a->asked[i].port != b->asked[i].port || a->asked[i].protocol != b->asked[i].protocol ||
            a->asked[i].silent != b->asked[i].silent)
            return false;
    }
    return true;
}

int compare_stores(struct database *before, const struct stored_scan *before_scan, struct database *after,
                   const struct stored_scan *after_scan, const struct compare_sink *sink, struct error *err)
{
    struct comparison comparison = {.before = {.database = before, .scan = before_scan},
                                    .after = {.database = after, .scan = after_scan},
                                    .same_ports = asked_the_same(before_scan, after_scan),
                                    .sink = sink};
    int r = open_side(&comparison.before, err);
    if (r == 0)
        r = open_side(&comparison.after, err);
    if (r == 0)
        r = walk(&comparison, err);
    close_side(&comparison.before);
    close_side(&comparison.after);
    return r;
}
