#include "store/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/query.h"
#include "store/text.h"

static int damaged(struct error *err, const char *what)
{
    return error_set(err, EX_DATAERR, "the store is damaged: %s", what);
}

static char *copy_text(struct sqlite3_stmt *query, int column)
{
    const char *text = query_text(query, column);
    return strdup(text ? text : "");
}

/* Nothing that is written into a store is anything but printable ASCII. */
static bool is_plain(const char *text)
{
    for (; *text; text++) {
        if (*text < ' ' || *text > '~')
            return false;
    }
    return true;
}

static int take_words(struct sqlite3_stmt *query, int column, struct stored_scan *scan, struct error *err)
{
    size_t len = 0;
    const uint8_t *bytes = query_blob(query, column, &len);
    if (len == 0 || bytes[len - 1] != '\0')
        return damaged(err, "the command line of the scan");
    scan->words = malloc(len);
    if (!scan->words)
        return error_set(err, EX_OSERR, "out of memory");
    memcpy(scan->words, bytes, len);
    scan->words_len = len;
    return 0;
}

static const char *state_of(const char *text)
{
    static const char *const states[] = {"running", "stopped", "complete"};
    for (unsigned i = 0; text && i < sizeof states / sizeof states[0]; i++) {
        if (strcmp(text, states[i]) == 0)
            return states[i];
    }
    return NULL;
}

static uint64_t number(struct sqlite3_stmt *query, int column)
{
    int64_t value = query_int(query, column);
    return value < 0 ? 0 : (uint64_t)value;
}

static int take_progress(struct sqlite3_stmt *query, int column, struct store_progress *ret,
                         struct error *err)
{
    struct store_progress progress = {
        .saved_ns = (int64_t)number(query, column),
        .state = state_of(query_text(query, column + 1)),
        .next_position = number(query, column + 2),
        .pid = query_int(query, column + 3),
        .packets_sent = number(query, column + 4),
        .bytes_sent = number(query, column + 5),
        .packets_received = number(query, column + 6),
        .bytes_received = number(query, column + 7),
        .probes_sent = number(query, column + 8),
        .answers = number(query, column + 9),
        .rejected = number(query, column + 10),
        .drops = number(query, column + 11),
    };
    if (!progress.state)
        return damaged(err, "the state of the scan");
    *ret = progress;
    return 0;
}

static int load_options(struct database *database, struct stored_scan *scan, struct plan_options *options,
                        struct error *err)
{
    static const char sql[] =
        "SELECT portolan, machine, command, scans, digest, words, seed, shard_index, shard_count, in_order,"
        " started_ns, saved_ns, state, next_position, pid, packets_sent, bytes_sent, packets_received,"
        " bytes_received, probes_sent, answers, rejected, drops FROM scan";
    struct sqlite3_stmt *query = NULL;
    int r = database_query(database, sql, &query, err);
    if (r == 0)
        r = query_next(database, query, err);
    if (r == 0)
        r = error_set(err, EX_DATAERR, "no scan has begun in this store: start it again with --store");
    if (r == 1) {
        char **texts[] = {&scan->portolan, &scan->machine, &scan->command, &scan->scans, &scan->digest};
        r = 0;
        for (int i = 0; i < 5 && r == 0; i++) {
            *texts[i] = copy_text(query, i);
            if (!*texts[i])
                r = error_set(err, EX_OSERR, "out of memory");
            else if (!is_plain(*texts[i]))
                r = damaged(err, "a text that is not printable");
        }
        if (r == 0)
            text_unescape(scan->command);
        *options = (struct plan_options){.seed = (uint64_t)query_int(query, 6),
                                         .shard_index = number(query, 7),
                                         .shard_count = number(query, 8),
                                         .in_order = query_int(query, 9) != 0,
                                         .allow_special = true};
        scan->started_ns = (int64_t)number(query, 10);
        if (r == 0)
            r = take_words(query, 5, scan, err);
        if (r == 0)
            r = take_progress(query, 11, &scan->progress, err);
        if (r == 0 && options->shard_index >= options->shard_count)
            r = damaged(err, "the shard of the scan");
    }
    query_done(query);
    return r;
}

