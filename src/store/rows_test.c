#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/load.h"
#include "store/query.h"
#include "store/store_fixture.h"
#include "store/summary.h"

#define PORTS 200u

/* A store of a scan of two hosts. */
struct scene {
    struct store_place place;
    struct plan plan;
    struct database *database;
    struct batch found, state;
    struct port_result ports[PORTS];
};

static int make_scene(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    if (!scene)
        return -1;
    *state = scene;
    if (!store_place_make(&scene->place))
        return -1;
    if (!store_fixture_plan(2, PORTS, 1, &scene->plan))
        return -1;
    store_fixture_scan(&scene->state, &scene->plan);
    for (uint16_t i = 0; i < PORTS; i++)
        scene->ports[i] = (struct port_result){.port = (uint16_t)(i + 1),
                                               .state = PORT_CLOSED,
                                               .reason = REASON_RESET,
                                               .ttl = 64,
                                               .tries = 1,
                                               .told = true,
                                               .time_ns = FIXTURE_START_NS};
    return database_open(scene->place.file, DATABASE_CREATE, &scene->database, NULL);
}

static int remove_scene(void **state)
{
    struct scene *scene = *state;
    database_close(scene->database);
    batch_done(&scene->found);
    batch_done(&scene->state);
    plan_done(&scene->plan);
    bool removed = store_place_remove(&scene->place);
    free(scene);
    return removed ? 0 : -1;
}

static void put_host_at(struct scene *scene, uint64_t position, bool again)
{
    struct host_result host = {.position = position,
                               .addr = plan_host_at(&scene->plan, position),
                               .up = true,
                               .proxied = true,
                               .capped = true,
                               .reason = REASON_USER_SET,
                               .start_ns = FIXTURE_START_NS,
                               .end_ns = FIXTURE_START_NS,
                               .ports = scene->ports,
                               .port_count = PORTS};
    rows_host(&scene->found, &host, HOST_DONE, again);
}

static void put_host(struct scene *scene, bool again)
{
    put_host_at(scene, 0, again);
}

static void write_all(struct scene *scene)
{
    struct error err = {.status = 0};
    if (database_write(scene->database, &scene->found, &scene->state, &err) < 0)
        fail_msg("%s", err.text);
    batch_clear(&scene->found);
    batch_clear(&scene->state);
}

static int64_t number(struct scene *scene, const char *sql)
{
    struct sqlite3_stmt *query = NULL;
    assert_int_equal(database_query(scene->database, sql, &query, NULL), 0);
    assert_int_equal(query_next(scene->database, query, NULL), 1);
    int64_t number = query_int(query, 0);
    query_done(query);
    return number;
}

static int compare(void *context, const struct host_result *host, enum host_progress progress)
{
    const struct scene *scene = context;
    assert_int_equal(progress, HOST_DONE);
    assert_int_equal(host->port_count, PORTS);
    assert_true(host->proxied && host->capped && !host->answers_all);
    for (unsigned i = 0; i < PORTS; i++) {
        const struct port_result *is = &host->ports[i];
        const struct port_result *was = &scene->ports[i];
        if (is->port != was->port || is->state != was->state || is->reason != was->reason ||
            is->ttl != was->ttl || is->tries != was->tries || is->confirmation != was->confirmation)
            fail_msg("port %u is another", was->port);
    }
    return 0;
}

static void assert_read_again(struct scene *scene)
{
    struct stored_scan scan;
    struct error err = {.status = 0};
    const struct load_host_sink sink = {compare, scene};
    assert_int_equal(load_scan(scene->database, &scan, &err), 0);
    if (load_hosts(scene->database, &scan, LOAD_ALL, &sink, &err) < 0)
        fail_msg("%s", err.text);
    stored_scan_done(&scan);
}

static struct port_result *open_port(struct scene *scene, unsigned index)
{
    scene->ports[index].state = PORT_OPEN;
    scene->ports[index].reason = REASON_SYN_ACK;
    return &scene->ports[index];
}

static void closed_ports_are_one_row_and_an_open_one_is_another_with_its_packet(void **state)
{
    struct scene *scene = *state;
    const struct store_packet packet = {(const uint8_t *)"E...", 4};
    rows_port(&scene->found, 0, open_port(scene, 21), &packet);
    put_host(scene, false);
    write_all(scene);
    assert_int_equal(number(scene, "SELECT count(*) FROM folded"), 1);
    assert_int_equal(number(scene, "SELECT count FROM folded"), PORTS - 1);
    assert_int_equal(number(scene, "SELECT port FROM port WHERE evidence = x'452e2e2e'"), 22);
    assert_read_again(scene);
}

