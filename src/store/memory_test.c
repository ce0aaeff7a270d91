/* The n-th allocation fails: of those that the store's own code makes, whose names the linker gives to this
 * file, and of SQLite's together. With MEMORY_SWEEP=all for every n, else for a sample of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/compare.h"
#include "store/query.h"
#include "store/store_fixture.h"

#define PORTS           40u
#define OPEN_INDEX      21u
#define ALLOCATIONS_MAX 100000u /* many more than there are */
#define STEP            43u     /* from one that fails to the next, in a sample */

/* Neither the linker nor SQLite hands over a context. */
static unsigned allocation_count;
static unsigned failing; /* this one; 0: none */
static sqlite3_mem_methods sqlite_methods;

static bool strikes(void)
{
    return ++allocation_count == failing;
}

void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void *__real_realloc(void *old, size_t len);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_realloc(void *old, size_t len);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t len)
{
    return strikes() ? NULL : __real_malloc(len);
}

void *__wrap_calloc(size_t count, size_t len)
{
    return strikes() ? NULL : __real_calloc(count, len);
}

void *__wrap_realloc(void *old, size_t len)
{
    return strikes() ? NULL : __real_realloc(old, len);
}

char *__wrap_strdup(const char *text)
{
    return strikes() ? NULL : __real_strdup(text);
}

static void *sqlite_malloc(int len)
{
    return strikes() ? NULL : sqlite_methods.xMalloc(len);
}

static void *sqlite_realloc(void *old, int len)
{
    return strikes() ? NULL : sqlite_methods.xRealloc(old, len);
}

static int take_sqlite(void **state)
{
    (void)state;
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_methods) != SQLITE_OK)
        return -1;
    sqlite3_mem_methods methods = sqlite_methods;
    methods.xMalloc = sqlite_malloc;
    methods.xRealloc = sqlite_realloc;
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK ? 0 : -1;
}

/* In memory, where a sync costs nothing. */
struct place {
    char directory[64];
    char path[96];
};

static int make_place(void **state)
{
    struct place *place = __real_calloc(1, sizeof *place);
    if (!place)
        return -1;
    *state = place;
    strcpy(place->directory, "/dev/shm/portolan-XXXXXX");
    if (!mkdtemp(place->directory))
        return -1;
    snprintf(place->path, sizeof place->path, "%s/store", place->directory);
    return 0;
}

static void remove_store(const struct place *place)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    for (unsigned i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char path[sizeof place->path + 16];
        snprintf(path, sizeof path, "%s%s", place->path, endings[i]);
        unlink(path);
    }
}

static int remove_place(void **state)
{
    struct place *place = *state;
    remove_store(place);
    int r = rmdir(place->directory);
    free(place);
    return r;
}

/* A host with one open port, and another one that is down. */
static void put_results(struct batch *found, const struct plan *plan)
{
    static const struct store_packet packet = {(const uint8_t *)"E...", 4};
    struct port_result ports[PORTS];
    for (uint16_t i = 0; i < PORTS; i++)
        ports[i] = (struct port_result){.port = (uint16_t)(i + 1),
                                        .state = i == OPEN_INDEX ? PORT_OPEN : PORT_CLOSED,
                                        .reason = i == OPEN_INDEX ? REASON_SYN_ACK : REASON_RESET,
                                        .ttl = 64,
                                        .tries = 1,
                                        .told = true,
                                        .time_ns = FIXTURE_START_NS};
    struct host_result host = {.addr = plan_host_at(plan, 0),
                               .up = true,
                               .reason = REASON_USER_SET,
                               .ptr_name = "host.example",
                               .start_ns = FIXTURE_START_NS,
                               .end_ns = FIXTURE_START_NS,
                               .ports = ports,
                               .port_count = PORTS};
    rows_port(found, 0, &ports[OPEN_INDEX], &packet);
    rows_host(found, &host, HOST_DONE, true);
    rows_down(found, 1, 1, REASON_NO_RESPONSE, FIXTURE_START_NS);
}

static int write_rows(const struct place *place, const struct plan *plan, struct error *err)
{
    const struct store_progress progress = {
        .saved_ns = FIXTURE_START_NS, .state = "complete", .next_position = 2};
    struct batch found = {.bytes = NULL};
    struct batch state = {.bytes = NULL};
    struct database *database = NULL;
    store_fixture_scan(&state, plan);
    rows_progress(&state, &progress);
    put_results(&found, plan);
    int r = database_open(place->path, DATABASE_CREATE, &database, err);
    if (r == 0)
        r = database_write(database, &found, &state, err);
    if (r == 0)
        r = database_finish(database, err);
    database_close(database);
    batch_done(&found);
    batch_done(&state);
    return r;
}

