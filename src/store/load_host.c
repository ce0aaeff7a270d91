/* From rows to hosts: the reverse of rows.c. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "results/whole_host.h"
#include "store/load.h"
#include "store/port_places.h"
#include "store/query.h"
#include "store/text.h"

struct host_cursor {
    struct database *database;
    const struct stored_scan *scan;
    struct sqlite3_stmt *hosts, *folded;
    struct sqlite3_stmt *ports; /* by the number of the row; NULL until the first is wanted, */
    struct port_places places;  /* ... when it is found out where those of each host are */
    struct port_result *list;   /* owned; one place for each port asked */
    struct host_result host;
    char *user_name, *ptr_name; /* owned; its names */
    uint8_t tries;
};

static int damaged(struct error *err, const struct host_result *host)
{
    char text[ADDR_TEXT_MAX] = "";
    if (host->addr.family != ADDR_NONE)
        addr_format(&host->addr, text);
    return error_set(err, EX_DATAERR, "the store is damaged: what it says of host %s", text);
}

static bool small(struct sqlite3_stmt *query, int column, uint8_t *ret)
{
    int64_t value = query_int(query, column);
    *ret = (uint8_t)value;
    return value >= 0 && value <= UINT8_MAX;
}

/* All ports as they are when they stayed silent. */
static void list_silent(struct host_cursor *cursor, const struct host_result *host, uint8_t tries)
{
    for (uint32_t i = 0; i < cursor->scan->asked_count; i++) {
        const struct asked_port *asked = &cursor->scan->asked[i];
        cursor->list[i] =
            (struct port_result){.port = asked->port,
                                 .protocol = asked->protocol,
                                 .state = host->unfinished ? PORT_UNKNOWN : asked->silent,
                                 .reason = host->unfinished ? REASON_UNFINISHED : REASON_NO_RESPONSE,
                                 .tries = tries,
                                 .time_ns = host->end_ns};
    }
}

/* Evidence comes from somebody who speaks the protocol of the host. */
static bool read_source(struct sqlite3_stmt *query, int column, const struct host_result *host,
                        struct addr *ret)
{
    return text_addr(query_text(query, column), ret) &&
           (ret->family == ADDR_NONE || ret->family == host->addr.family);
}

/* A time, or a span of time. */
static bool read_time(struct sqlite3_stmt *query, int column, int64_t *ret_ns)
{
    *ret_ns = query_int(query, column);
    return *ret_ns >= 0;
}

/* state, reason, ttl, tries, weak, source: the columns that `folded` and `port` share, in this order. */
static bool read_answer(struct sqlite3_stmt *query, int column, const struct host_result *host,
                        struct port_result *ret)
{
    *ret = (struct port_result){.flags = query_int(query, column + 4) ? RECORD_WEAK : 0};
    return text_state(query_text(query, column), &ret->state) &&
           text_reason(query_text(query, column + 1), &ret->reason) && small(query, column + 2, &ret->ttl) &&
           small(query, column + 3, &ret->tries) && read_source(query, column + 5, host, &ret->source);
}

static void put_answer(struct port_result *to, const struct port_result *answer)
{
    uint16_t port = to->port;
    uint8_t protocol = to->protocol;
    *to = *answer;
    to->port = port;
    to->protocol = protocol;
}

static int load_folded(struct host_cursor *cursor, const struct host_result *host, struct error *err)
{
    struct sqlite3_stmt *query = cursor->folded;
    int r = 0;
    query_again(query);
    query_bind(query, 1, (int64_t)host->position);
    while (r == 0 && (r = query_next(cursor->database, query, err)) == 1) {
        struct port_result answer;
        size_t len = 0;
        const uint8_t *bytes = query_blob(query, 7, &len);
        struct index_reader reader = index_reader_over(bytes, len);
        uint64_t first;
        uint64_t count;
        r = read_answer(query, 0, host, &answer) && read_time(query, 6, &answer.time_ns) ? 0
                                                                                         : damaged(err, host);
        while (r == 0 && index_next(&reader, cursor->scan->asked_count, &first, &count)) {
            for (uint64_t i = first; i < first + count; i++)
                put_answer(&cursor->list[i], &answer);
        }
        if (r == 0 && reader.at != reader.stop)
            r = damaged(err, host);
    }
    return r;
}

static int compare_ports(const void *key, const void *element)
{
    const struct asked_port *a = key;
    const struct asked_port *b = element;
    if (a->protocol != b->protocol)
        return a->protocol < b->protocol ? -1 : 1;
    return a->port < b->port ? -1 : a->port > b->port;
}

