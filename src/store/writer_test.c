#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "store/store_fixture.h"
#include "store/writer.h"

#define LOOKS_MAX 5000 /* milliseconds, on a machine that is busy */

struct scene {
    struct store_place place;
    struct writer *writer;
    struct batch found, state;
};

static int make_scene(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    struct database *database = NULL;
    if (!scene)
        return -1;
    *state = scene;
    if (!store_place_make(&scene->place))
        return -1;
    int r = database_open(scene->place.file, DATABASE_CREATE, &database, NULL);
    return r == 0 ? writer_start(database, &scene->writer, NULL) : r;
}

static int remove_scene(void **state)
{
    struct scene *scene = *state;
    batch_done(&scene->found);
    batch_done(&scene->state);
    bool removed = store_place_remove(&scene->place);
    free(scene);
    return removed ? 0 : -1;
}

static void a_millisecond(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void write_event(struct scene *scene, const char *what)
{
    store_fixture_event(&scene->state, what);
    writer_submit(scene->writer, &scene->found, &scene->state);
    while (writer_is_busy(scene->writer))
        a_millisecond();
}

static int64_t count_events(const struct scene *scene)
{
    struct database *database = NULL;
    assert_int_equal(database_open(scene->place.file, DATABASE_READ, &database, NULL), 0);
    int64_t count = store_fixture_count_events(database);
    database_close(database);
    return count;
}

static void what_is_handed_over_is_in_the_file_at_the_end(void **state)
{
    struct scene *scene = *state;
    write_event(scene, "one");
    assert_int_equal(scene->state.len, 0);
    store_fixture_event(&scene->state, "two");
    store_fixture_event(&scene->state, "three");
    writer_submit(scene->writer, &scene->found, &scene->state);
    assert_int_equal(writer_close(scene->writer, true, NULL), 0);
    assert_int_equal(count_events(scene), 3);
}

static void a_failure_is_told_and_nothing_is_written_after_it(void **state)
{
    struct scene *scene = *state;
    struct error err = {.status = 0};
    write_event(scene, "good");
    write_event(scene, NULL); /* the table wants a text */
    assert_true(writer_status(scene->writer, &err) < 0);
    int status = err.status;
    write_event(scene, "good");
    assert_int_equal(writer_close(scene->writer, true, &err), -status);
    assert_int_equal(count_events(scene), 1);
    char log[sizeof scene->place.file + 8];
    for (unsigned i = 0; i < 2; i++) {
        snprintf(log, sizeof log, "%s%s", scene->place.file, i ? "-shm" : "-wal");
        unlink(log);
    }
}

/* Is there a thread beside the first one that leaves nine tenths of a processor to others? */
static bool one_steps_back(void)
{
    bool found = false;
    DIR *threads = opendir("/proc/self/task");
    assert_non_null(threads);
    for (const struct dirent *entry = readdir(threads); entry; entry = readdir(threads)) {
        id_t thread = (id_t)strtoul(entry->d_name, NULL, 10);
        found |= thread > 0 && thread != (id_t)getpid() && getpriority(PRIO_PROCESS, thread) >= 10;
    }
    closedir(threads);
    return found;
}

static void the_thread_that_writes_leaves_the_processors_to_whoever_scans(void **state)
{
    struct scene *scene = *state;
    int looks = 0;
    while (!one_steps_back() && looks++ < LOOKS_MAX)
        a_millisecond();
    assert_true(looks < LOOKS_MAX);
    assert_int_equal(writer_close(scene->writer, true, NULL), 0);
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, make_scene, remove_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(what_is_handed_over_is_in_the_file_at_the_end),
        SCENE_TEST(a_failure_is_told_and_nothing_is_written_after_it),
        SCENE_TEST(the_thread_that_writes_leaves_the_processors_to_whoever_scans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