static void a_host_that_is_written_again_keeps_what_stands_alone(void **state)
{
    struct scene *scene = *state;
    rows_port(&scene->found, 0, open_port(scene, 21), NULL);
    put_host(scene, false);
    write_all(scene);
    scene->ports[30].ttl = 63;
    put_host(scene, true);
    write_all(scene);
    assert_read_again(scene);
    assert_int_equal(number(scene, "SELECT count(*) FROM port"), 1);
    assert_int_equal(number(scene, "SELECT sum(count) FROM folded"), PORTS - 1);
}

static void of_the_rows_of_a_port_the_last_one_counts(void **state)
{
    struct scene *scene = *state;
    rows_port(&scene->found, 0, open_port(scene, 21), NULL);
    scene->ports[21] = scene->ports[22];
    scene->ports[21].port = 22;
    rows_port(&scene->found, 0, &scene->ports[21], NULL);
    put_host(scene, false);
    write_all(scene);
    assert_int_equal(number(scene, "SELECT count(*) FROM port"), 2);
    assert_read_again(scene);
}

/* Are two hosts the same in all states of their ports, one of which was told of as these say, one after the
 * other? */
static bool sums_are_equal(struct scene *scene, const enum port_state first[2],
                           const enum port_state second[2])
{
    struct stored_scan scan;
    struct host_summaries summaries = {.list = NULL};
    for (unsigned i = 0; i < 2; i++) {
        scene->ports[21].state = (uint8_t)first[i];
        rows_port(&scene->found, 0, &scene->ports[21], NULL);
        scene->ports[21].state = (uint8_t)second[i];
        rows_port(&scene->found, 1, &scene->ports[21], NULL);
    }
    put_host_at(scene, 0, true);
    put_host_at(scene, 1, true);
    write_all(scene);
    assert_int_equal(load_scan(scene->database, &scan, NULL), 0);
    assert_int_equal(host_summaries_load(scene->database, &scan, &summaries, NULL), 0);
    assert_int_equal(summaries.count, 2);
    bool equal = summaries.list[0].digest == summaries.list[1].digest;
    host_summaries_done(&summaries);
    stored_scan_done(&scan);
    return equal;
}

static void the_sum_of_a_host_is_of_the_last_rows_of_its_ports(void **state)
{
    struct scene *scene = *state;
    const enum port_state opened[] = {PORT_FILTERED, PORT_OPEN};
    const enum port_state open[] = {PORT_OPEN, PORT_OPEN};
    const enum port_state filtered[] = {PORT_OPEN, PORT_FILTERED};
    assert_true(sums_are_equal(scene, opened, open));
    assert_false(sums_are_equal(scene, opened, filtered));
    assert_true(sums_are_equal(scene, filtered, filtered));
}

/* As a host does that is finished while a state waits to be written. */
static void of_a_host_that_is_put_twice_at_once_only_the_last_folded_ports_stay(void **state)
{
    struct scene *scene = *state;
    for (unsigned i = 0; i < PORTS; i++)
        scene->ports[i].ttl = (uint8_t)i;
    put_host(scene, false);
    for (unsigned i = 0; i < PORTS; i++)
        scene->ports[i].ttl = 64;
    put_host(scene, true);
    write_all(scene);
    assert_int_equal(number(scene, "SELECT count(*) FROM folded"), 1);
    assert_int_equal(number(scene, "SELECT count(*) FROM host"), 1);
    assert_read_again(scene);
}

static void rows_of_ports_come_in_any_order_and_keep_it(void **state)
{
    struct scene *scene = *state;
    rows_port(&scene->found, 1, open_port(scene, 30), NULL);
    rows_port(&scene->found, 0, open_port(scene, 21), NULL);
    rows_port(&scene->found, 1, open_port(scene, 21), NULL);
    rows_port(&scene->found, 0, open_port(scene, 30), NULL);
    rows_port(&scene->found, 0, open_port(scene, 3), NULL);
    put_host(scene, false);
    write_all(scene);
    assert_int_equal(number(scene, "SELECT port FROM port WHERE id = 1 AND position = 1"), 31);
    assert_int_equal(number(scene, "SELECT port FROM port WHERE id = 5 AND position = 0"), 4);
    assert_read_again(scene);
}