bool asked_find(const struct stored_scan *scan, const char *protocol, int64_t port, uint32_t *ret_index)
{
    struct asked_port key = {.port = (uint16_t)port};
    if (scan->asked_count == 0 || port < 0 || port > UINT16_MAX || !text_protocol(protocol, &key.protocol))
        return false;
    const struct asked_port *found = bsearch(&key, scan->asked, scan->asked_count, sizeof key, compare_ports);
    if (found)
        *ret_index = (uint32_t)(found - scan->asked);
    return found;
}

static int open_ports(struct host_cursor *cursor, struct error *err)
{
    int r = port_places_load(cursor->database, &cursor->places, err);
    return r < 0 ? r
                 : database_query(cursor->database,
                                  "SELECT state, reason, ttl, tries, weak, source, protocol, port, time_ns,"
                                  " rtt_ns, late, (SELECT confirmation FROM confirmation AS looked"
                                  " WHERE looked.position = port.position AND looked.protocol = port.protocol"
                                  " AND looked.port = port.port) FROM port WHERE id=?",
                                  &cursor->ports, err);
}

static int load_port(struct host_cursor *cursor, const struct host_result *host, int64_t id,
                     struct error *err)
{
    struct sqlite3_stmt *query = cursor->ports;
    struct port_result answer = {.port = 0};
    uint32_t index = 0;
    query_again(query);
    query_bind(query, 1, id);
    int r = query_next(cursor->database, query, err);
    if (r < 0)
        return r;
    if (r == 0 || !asked_find(cursor->scan, query_text(query, 6), query_int(query, 7), &index) ||
        !read_answer(query, 0, host, &answer) || !read_time(query, 8, &answer.time_ns) ||
        !read_time(query, 9, &answer.rtt_ns) ||
        !text_confirmation(query_text(query, 11), &answer.confirmation))
        return damaged(err, host);
    answer.flags |= query_int(query, 10) ? RECORD_LATE : 0;
    put_answer(&cursor->list[index], &answer);
    return 0;
}

/* Of several rows of a port the last one counts. */
static int load_ports(struct host_cursor *cursor, const struct host_result *host, struct error *err)
{
    int r = cursor->ports ? 0 : open_ports(cursor, err);
    if (r < 0 || cursor->places.count == 0)
        return r;
    const struct port_place *end = cursor->places.list + cursor->places.count;
    const struct port_place *place = port_places_find(&cursor->places, host->position);
    for (; r == 0 && place < end && place->position == (int64_t)host->position; place++)
        r = load_port(cursor, host, place->id, err);
    return r;
}

static bool read_progress(const char *text, enum host_progress *ret)
{
    for (unsigned i = 0; text && i < HOST_PROGRESS_COUNT; i++) {
        if (strcmp(text, host_progress_name((enum host_progress)i)) == 0) {
            *ret = (enum host_progress)i;
            return true;
        }
    }
    return false;
}

/* A name as it was before it was escaped, instead of the last one; NULL: none. */
static int read_name(struct sqlite3_stmt *query, int column, char **name, struct error *err)
{
    const char *text = query_text(query, column);
    free(*name);
    *name = text ? strdup(text) : NULL;
    if (text && !*name)
        return error_set(err, EX_OSERR, "out of memory");
    if (*name)
        text_unescape(*name);
    return 0;
}

static bool is_address(const char *text, const struct addr *addr)
{
    struct addr named;
    return text && text_addr(text, &named) && addr_equal(&named, addr);
}

static bool read_times(struct sqlite3_stmt *query, struct host_result *host)
{
    return read_time(query, 11, &host->start_ns) && read_time(query, 12, &host->end_ns) &&
           read_time(query, 13, &host->srtt_ns) && read_time(query, 14, &host->rttvar_ns) &&
           read_time(query, 15, &host->rto_ns);
}

static bool read_host(struct host_cursor *cursor, struct host_result *host, enum host_progress *progress,
                      uint8_t *tries)
{
    struct sqlite3_stmt *query = cursor->hosts;
    int64_t position = query_int(query, 0);
    const char *mac = query_text(query, 7);
    if (position < 0 || (uint64_t)position >= cursor->scan->plan->host_count)
        return false;
    *host =
        (struct host_result){.position = (uint64_t)position, .up = query_int(query, 3) != 0, .has_mac = mac};
    host->addr = plan_host_at(cursor->scan->plan, host->position);
    if (!is_address(query_text(query, 1), &host->addr) || !read_progress(query_text(query, 2), progress) ||
        !text_reason(query_text(query, 4), &host->reason) || !small(query, 5, &host->ttl) ||
        !read_source(query, 6, host, &host->source) || (mac && !text_mac(mac, host->mac)) ||
        !small(query, 10, tries) || !read_times(query, host))
        return false;
    host->unfinished = *progress != HOST_DONE;
    host->timed_out = *progress == HOST_TIMED_OUT;
    host->answers_all = query_int(query, 16) != 0;
    host->proxied = query_int(query, 17) != 0;
    host->capped = query_int(query, 18) != 0;
    return true;
}