static int take_range(struct addr_set *set, const char *first_text, const char *last_text, struct error *err)
{
    struct addr first;
    struct addr last;
    if (!first_text || !last_text || !text_addr(first_text, &first) || !text_addr(last_text, &last))
        return damaged(err, "an address of its targets");
    int r = addr_set_add(set, first, last);
    if (r == -ENOMEM)
        return error_set(err, EX_OSERR, "out of memory");
    return r == 0 ? 0 : damaged(err, "a range of its targets");
}

static int load_addrs(struct database *database, const char *sql, struct addr_set *set, struct error *err)
{
    struct sqlite3_stmt *query = NULL;
    int r = database_query(database, sql, &query, err);
    while (r == 0 && (r = query_next(database, query, err)) == 1)
        r = take_range(set, query_text(query, 0), query_text(query, 1), err);
    query_done(query);
    return r;
}

/* Silence is never an answer. */
static bool may_be_silent(uint8_t state)
{
    return state == PORT_FILTERED || state == PORT_OPEN_FILTERED || state == PORT_CLOSED_FILTERED;
}

/* Ports come in one order, so that each is there once. */
static bool comes_next(const struct stored_scan *scan, uint8_t protocol, uint64_t first)
{
    if (scan->asked_count == 0)
        return true;
    const struct asked_port *last = &scan->asked[scan->asked_count - 1];
    return protocol > last->protocol || (protocol == last->protocol && first > last->port);
}

static int take_asked(struct sqlite3_stmt *query, struct stored_scan *scan, struct port_set *ports,
                      struct error *err)
{
    uint8_t protocol = 0;
    uint8_t silent = 0;
    uint64_t first = number(query, 2);
    uint64_t last = number(query, 3);
    if (!text_protocol(query_text(query, 1), &protocol) || !text_state(query_text(query, 4), &silent) ||
        number(query, 0) != scan->asked_count || first > last || last > UINT16_MAX ||
        !may_be_silent(silent) || !comes_next(scan, protocol, first))
        return damaged(err, "the ports that were asked");
    size_t count = scan->asked_count + (size_t)(last - first) + 1;
    struct asked_port *asked = realloc(scan->asked, count * sizeof *asked);
    if (!asked)
        return error_set(err, EX_OSERR, "out of memory");
    scan->asked = asked;
    for (uint64_t port = first; port <= last; port++) {
        asked[scan->asked_count++] = (struct asked_port){(uint16_t)port, protocol, silent};
        port_set_add(ports, (enum port_protocol)protocol, (uint16_t)port);
    }
    return 0;
}

static int load_asked(struct database *database, struct stored_scan *scan, struct port_set *ports,
                      struct error *err)
{
    struct sqlite3_stmt *query = NULL;
    int r = database_query(
        database, "SELECT first_index, protocol, first, last, silent FROM asked ORDER BY first_index", &query,
        err);
    while (r == 0 && (r = query_next(database, query, err)) == 1)
        r = take_asked(query, scan, ports, err);
    query_done(query);
    return r;
}

static int fill_plan(struct database *database, struct stored_scan *scan, struct port_set *ports,
                     const struct plan_options *options, struct error *err)
{
    struct addr_set targets = {.v4 = NULL};
    int r = load_targets(database, &targets, err);
    if (r == 0)
        r = load_asked(database, scan, ports, err);
    if (r == 0)
        r = plan_init(scan->plan, &targets, NULL, NULL, ports, options, err);
    if (r == 0 && scan->progress.next_position > scan->plan->host_count)
        r = damaged(err, "how far the scan is");
    addr_set_done(&targets);
    return r;
}

