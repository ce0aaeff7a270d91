/* The number of a host is a sum over its ports, so that it does not matter how they are folded: each port has
 * a number that chance gave it, each state a factor. Of ports in a row the sum is the difference of two sums
 * that were made before. */
#include "store/summary.h"

#include <assert.h>
#include <stdlib.h>

#include "base/rand.h"
#include "store/index_set.h"
#include "store/query.h"
#include "store/text.h"

#define CAPACITY_FIRST 1024
#define SEED           UINT64_C(0x706f7274) /* any: two stores must only have the same */

/* The last host of which this port had a row, as its position and one, and what that row counted. */
struct told {
    uint64_t host;
    uint64_t number;
};

/* A table that is read beside the hosts; all come in the order of their positions. */
struct stream {
    struct sqlite3_stmt *query; /* its column 0 is the position of the host */
    bool any;                   /* it stands at a row */
};

struct reading {
    struct database *database;
    const struct stored_scan *scan;
    struct stream folded, ports;
    struct host_cursor *hosts;
    uint64_t *sums;    /* owned; of the numbers of all ports asked before this one */
    struct told *told; /* owned; of each port asked */
    uint64_t factors[PORT_STATE_COUNT];
    size_t capacity;
};

static int advance(struct reading *reading, struct stream *stream, struct error *err)
{
    int r = query_next(reading->database, stream->query, err);
    stream->any = r == 1;
    return r < 0 ? r : 0;
}

static int open_stream(struct reading *reading, const char *sql, struct stream *stream, struct error *err)
{
    int r = database_query(reading->database, sql, &stream->query, err);
    return r == 0 ? advance(reading, stream, err) : r;
}

/* Go on to the rows of this host. */
static int skip_to(struct reading *reading, struct stream *stream, uint64_t position, struct error *err)
{
    int r = 0;
    while (r == 0 && stream->any && query_int(stream->query, 0) < (int64_t)position)
        r = advance(reading, stream, err);
    return r;
}

static bool is_of(const struct stream *stream, uint64_t position)
{
    return stream->any && query_int(stream->query, 0) == (int64_t)position;
}

static int add_folded(struct reading *reading, struct host_summary *summary, struct error *err)
{
    struct stream *folded = &reading->folded;
    int r = skip_to(reading, folded, summary->position, err);
    while (r == 0 && is_of(folded, summary->position)) {
        uint8_t state = PORT_UNKNOWN;
        uint64_t first = 0;
        uint64_t count = 0;
        size_t len = 0;
        const uint8_t *bytes = query_blob(folded->query, 2, &len);
        struct index_reader reader = index_reader_over(bytes, len);
        if (!text_state(query_text(folded->query, 1), &state))
            return error_set(err, EX_DATAERR, "the store is damaged: a state of folded ports");
        while (index_next(&reader, reading->scan->asked_count, &first, &count))
            summary->digest +=
                (reading->sums[first + count] - reading->sums[first]) * reading->factors[state];
        r = advance(reading, folded, err);
    }
    return r;
}

/* Of several rows of a port the last one counts. If it says closed the port is also among the folded ones and
 * counts twice, which costs a closer look at its host and no more. */
static void add_port(struct reading *reading, struct host_summary *summary, uint32_t index, uint8_t state)
{
    struct told *told = &reading->told[index];
    uint64_t number = (reading->sums[index + 1] - reading->sums[index]) * reading->factors[state];
    if (told->host == summary->position + 1)
        summary->digest -= told->number;
    summary->digest += number;
    *told = (struct told){summary->position + 1, number};
}

static int add_ports(struct reading *reading, struct host_summary *summary, struct error *err)
{
    struct stream *ports = &reading->ports;
    int r = skip_to(reading, ports, summary->position, err);
    while (r == 0 && is_of(ports, summary->position)) {
        uint8_t state = PORT_UNKNOWN;
        uint32_t index = 0;
        if (!text_state(query_text(ports->query, 1), &state) ||
            !asked_find(reading->scan, query_text(ports->query, 2), query_int(ports->query, 3), &index))
            return error_set(err, EX_DATAERR, "the store is damaged: a port");
        add_port(reading, summary, index, state);
        r = advance(reading, ports, err);
    }
    return r;
}