static int prepare(struct host_cursor *cursor, enum load_hosts which, struct error *err)
{
    static const char *const hosts[] = {
        [LOAD_FINISHED] = "SELECT * FROM host WHERE progress != 'scanning' ORDER BY end_ns, position",
        [LOAD_SCANNING] = "SELECT * FROM host WHERE progress = 'scanning' ORDER BY position",
        [LOAD_ALL] = "SELECT * FROM host ORDER BY end_ns, position",
        [LOAD_BY_POSITION] = "SELECT * FROM host ORDER BY position",
        [LOAD_ONE] = "SELECT * FROM host WHERE position=?",
    };
    int r = database_query(cursor->database, hosts[which], &cursor->hosts, err);
    if (r == 0)
        r = database_query(cursor->database,
                           "SELECT state, reason, ttl, tries, weak, source, last_ns, ports FROM folded"
                           " WHERE position=?",
                           &cursor->folded, err);
    return r;
}

int host_cursor_open(struct database *database, const struct stored_scan *scan, enum load_hosts which,
                     struct host_cursor **ret, struct error *err)
{
    struct host_cursor *cursor = calloc(1, sizeof *cursor);
    struct port_result *list = calloc((size_t)scan->asked_count + 1, sizeof *list);
    if (!cursor || !list) {
        free(cursor);
        free(list);
        return error_set(err, EX_OSERR, "out of memory");
    }
    cursor->database = database;
    cursor->scan = scan;
    cursor->list = list;
    int r = prepare(cursor, which, err);
    if (r < 0)
        host_cursor_close(cursor);
    else
        *ret = cursor;
    return r;
}

void host_cursor_close(struct host_cursor *cursor)
{
    if (!cursor)
        return;
    query_done(cursor->hosts);
    query_done(cursor->folded);
    query_done(cursor->ports);
    port_places_done(&cursor->places);
    free(cursor->user_name);
    free(cursor->ptr_name);
    free(cursor->list);
    free(cursor);
}

int host_cursor_next(struct host_cursor *cursor, enum host_progress *ret_progress, struct error *err)
{
    int r = query_next(cursor->database, cursor->hosts, err);
    if (r != 1)
        return r;
    cursor->host = (struct host_result){.position = 0};
    if (!read_host(cursor, &cursor->host, ret_progress, &cursor->tries))
        return damaged(err, &cursor->host);
    r = read_name(cursor->hosts, 8, &cursor->user_name, err);
    if (r == 0)
        r = read_name(cursor->hosts, 9, &cursor->ptr_name, err);
    cursor->host.user_name = cursor->user_name;
    cursor->host.ptr_name = cursor->ptr_name;
    return r == 0 ? 1 : r;
}

int host_cursor_find(struct host_cursor *cursor, uint64_t position, enum host_progress *ret_progress,
                     struct error *err)
{
    query_again(cursor->hosts);
    query_bind(cursor->hosts, 1, (int64_t)position);
    return host_cursor_next(cursor, ret_progress, err);
}

const struct host_result *host_cursor_host(const struct host_cursor *cursor)
{
    return &cursor->host;
}

int host_cursor_ports(struct host_cursor *cursor, struct error *err)
{
    if (!cursor->host.up)
        return 0;
    list_silent(cursor, &cursor->host, cursor->tries);
    cursor->host.ports = cursor->list;
    cursor->host.port_count = cursor->scan->asked_count;
    int r = load_folded(cursor, &cursor->host, err);
    if (r == 0)
        r = load_ports(cursor, &cursor->host, err);
    if (r == 0)
        whole_host_derive(&cursor->host, cursor->list);
    return r;
}

int load_hosts(struct database *database, const struct stored_scan *scan, enum load_hosts which,
               const struct load_host_sink *sink, struct error *err)
{
    enum host_progress progress = HOST_DONE;
    struct host_cursor *cursor = NULL;
    int r = host_cursor_open(database, scan, which, &cursor, err);
    assert(r < 0 || cursor);
    while (r == 0 && (r = host_cursor_next(cursor, &progress, err)) == 1) {
        r = host_cursor_ports(cursor, err);
        if (r == 0)
            r = sink->host(sink->context, &cursor->host, progress);
    }
    host_cursor_close(cursor);
    return r;
}