static int make_plan(struct database *database, struct stored_scan *scan, const struct plan_options *options,
                     struct error *err)
{
    struct port_set *ports = calloc(1, sizeof *ports);
    scan->plan = calloc(1, sizeof *scan->plan);
    if (!ports || !scan->plan) {
        free(ports);
        return error_set(err, EX_OSERR, "out of memory");
    }
    int r = fill_plan(database, scan, ports, options, err);
    free(ports);
    return r;
}

/* Of what kind the packets were that proved nothing. Which kinds there are is not known here. */
static void take_reject(struct stored_scan *scan, const char *what, uint64_t count)
{
    if (strncmp(what, STORE_REJECT_PREFIX, strlen(STORE_REJECT_PREFIX)) != 0 ||
        strlen(what) >= STORE_REJECT_TEXT_MAX || scan->reject_count == STORE_REJECTS_MAX)
        return;
    struct stored_reject *reject = &scan->rejects[scan->reject_count++];
    memcpy(reject->what, what, strlen(what) + 1);
    reject->count = count;
}

uint64_t stored_scan_rejects(const struct stored_scan *scan, const char *kind)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < scan->reject_count; i++) {
        const struct stored_reject *reject = &scan->rejects[i];
        if (strcmp(reject->what + strlen(STORE_REJECT_PREFIX), kind) == 0)
            count = reject->count;
    }
    return count;
}

static int load_account(struct database *database, struct stored_scan *scan, struct error *err)
{
    struct sqlite3_stmt *query = NULL;
    int r = database_query(database, "SELECT what, count FROM coverage", &query, err);
    while (r == 0 && (r = query_next(database, query, err)) == 1) {
        const char *what = query_text(query, 0);
        if (what)
            take_reject(scan, what, number(query, 1));
        for (unsigned i = 0; what && i < END_VALUE_COUNT; i++) {
            if (strcmp(what, account_name((enum end_value)i)) != 0)
                continue;
            scan->account[i] = number(query, 1);
            scan->has_account = true;
        }
        r = 0;
    }
    query_done(query);
    return r;
}

int load_scan(struct database *database, struct stored_scan *ret, struct error *err)
{
    struct plan_options options;
    *ret = (struct stored_scan){.words = NULL};
    int r = load_options(database, ret, &options, err);
    if (r == 0)
        r = load_account(database, ret, err);
    return r == 0 ? make_plan(database, ret, &options, err) : r;
}

void stored_scan_done(struct stored_scan *scan)
{
    free(scan->portolan);
    free(scan->machine);
    free(scan->command);
    free(scan->scans);
    free(scan->digest);
    free(scan->words);
    plan_done(scan->plan);
    free(scan->plan);
    free(scan->asked);
    *scan = (struct stored_scan){.words = NULL};
}

int load_missing_interfaces(struct database *database,
                            int (*sink)(void *context, const char *interface, uint32_t scope), void *context,
                            struct error *err)
{
    struct sqlite3_stmt *query = NULL;
    struct addr addr;
    int r = database_query(database,
                           "SELECT min(first) FROM target WHERE instr(first, '%') > 0"
                           " GROUP BY substr(first, instr(first, '%'))",
                           &query, err);
    while (r == 0 && (r = query_next(database, query, err)) == 1) {
        const char *text = query_text(query, 0);
        r = text && text_addr(text, &addr) && addr.scope >= TEXT_SCOPE_MISSING
                ? sink(context, strchr(text, '%') + 1, addr.scope)
                : 0;
    }
    query_done(query);
    return r;
}

int load_targets(struct database *database, struct addr_set *ret, struct error *err)
{
    return load_addrs(database, "SELECT first, last FROM target", ret, err);
}

int load_excluded(struct database *database, struct addr_set *ret, struct error *err)
{
    int r = load_addrs(database, "SELECT first, last FROM excluded", ret, err);
    if (r == 0 && addr_set_normalize(ret) == -ENOMEM)
        r = error_set(err, EX_OSERR, "out of memory");
    return r;
}

