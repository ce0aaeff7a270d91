/* What a store costs: its size and time with a hundred million closed ports, the time for open ports with
 * their packets, and the time to compare two stores with a million rows each. store_bench [DIRECTORY] makes
 * its files there (in the working directory, if none is given) and removes them. The bare figures beside are
 * of SQLite alone: a row a port, and reading all rows in order. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/rand.h"
#include "store/compare.h"
#include "store/query.h"
#include "store/store_fixture.h"

#define CLOSED_HOSTS  65536u
#define CLOSED_PORTS  1526u /* 65536 * 1526 = 100,007,936 */
#define BARE_HOSTS    512u
#define DIFF_HOSTS    100000u
#define DIFF_PORTS    40u
#define OPEN_PORTS    10u
#define FOUND_PORTS   10u               /* of 65,536 hosts, three of them open */
#define SCATTER       UINT64_C(40503)   /* odd: every host comes once */
#define PACKET_LEN    52u               /* a SYN/ACK with options */
#define BATCH_LEN     ((size_t)2 << 20) /* as a scan hands it over */
#define HOSTS_A_BATCH 512u
#define PATH_MAX_LEN  512

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what, const struct error *err)
{
    fprintf(stderr, "store_bench: %s%s%s\n", what, err ? ": " : "", err ? err->text : "");
    exit(1);
}

static const char *place(const char *directory, const char *name, char path[static PATH_MAX_LEN])
{
    snprintf(path, PATH_MAX_LEN, "%s/store_bench.%s", directory, name);
    unlink(path);
    return path;
}

static double megabytes(const char *path)
{
    struct stat status;
    if (stat(path, &status) < 0)
        die("a file is gone", NULL);
    return (double)status.st_size / 1e6;
}

/* A store and the scan it is of. */
struct bench_store {
    struct database *database;
    struct batch found, state;
    struct plan *plan;
    struct port_result *ports;
    struct rand rand;
};

static struct bench_store begin(const char *path, uint32_t hosts, uint16_t ports, uint64_t seed)
{
    struct bench_store store = {.plan = calloc(1, sizeof *store.plan), .rand = {.state = seed}};
    struct error err;
    struct store_progress progress = {
        .saved_ns = FIXTURE_START_NS, .state = "complete", .next_position = hosts};
    store.ports = calloc(ports, sizeof *store.ports);
    if (!store.ports || !store.plan || !store_fixture_plan(hosts, ports, seed, store.plan))
        die("out of memory", NULL);
    if (database_open(path, DATABASE_CREATE, &store.database, &err) < 0)
        die("no store", &err);
    store_fixture_scan(&store.state, store.plan);
    rows_progress(&store.state, &progress);
    return store;
}

static void write_out(struct bench_store *store)
{
    struct error err;
    if (database_write(store->database, &store->found, &store->state, &err) < 0)
        die("cannot write", &err);
    batch_clear(&store->found);
    batch_clear(&store->state);
}

static void put_host(struct bench_store *store, uint64_t position, uint32_t port_count)
{
    struct host_result host = {.position = position,
                               .addr = plan_host_at(store->plan, position),
                               .up = true,
                               .reason = REASON_ECHO_REPLY,
                               .ttl = 64,
                               .start_ns = FIXTURE_START_NS,
                               .end_ns = FIXTURE_START_NS + SEC,
                               .ports = store->ports,
                               .port_count = port_count};
    rows_host(&store->found, &host, HOST_DONE, false);
}

static void add_host(struct bench_store *store, uint64_t position, uint32_t port_count)
{
    put_host(store, position, port_count);
    if (position % HOSTS_A_BATCH == HOSTS_A_BATCH - 1)
        write_out(store);
}

static void end(struct bench_store *store)
{
    struct error err;
    write_out(store);
    if (database_finish(store->database, &err) < 0)
        die("cannot finish", &err);
    database_close(store->database);
    batch_done(&store->found);
    batch_done(&store->state);
    plan_done(store->plan);
    free(store->plan);
    free(store->ports);
}

/* The port with this index, as its answer makes it. */
static struct port_result open_or_closed(uint32_t index, bool open)
{
    return (struct port_result){.port = (uint16_t)(index + 1),
                                .state = open ? PORT_OPEN : PORT_CLOSED,
                                .reason = open ? REASON_SYN_ACK : REASON_RESET,
                                .ttl = 64,
                                .tries = 1,
                                .told = true,
                                .time_ns = FIXTURE_START_NS,
                                .rtt_ns = MSEC};
}

/* One port of a hundred is closed only at the second try, in no order. */
static void fill_closed(struct bench_store *store)
{
    for (uint32_t i = 0; i < CLOSED_PORTS; i++) {
        store->ports[i] = open_or_closed(i, false);
        store->ports[i].tries = rand_next(&store->rand) % 100 == 0 ? 2 : 1;
    }
}