static int count_open(void *context, const struct host_result *host, enum host_progress progress)
{
    (void)progress;
    for (uint32_t i = 0; i < host->port_count; i++)
        *(unsigned *)context += host->ports[i].state == PORT_OPEN && host->ptr_name;
    return 0;
}

static int count_run(void *context, const struct compare_run *run)
{
    (void)run;
    ++*(unsigned *)context;
    return 0;
}

/* Read all of it, and compare it with itself. */
static int read_rows(const struct place *place, unsigned *ret_open, struct error *err)
{
    struct database *database = NULL;
    struct stored_scan scan = {.words = NULL};
    unsigned open_count = 0;
    unsigned change_count = 0;
    const struct load_host_sink hosts = {count_open, &open_count};
    const struct compare_sink changes = {count_run, &change_count};
    int r = database_open(place->path, DATABASE_READ, &database, err);
    if (r == 0)
        r = database_check(database, err);
    if (r == 0)
        r = load_scan(database, &scan, err);
    if (r == 0)
        r = load_hosts(database, &scan, LOAD_ALL, &hosts, err);
    if (r == 0)
        r = compare_stores(database, &scan, database, &scan, &changes, err);
    stored_scan_done(&scan);
    database_close(database);
    assert_int_equal(change_count, 0);
    *ret_open = open_count;
    return r;
}

static void fail_at(unsigned number)
{
    allocation_count = 0;
    failing = number;
}

static void assert_said_memory(unsigned number, int r, const struct error *err)
{
    if (r != -EX_OSERR || !strstr(err->text, "memory"))
        fail_msg("allocation %u: %d: %s", number, r, err->text);
}

static unsigned step(void)
{
    const char *sweep = getenv("MEMORY_SWEEP");
    return sweep && strcmp(sweep, "all") == 0 ? 1 : STEP;
}

static struct plan *make_plan(void)
{
    struct plan *plan = __real_calloc(1, sizeof *plan);
    assert_non_null(plan);
    assert_true(store_fixture_plan(2, PORTS, 1, plan));
    return plan;
}

static void whatever_allocation_fails_a_store_is_whole_or_can_be_begun_again(void **state)
{
    const struct place *place = *state;
    struct plan *plan = make_plan();
    bool reached = true;
    unsigned number = 0;
    for (number = 1; reached && number < ALLOCATIONS_MAX; number += step()) {
        struct error err = {.status = 0};
        unsigned open_count = 0;
        fail_at(number);
        int r = write_rows(place, plan, &err);
        reached = allocation_count >= failing;
        fail_at(0);
        if (r < 0) {
            assert_said_memory(number, r, &err);
            write_rows(place, plan, NULL); /* refused if everything is there already */
        }
        assert_int_equal(read_rows(place, &open_count, &err), 0);
        assert_int_equal(open_count, 1);
        remove_store(place);
    }
    assert_in_range(number, 1000, ALLOCATIONS_MAX - 1);
    plan_done(plan);
    free(plan);
}

static void whatever_allocation_fails_what_is_read_is_whole_or_nothing(void **state)
{
    const struct place *place = *state;
    struct plan *plan = make_plan();
    bool reached = true;
    unsigned number = 0;
    fail_at(0);
    assert_int_equal(write_rows(place, plan, NULL), 0);
    for (number = 1; reached && number < ALLOCATIONS_MAX; number += step()) {
        struct error err = {.status = 0};
        unsigned open_count = 0;
        fail_at(number);
        int r = read_rows(place, &open_count, &err);
        reached = allocation_count >= failing;
        fail_at(0);
        if (r < 0)
            assert_said_memory(number, r, &err);
        else
            assert_int_equal(open_count, 1);
    }
    assert_in_range(number, 1000, ALLOCATIONS_MAX - 1);
    plan_done(plan);
    free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whatever_allocation_fails_a_store_is_whole_or_can_be_begun_again,
                                        make_place, remove_place),
        cmocka_unit_test_setup_teardown(whatever_allocation_fails_what_is_read_is_whole_or_nothing,
                                        make_place, remove_place),
    };
    return cmocka_run_group_tests(tests, take_sqlite, NULL);
}