static int keep(struct reading *reading, struct host_summaries *summaries, const struct host_summary *summary,
                struct error *err)
{
    if (summaries->count == reading->capacity) {
        size_t capacity = reading->capacity ? 2 * reading->capacity : CAPACITY_FIRST;
        struct host_summary *list = realloc(summaries->list, capacity * sizeof *list);
        if (!list)
            return error_set(err, EX_OSERR, "out of memory");
        summaries->list = list;
        reading->capacity = capacity;
    }
    assert(summaries->list);
    summaries->list[summaries->count++] = *summary;
    return 0;
}

static int read_all(struct reading *reading, struct host_summaries *summaries, struct error *err)
{
    enum host_progress progress = HOST_DONE;
    int r = 0;
    while (r == 0 && (r = host_cursor_next(reading->hosts, &progress, err)) == 1) {
        const struct host_result *host = host_cursor_host(reading->hosts);
        struct host_summary summary = {host->addr, host->position,
                                       (uint64_t)host->up * 2 + (uint64_t)host->unfinished};
        r = add_folded(reading, &summary, err);
        if (r == 0)
            r = add_ports(reading, &summary, err);
        if (r == 0)
            r = keep(reading, summaries, &summary, err);
    }
    return r;
}

static int choose_numbers(struct reading *reading, struct error *err)
{
    struct rand rand = {.state = SEED};
    uint32_t count = reading->scan->asked_count;
    reading->sums = calloc((size_t)count + 1, sizeof *reading->sums);
    reading->told = calloc((size_t)count + 1, sizeof *reading->told);
    if (!reading->sums || !reading->told)
        return error_set(err, EX_OSERR, "out of memory");
    for (unsigned state = 0; state < PORT_STATE_COUNT; state++)
        reading->factors[state] = rand_next(&rand) | 1;
    for (uint32_t i = 0; i < count; i++)
        reading->sums[i + 1] = reading->sums[i] + rand_next(&rand);
    return 0;
}

static int open_all(struct reading *reading, struct error *err)
{
    int r = choose_numbers(reading, err);
    if (r == 0)
        r = open_stream(reading, "SELECT position, state, ports FROM folded ORDER BY position",
                        &reading->folded, err);
    if (r == 0)
        r = open_stream(reading, "SELECT position, state, protocol, port FROM port ORDER BY position, id",
                        &reading->ports, err);
    if (r == 0)
        r = host_cursor_open(reading->database, reading->scan, LOAD_BY_POSITION, &reading->hosts, err);
    return r;
}

static int compare_addresses(const void *a, const void *b)
{
    const struct host_summary *first = a;
    const struct host_summary *second = b;
    return addr_compare(&first->addr, &second->addr);
}

int host_summaries_load(struct database *database, const struct stored_scan *scan, struct host_summaries *ret,
                        struct error *err)
{
    struct reading reading = {.database = database, .scan = scan};
    struct host_summaries summaries = {.list = NULL};
    int r = open_all(&reading, err);
    if (r == 0)
        r = read_all(&reading, &summaries, err);
    host_cursor_close(reading.hosts);
    query_done(reading.folded.query);
    query_done(reading.ports.query);
    free(reading.sums);
    free(reading.told);
    if (r < 0) {
        host_summaries_done(&summaries);
        return r;
    }
    if (summaries.count > 0)
        qsort(summaries.list, summaries.count, sizeof summaries.list[0], compare_addresses);
    *ret = summaries;
    return 0;
}

void host_summaries_done(struct host_summaries *summaries)
{
    free(summaries->list);
    *summaries = (struct host_summaries){.list = NULL};
}