/* A table of SQLite's alone, which is written in one transaction. */
struct bare_table {
    sqlite3 *database;
    sqlite3_stmt *insert;
};

static struct bare_table begin_bare(const char *path, const char *create, const char *insert)
{
    struct bare_table bare = {.database = NULL};
    if (sqlite3_open(path, &bare.database) != SQLITE_OK ||
        sqlite3_exec(bare.database, create, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(bare.database, "BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(bare.database, insert, -1, &bare.insert, NULL) != SQLITE_OK)
        die("no bare table", NULL);
    return bare;
}

static void put_bare_row(const struct bare_table *bare)
{
    if (sqlite3_step(bare->insert) != SQLITE_DONE)
        die("cannot write the bare table", NULL);
    sqlite3_reset(bare->insert);
}

static void end_bare(const struct bare_table *bare)
{
    sqlite3_exec(bare->database, "COMMIT", NULL, NULL, NULL);
    sqlite3_finalize(bare->insert);
    sqlite3_close(bare->database);
}

/* The same in a table of SQLite's, a row a port; MB and seconds for each port. */
static void measure_bare(const char *path, double *ret_mb, double *ret_s)
{
    double start = now_s();
    struct bare_table bare = begin_bare(path,
                                        "CREATE TABLE port(host INTEGER, port INTEGER, state INTEGER, "
                                        "PRIMARY KEY (host, port)) STRICT, WITHOUT ROWID",
                                        "INSERT INTO port VALUES(?,?,2)");
    for (uint32_t row = 0; row < BARE_HOSTS * CLOSED_PORTS; row++) {
        sqlite3_bind_int64(bare.insert, 1, row / CLOSED_PORTS);
        sqlite3_bind_int64(bare.insert, 2, row % CLOSED_PORTS);
        put_bare_row(&bare);
    }
    end_bare(&bare);
    *ret_s = (now_s() - start) / (BARE_HOSTS * CLOSED_PORTS);
    *ret_mb = megabytes(path) / (BARE_HOSTS * CLOSED_PORTS);
}

static void measure_closed(const char *directory)
{
    char path[PATH_MAX_LEN];
    double ports = (double)CLOSED_HOSTS * CLOSED_PORTS;
    double bare_mb = 0;
    double bare_s = 0;
    struct bench_store store = begin(place(directory, "closed", path), CLOSED_HOSTS, CLOSED_PORTS, 1);
    double start = now_s();
    for (uint64_t position = 0; position < CLOSED_HOSTS; position++) {
        fill_closed(&store);
        add_host(&store, position, CLOSED_PORTS);
    }
    end(&store);
    double took = now_s() - start;
    double size = megabytes(path);
    unlink(path);
    measure_bare(place(directory, "bare", path), &bare_mb, &bare_s);
    unlink(path);
    printf("%.0f closed ports: %.1f MB, %.2f bytes a port; %.1f s, %.0f ns a port\n", ports, size,
           size * 1e6 / ports, took, took * 1e9 / ports);
    printf("    a row a port takes %.1f times the room and %.1f times as long\n", bare_mb * ports / size,
           bare_s * ports / took);
}

/* Three of ten ports are open, and their answers come in no order. All hosts are complete at the end, when
 * each gets a row for itself and one for its closed ports. */
static void fill_found(struct bench_store *store)
{
    static const uint8_t packet_bytes[PACKET_LEN];
    const struct store_packet packet = {packet_bytes, sizeof packet_bytes};
    for (uint32_t i = 0; i < FOUND_PORTS; i++)
        store->ports[i] = open_or_closed(i, i % 4 == 0);
    for (uint32_t i = 0; i < CLOSED_HOSTS; i++) {
        for (uint32_t port = 0; port < FOUND_PORTS; port += 4)
            rows_port(&store->found, i * SCATTER % CLOSED_HOSTS, &store->ports[port], &packet);
        if (store->found.len > BATCH_LEN)
            write_out(store);
    }
    for (uint32_t i = 0; i < CLOSED_HOSTS; i++) {
        put_host(store, i * SCATTER % CLOSED_HOSTS, FOUND_PORTS);
        if (store->found.len > BATCH_LEN)
            write_out(store);
    }
}

/* As many rows, of the same length, appended to a table of SQLite's with a number as key. */
static double append_bare(const char *path, uint32_t row_count)
{
    static const uint8_t bytes[2 * PACKET_LEN];
    double start = now_s();
    struct bare_table bare =
        begin_bare(path, "PRAGMA journal_mode=WAL; CREATE TABLE port(id INTEGER PRIMARY KEY, bytes BLOB)",
                   "INSERT INTO port(bytes) VALUES(?)");
    sqlite3_bind_blob(bare.insert, 1, bytes, sizeof bytes, SQLITE_STATIC);
    for (uint32_t row = 0; row < row_count; row++)
        put_bare_row(&bare);
    end_bare(&bare);
    return now_s() - start;
}

static void measure_found(const char *directory)
{
    char path[PATH_MAX_LEN];
    const uint32_t open_count = 3 * CLOSED_HOSTS;
    struct bench_store store = begin(place(directory, "found", path), CLOSED_HOSTS, FOUND_PORTS, 1);
    double start = now_s();
    fill_found(&store);
    end(&store);
    double took = now_s() - start;
    double size = megabytes(path);
    unlink(path);
    double bare = append_bare(place(directory, "bare", path), open_count + 2 * CLOSED_HOSTS);
    unlink(path);
    printf("%u open ports of %u hosts, with their packets: %.1f MB; %.2f s, %.1f us a port\n", open_count,
           CLOSED_HOSTS, size, took, took * 1e6 / open_count);
    printf("    appending as many rows takes %.2f times as long\n", bare / took);
}

/* Every host has some open ports, each a row of its own; every hundredth host another one if `other`. */
static void write_open(const char *path, uint64_t seed, bool other)
{
    struct bench_store store = begin(path, DIFF_HOSTS, DIFF_PORTS, seed);
    for (uint64_t position = 0; position < DIFF_HOSTS; position++) {
        uint32_t last = get_be32(plan_host_at(store.plan, position).bytes);
        for (uint32_t i = 0; i < DIFF_PORTS; i++) {
            bool open = i < OPEN_PORTS - 1 || i == OPEN_PORTS + (other && last % 100 == 0);
            store.ports[i] = (struct port_result){.port = (uint16_t)(i + 1),
                                                  .state = PORT_FILTERED,
                                                  .reason = REASON_NO_RESPONSE,
                                                  .tries = 2,
                                                  .time_ns = FIXTURE_START_NS};
            if (open)
                store.ports[i] = open_or_closed(i, true);
            if (open)
                rows_port(&store.found, position, &store.ports[i], NULL);
        }
        add_host(&store, position, DIFF_PORTS);
    }
    end(&store);
}

static int count_run(void *context, const struct compare_run *run)
{
    (void)run;
    (*(uint64_t *)context)++;
    return 0;
}

static uint64_t count_changes(const char *path_before, const char *path_after)
{
    struct database *databases[2];
    struct stored_scan scans[2];
    const char *const paths[] = {path_before, path_after};
    struct error err;
    uint64_t changes = 0;
    struct compare_sink sink = {count_run, &changes};
    for (unsigned i = 0; i < 2; i++)
        if (database_open(paths[i], DATABASE_READ, &databases[i], &err) < 0 ||
            load_scan(databases[i], &scans[i], &err) < 0)
            die("cannot read", &err);
    if (compare_stores(databases[0], &scans[0], databases[1], &scans[1], &sink, &err) < 0)
        die("cannot compare", &err);
    for (unsigned i = 0; i < 2; i++) {
        stored_scan_done(&scans[i]);
        database_close(databases[i]);
    }
    return changes;
}

/* All rows of ports, in order, and nothing done with them. */
static double read_bare(const char *path)
{
    struct database *database = NULL;
    struct sqlite3_stmt *query = NULL;
    struct error err;
    int64_t sum = 0;
    double start = now_s();
    if (database_open(path, DATABASE_READ, &database, &err) < 0 ||
        database_query(database, "SELECT * FROM port", &query, &err) < 0)
        die("cannot read", &err);
    while (query_next(database, query, &err) == 1)
        sum += query_int(query, 3); /* its number */
    query_done(query);
    database_close(database);
    if (sum == 0)
        die("nothing was read", NULL);
    return now_s() - start;
}

static void measure_diff(const char *directory)
{
    char before[PATH_MAX_LEN];
    char after[PATH_MAX_LEN];
    write_open(place(directory, "before", before), 1, false);
    write_open(place(directory, "after", after), 2, true);
    double bare = read_bare(before) + read_bare(after);
    double start = now_s();
    uint64_t changes = count_changes(before, after);
    double took = now_s() - start;
    printf("diff of two stores with %u rows each: %.2f s, %llu changes; %.1f times reading the rows alone\n",
           DIFF_HOSTS * OPEN_PORTS, took, (unsigned long long)changes, took / bare);
    unlink(before);
    unlink(after);
}

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : ".";
    measure_found(directory);
    measure_diff(directory);
    measure_closed(directory);
    return 0;
}