/* Rows of a key and a range, all of whose numbers are below `limit`. */
static int load_ranges(struct database *database, const char *sql, uint64_t limit,
                       const struct load_range_sink *sink, struct error *err)
{
    struct sqlite3_stmt *query = NULL;
    int r = database_query(database, sql, &query, err);
    while (r == 0 && (r = query_next(database, query, err)) == 1) {
        int64_t first = query_int(query, 1);
        int64_t last = query_int(query, 2);
        if (query_int(query, 0) < 0 || first < 0 || last < first || (uint64_t)last >= limit)
            r = damaged(err, "a range of hosts");
        else
            r = sink->range(sink->context, (uint64_t)query_int(query, 0), (uint64_t)first, (uint64_t)last);
    }
    query_done(query);
    return r;
}

/* The reason of a row of `down` becomes a number on the way. */
int load_down(struct database *database, const struct stored_scan *scan, const struct load_range_sink *sink,
              struct error *err)
{
    struct sqlite3_stmt *query = NULL;
    int r = database_query(database, "SELECT reason, first, last FROM down ORDER BY first", &query, err);
    while (r == 0 && (r = query_next(database, query, err)) == 1) {
        uint8_t reason = 0;
        int64_t first = query_int(query, 1);
        int64_t last = query_int(query, 2);
        if (!text_reason(query_text(query, 0), &reason) || first < 0 || last < first ||
            (uint64_t)last >= scan->plan->host_count)
            r = damaged(err, "a range of hosts that are down");
        else
            r = sink->range(sink->context, reason, (uint64_t)first, (uint64_t)last);
    }
    query_done(query);
    return r;
}

int load_finished(struct database *database, const struct stored_scan *scan,
                  const struct load_range_sink *sink, struct error *err)
{
    return load_ranges(database,
                       "SELECT 0, position AS first, position FROM host WHERE progress != 'scanning'"
                       " UNION ALL SELECT 0, first, last FROM down ORDER BY 2",
                       scan->plan->host_count, sink, err);
}

int load_block_hosts(struct database *database, const struct stored_scan *scan,
                     const struct load_range_sink *sink, struct error *err)
{
    return load_ranges(database, "SELECT block, first, last FROM block_hosts ORDER BY block, first",
                       scan->plan->host_count, sink, err);
}

int load_block_voids(struct database *database, const struct load_range_sink *sink, struct error *err)
{
    return load_ranges(database, "SELECT block, first, last FROM block_void ORDER BY block, first", INT64_MAX,
                       sink, err);
}

int load_blocks(struct database *database, int (*sink)(void *context, const struct store_block *block),
                void *context, struct error *err)
{
    struct sqlite3_stmt *query = NULL;
    int r = database_query(database, "SELECT id, kind, tries, next FROM block ORDER BY id", &query, err);
    while (r == 0 && (r = query_next(database, query, err)) == 1) {
        struct store_block block = {(uint64_t)query_int(query, 0), (uint64_t)query_int(query, 1),
                                    (uint64_t)query_int(query, 2), (uint64_t)query_int(query, 3)};
        if (block.id > UINT32_MAX || block.kind >= BLOCK_KIND_COUNT || block.tries > UINT8_MAX ||
            block.next > INT64_MAX)
            r = damaged(err, "a block of hosts");
        else
            r = sink(context, &block);
    }
    query_done(query);
    return r;
}

int load_names(struct database *database,
               int (*sink)(void *context, const struct addr *address, const char *name), void *context,
               struct error *err)
{
    struct sqlite3_stmt *query = NULL;
    int r = database_query(database, "SELECT address, name FROM name", &query, err);
    while (r == 0 && (r = query_next(database, query, err)) == 1) {
        struct addr address = {.family = ADDR_NONE};
        char *name = copy_text(query, 1);
        if (name)
            text_unescape(name);
        if (!name)
            r = error_set(err, EX_OSERR, "out of memory");
        else if (!text_addr(query_text(query, 0), &address))
            r = damaged(err, "a name");
        else
            r = sink(context, &address, name);
        free(name);
    }
    query_done(query);
    return r;
}