/* A neighbour that does not resolve makes all its ports filtered: nobody told of any of them. */
static void ports_that_follow_from_their_host_are_folded_whatever_their_state(void **state)
{
    struct scene *scene = *state;
    for (unsigned i = 0; i < PORTS; i++) {
        scene->ports[i].state = PORT_FILTERED;
        scene->ports[i].reason = REASON_HOST_UNREACH;
        scene->ports[i].told = false;
    }
    put_host(scene, false);
    write_all(scene);
    assert_int_equal(number(scene, "SELECT count FROM folded"), PORTS);
    assert_read_again(scene);
}

/* As a host does that chooses the TTL of each answer anew. */
static void a_host_that_answers_in_many_ways_has_each_port_once(void **state)
{
    struct scene *scene = *state;
    for (unsigned i = 0; i < PORTS; i++)
        scene->ports[i].ttl = (uint8_t)(i * 7 % 199);
    put_host(scene, false);
    write_all(scene);
    assert_int_equal(number(scene, "SELECT sum(count) FROM folded"), PORTS);
    assert_read_again(scene);
}

static void what_became_of_an_open_port_is_kept(void **state)
{
    struct scene *scene = *state;
    const struct record confirmation = {
        .type = RECORD_CONFIRMATION, .port = 22, .confirmation = CONFIRMATION_RESET};
    rows_port(&scene->found, 0, open_port(scene, 21), NULL);
    rows_confirmation(&scene->found, 0, &confirmation);
    put_host(scene, false);
    write_all(scene);
    scene->ports[21].confirmation = CONFIRMATION_RESET;
    assert_read_again(scene);
}

static void ports_of_hosts_without_a_row_can_be_forgotten(void **state)
{
    struct scene *scene = *state;
    rows_port(&scene->found, 0, open_port(scene, 21), NULL);
    rows_port(&scene->found, 1, &scene->ports[21], NULL);
    put_host(scene, false);
    rows_forget_ports_without_host(&scene->state);
    write_all(scene);
    assert_int_equal(number(scene, "SELECT max(position) FROM port"), 0);
    assert_read_again(scene);
}

static void packets_that_proved_nothing_are_kept_by_kind(void **state)
{
    struct scene *scene = *state;
    struct stored_scan scan;
    rows_reject(&scene->state, "fragment", 1);
    rows_reject(&scene->state, "not proved", 5);
    rows_reject(&scene->state, "fragment", 2);
    write_all(scene);
    assert_int_equal(load_scan(scene->database, &scan, NULL), 0);
    assert_int_equal(stored_scan_rejects(&scan, "fragment"), 2);
    assert_int_equal(stored_scan_rejects(&scan, "not proved"), 5);
    assert_int_equal(stored_scan_rejects(&scan, "truncated"), 0);
    stored_scan_done(&scan);
}

static void kinds_of_a_stranger_do_no_harm(void **state)
{
    struct scene *scene = *state;
    struct stored_scan scan;
    char what[] = "rejected: 00";
    for (unsigned i = 0; i < 3 * STORE_REJECTS_MAX; i++) {
        snprintf(what, sizeof what, "rejected: %02u", i);
        rows_coverage(&scene->state, what, 1);
    }
    rows_coverage(&scene->state, "rejected:  and so on, for longer than any name is", 1);
    rows_coverage(&scene->state, "rejected: -1", (uint64_t)-1);
    write_all(scene);
    assert_int_equal(load_scan(scene->database, &scan, NULL), 0);
    assert_int_equal(scan.reject_count, STORE_REJECTS_MAX);
    assert_int_equal(stored_scan_rejects(&scan, "-1"), 0);
    stored_scan_done(&scan);
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, make_scene, remove_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(closed_ports_are_one_row_and_an_open_one_is_another_with_its_packet),
        SCENE_TEST(a_host_that_is_written_again_keeps_what_stands_alone),
        SCENE_TEST(of_the_rows_of_a_port_the_last_one_counts),
        SCENE_TEST(the_sum_of_a_host_is_of_the_last_rows_of_its_ports),
        SCENE_TEST(of_a_host_that_is_put_twice_at_once_only_the_last_folded_ports_stay),
        SCENE_TEST(rows_of_ports_come_in_any_order_and_keep_it),
        SCENE_TEST(ports_that_follow_from_their_host_are_folded_whatever_their_state),
        SCENE_TEST(a_host_that_answers_in_many_ways_has_each_port_once),
        SCENE_TEST(what_became_of_an_open_port_is_kept),
        SCENE_TEST(ports_of_hosts_without_a_row_can_be_forgotten),
        SCENE_TEST(packets_that_proved_nothing_are_kept_by_kind),
        SCENE_TEST(kinds_of_a_stranger_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
