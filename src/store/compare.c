#include "store/compare.h"

#include <assert.h>
#include <string.h>
#include <sysexits.h>
#include <sysexits.h>

/* One of the two scans, and where it is. */
struct side {
    struct database *database;
    const struct stored_scan *scan;
    struct host_cursor *cursor;
    struct sqlite3_stmt *down; /* the range of hosts that are down, at or before a position */
    bool any;                  /* the cursor stands at a host */
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

/* Nobody said so, and it was asked but once. */
static bool is_doubtful(const struct port_result *port)
{
    return port->reason == REASON_NO_RESPONSE && port->tries < 2;
}

enum change compare_ports(const struct port_result *before, const struct port_result *after, bool down)
{
    bool covered_before = before && before->state != PORT_UNKNOWN;
    bool covered_after = after && after->state != PORT_UNKNOWN;
    bool open_before = covered_before && before->state == PORT_OPEN;
    bool open_after = covered_after && after->state == PORT_OPEN;
    if (!covered_before)
        return open_after ? CHANGE_OPENED : CHANGE_NONE;
    if (!covered_after && down)
        return open_before ? CHANGE_CLOSED : CHANGE_NONE;
    if (!covered_after)
        return CHANGE_UNCOVERED;
    if (before->state == after->state)
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
static int add_port(const struct comparison *comparison, struct compare_run *run,
                    const struct port_result *before, const struct port_result *after, bool down)
{
    const struct port_result *port = before ? before : after;
    assert(port);
    struct compare_run next = {.address = run->address,
                               .change = compare_ports(before, after, down),
                               .before = state_text(before, down),
                               .after = state_text(after, down),
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
        const struct port_result *old = order <= 0 ? &before->ports[i++] : NULL;
        const struct port_result *new = order >= 0 ? &after->ports[j++] : NULL;
        r = add_port(comparison, &run, old, new, down);
    }
    return r == 0 ? end_run(comparison, &run) : r;
}

static int step(struct side *side, struct error *err)
{
    enum host_progress progress = HOST_DONE;
    int r = host_cursor_next(side->cursor, &progress, err);
    side->any = r == 1;
    return r < 0 ? r : 0;
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
static int compare_alone(struct comparison *comparison, struct side *here, struct side *there,
                         struct error *err)
{
    const struct host_result nothing = {.port_count = 0};
    const struct host_result *host = host_cursor_host(here->cursor);
    int r = host_cursor_ports(here->cursor, err);
    int down = r < 0 ? r : is_down(there, &host->addr, err);
    const char *address = host_cursor_address(here->cursor);
    if (down < 0)
        return down;
    if (here == &comparison->before)
        return compare_lists(comparison, address, host, &nothing, down);
    return compare_lists(comparison, address, &nothing, host, down);
}

static int compare_both(struct comparison *comparison, struct error *err)
{
    struct side *before = &comparison->before;
    struct side *after = &comparison->after;
    const struct host_result *old = host_cursor_host(before->cursor);
    const struct host_result *new = host_cursor_host(after->cursor);
    uint64_t old_digest = 0;
    uint64_t new_digest = 1;
    int r = 0;
    if (comparison->same_ports)
        r = host_cursor_digest(before->cursor, &old_digest, err);
    if (r == 0 && comparison->same_ports)
        r = host_cursor_digest(after->cursor, &new_digest, err);
    if (r < 0 || old_digest == new_digest)
        return r;
    r = host_cursor_ports(before->cursor, err);
    if (r == 0)
        r = host_cursor_ports(after->cursor, err);
    if (r < 0)
        return r;
    return compare_lists(comparison, host_cursor_address(before->cursor), old, new, old->up != new->up);
}

static int walk(struct comparison *comparison, struct error *err)
{
    struct side *before = &comparison->before;
    struct side *after = &comparison->after;
    int r = step(before, err);
    if (r == 0)
        r = step(after, err);
    while (r == 0 && (before->any || after->any)) {
        int order = !before->any ? 1
                    : !after->any
                        ? -1
                        : strcmp(host_cursor_address(before->cursor), host_cursor_address(after->cursor));
        if (order == 0)
            r = compare_both(comparison, err);
        else
            r = order < 0 ? compare_alone(comparison, before, after, err)
                          : compare_alone(comparison, after, before, err);
        if (r == 0 && order <= 0)
            r = step(before, err);
        if (r == 0 && order >= 0)
            r = step(after, err);
    }
    return r;
}

static int open_side(struct side *side, struct error *err)
{
    static const char sql[] = "SELECT last FROM down WHERE first <= ? ORDER BY first DESC LIMIT 1";
    side->cursor = host_cursor_open(side->database, side->scan, LOAD_BY_ADDRESS, 0, err);
    return side->cursor ? database_query(side->database, sql, &side->down, err) : -EX_DATAERR;
}

static void close_side(struct side *side)
{
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
