#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/query.h"
#include "store/store_fixture.h"

static const struct batch nothing = {.bytes = NULL};

static int make_place(void **state)
{
    struct store_place *place = calloc(1, sizeof *place);
    *state = place;
    return place && store_place_make(place) ? 0 : -1;
}

static int remove_place(void **state)
{
    struct store_place *place = *state;
    bool removed = store_place_remove(place);
    free(place);
    return removed ? 0 : -1;
}

static struct database *open_as(const struct store_place *place, enum database_use use)
{
    struct error err = {.status = 0};
    struct database *database = NULL;
    if (database_open(place->file, use, &database, &err) < 0)
        fail_msg("%s", err.text);
    return database;
}

static void assert_refused(const struct store_place *place, enum database_use use, int status,
                           const char *says)
{
    struct error err = {.status = 0};
    struct database *database = NULL;
    assert_int_equal(database_open(place->file, use, &database, &err), -status);
    if (!strstr(err.text, says))
        fail_msg("'%s' does not say '%s'", err.text, says);
}

static void what_is_written_is_read_again(void **state)
{
    const struct store_place *place = *state;
    struct database *database = open_as(place, DATABASE_CREATE);
    struct batch batch = {.bytes = NULL};
    store_fixture_event(&batch, "one");
    store_fixture_event(&batch, "two");
    assert_int_equal(database_write(database, &nothing, &batch, NULL), 0);
    struct database *reader = open_as(place, DATABASE_READ);
    assert_int_equal(store_fixture_count_events(reader), 2);
    database_close(reader);
    database_close(database);
    batch_done(&batch);
}

static void a_batch_that_fails_leaves_nothing_behind_and_is_the_last(void **state)
{
    const struct store_place *place = *state;
    struct database *database = open_as(place, DATABASE_CREATE);
    struct batch batch = {.bytes = NULL};
    store_fixture_event(&batch, "good");
    store_fixture_event(&batch, NULL); /* the table wants a text */
    assert_true(database_write(database, &nothing, &batch, NULL) < 0);
    assert_int_equal(store_fixture_count_events(database), 0);
    batch_clear(&batch);
    store_fixture_event(&batch, "good");
    assert_int_equal(database_write(database, &nothing, &batch, NULL), -EX_IOERR);
    database_close(database);
    batch_done(&batch);
}

static void a_file_that_is_removed_is_written_no_more(void **state)
{
    const struct store_place *place = *state;
    struct error err = {.status = 0};
    struct database *database = open_as(place, DATABASE_CREATE);
    struct batch batch = {.bytes = NULL};
    store_fixture_event(&batch, "one");
    assert_int_equal(unlink(place->file), 0);
    assert_int_equal(database_write(database, &nothing, &batch, &err), -EX_IOERR);
    assert_non_null(strstr(err.text, "removed"));
    assert_int_equal(database_write(database, &nothing, &batch, &err), -EX_IOERR);
    database_close(database);
    batch_done(&batch);
}

/* A file whose scan never began may be used again; one that holds a scan may not. */
static void a_new_scan_does_not_overwrite_an_old_one(void **state)
{
    const struct store_place *place = *state;
    database_close(open_as(place, DATABASE_CREATE));
    struct database *database = open_as(place, DATABASE_CREATE);
    struct batch batch = {.bytes = NULL};
    batch_row(&batch, STORE_SCAN);
    for (unsigned i = 0; i < 3; i++)
        batch_text(&batch, "");
    batch_blob(&batch, NULL, 0);
    batch_text(&batch, "");
    for (unsigned i = 0; i < 5; i++)
        batch_int(&batch, 0);
    batch_text(&batch, "");
    batch_int(&batch, 0);
    assert_int_equal(database_write(database, &nothing, &batch, NULL), 0);
    database_close(database);
    batch_done(&batch);
    assert_refused(place, DATABASE_CREATE, EX_CANTCREAT, "exists");
    database_close(open_as(place, DATABASE_WRITE));
}

static void two_scans_cannot_use_one_file(void **state)
{
    const struct store_place *place = *state;
    struct database *database = open_as(place, DATABASE_CREATE);
    pid_t pid = fork(); /* flock holds between descriptions, but another process is what is meant */
    if (pid == 0) {
        struct database *second = NULL;
        _exit(-database_open(place->file, DATABASE_WRITE, &second, NULL));
    }
    int status = 0;
    waitpid(pid, &status, 0);
    assert_int_equal(WEXITSTATUS(status), EX_CANTCREAT);
    database_close(database);
}

/* Another program has the lock, and gives it back after a while. */
static pid_t lock_for_a_while(const struct store_place *place)
{
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        sqlite3 *other = NULL;
        struct timespec while_ns = {.tv_nsec = 200 * 1000000};
        bool locked = sqlite3_open(place->file, &other) == SQLITE_OK &&
                      sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK &&
                      write(ready[1], &byte, 1) == 1;
        nanosleep(&while_ns, NULL);
        sqlite3_close(other);
        _exit(locked ? 0 : 1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void who_looks_at_a_file_for_a_moment_is_waited_for(void **state)
{
    const struct store_place *place = *state;
    struct batch found = {.bytes = NULL};
    struct batch rows = {.bytes = NULL};
    struct error err = {.status = 0};
    int status = 0;
    pid_t pid = lock_for_a_while(place); /* of a file that is still empty */
    struct database *database = open_as(place, DATABASE_CREATE);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);

    pid = lock_for_a_while(place);
    store_fixture_event(&rows, "written");
    assert_int_equal(database_write(database, &found, &rows, &err), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    database_close(database);
    batch_done(&rows);
}

static void run_sql(const struct store_place *place, const char *sql)
{
    struct error err = {.status = 0};
    struct database *database = open_as(place, DATABASE_WRITE);
    struct sqlite3_stmt *query = NULL;
    assert_int_equal(database_query(database, sql, &query, &err), 0);
    assert_true(query_next(database, query, &err) >= 0);
    query_done(query);
    database_close(database);
}

static void an_older_and_a_newer_schema_are_refused(void **state)
{
    static const char *const changes[] = {"PRAGMA user_version=1", "PRAGMA user_version=99"};
    static const char *const says[] = {"version 1 of the schema", "version 99 of the schema"};
    const struct store_place *place = *state;
    for (unsigned i = 0; i < 2; i++) {
        database_close(open_as(place, DATABASE_CREATE));
        run_sql(place, changes[i]);
        assert_refused(place, DATABASE_WRITE, EX_DATAERR, says[i]);
        assert_refused(place, DATABASE_READ, EX_DATAERR, says[i]);
        assert_refused(place, DATABASE_CREATE, EX_CANTCREAT, "exists");
        assert_int_equal(unlink(place->file), 0);
    }
}

static void somebody_elses_database_is_refused(void **state)
{
    const struct store_place *place = *state;
    database_close(open_as(place, DATABASE_CREATE));
    run_sql(place, "PRAGMA application_id=1");
    assert_refused(place, DATABASE_READ, EX_DATAERR, "not of Portolan");
}

static void an_empty_file_is_said_to_be_empty(void **state)
{
    const struct store_place *place = *state;
    int fd = open(place->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && close(fd) == 0);
    assert_refused(place, DATABASE_READ, EX_DATAERR, "is empty");
    assert_refused(place, DATABASE_WRITE, EX_DATAERR, "is empty");
}

/* A table more, an index that computes something, a column of another type: nobody of ours makes them. */
static void other_tables_than_ours_are_refused(void **state)
{
    static const char *const changes[] = {"CREATE TABLE more(x)", "CREATE INDEX odd ON port(abs(port))",
                                          "DROP TABLE event"};
    const struct store_place *place = *state;
    for (unsigned i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        database_close(open_as(place, DATABASE_CREATE));
        run_sql(place, changes[i]);
        assert_refused(place, DATABASE_READ, EX_DATAERR, "other tables");
        assert_refused(place, DATABASE_WRITE, EX_DATAERR, "other tables");
        assert_int_equal(unlink(place->file), 0);
    }
}

static void what_is_no_database_is_refused_and_left_alone(void **state)
{
    const struct store_place *place = *state;
    static const char text[] =
        "This is the shopping list of somebody who likes long lists, and not a database.\n";
    FILE *file = fopen(place->file, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_refused(place, DATABASE_WRITE, EX_DATAERR, "not a store");
    assert_refused(place, DATABASE_CREATE, EX_DATAERR, "not a store");
    char read_back[sizeof text] = "";
    file = fopen(place->file, "r");
    assert_non_null(file);
    assert_int_equal(fread(read_back, 1, sizeof text - 1, file), sizeof text - 1);
    fclose(file);
    assert_string_equal(read_back, text);
}

static void a_missing_file_is_named(void **state)
{
    const struct store_place *place = *state;
    assert_refused(place, DATABASE_READ, EX_NOINPUT, place->file);
    assert_refused(place, DATABASE_WRITE, EX_NOINPUT, place->file);
}

/* Damage in the middle of the file, as a bad disk leaves it. */
static void damage_is_found(void **state)
{
    const struct store_place *place = *state;
    struct database *database = open_as(place, DATABASE_CREATE);
    struct batch batch = {.bytes = NULL};
    for (unsigned i = 0; i < 2000; i++)
        store_fixture_event(&batch, "an event that takes some room in the file");
    assert_int_equal(database_write(database, &nothing, &batch, NULL), 0);
    database_close(database);
    batch_done(&batch);
    int fd = open(place->file, O_WRONLY | O_CLOEXEC);
    char junk[4096];
    memset(junk, 0x5a, sizeof junk);
    off_t middle = lseek(fd, 0, SEEK_END) / 2 / 4096 * 4096;
    assert_int_equal(pwrite(fd, junk, sizeof junk, middle), sizeof junk);
    close(fd);
    struct error err = {.status = 0};
    struct database *damaged = open_as(place, DATABASE_WRITE);
    assert_int_equal(database_check(damaged, &err), -EX_DATAERR);
    database_close(damaged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read_again, make_place, remove_place),
        cmocka_unit_test_setup_teardown(a_batch_that_fails_leaves_nothing_behind_and_is_the_last, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(a_file_that_is_removed_is_written_no_more, make_place, remove_place),
        cmocka_unit_test_setup_teardown(a_new_scan_does_not_overwrite_an_old_one, make_place, remove_place),
        cmocka_unit_test_setup_teardown(two_scans_cannot_use_one_file, make_place, remove_place),
        cmocka_unit_test_setup_teardown(who_looks_at_a_file_for_a_moment_is_waited_for, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(an_older_and_a_newer_schema_are_refused, make_place, remove_place),
        cmocka_unit_test_setup_teardown(somebody_elses_database_is_refused, make_place, remove_place),
        cmocka_unit_test_setup_teardown(an_empty_file_is_said_to_be_empty, make_place, remove_place),
        cmocka_unit_test_setup_teardown(other_tables_than_ours_are_refused, make_place, remove_place),
        cmocka_unit_test_setup_teardown(what_is_no_database_is_refused_and_left_alone, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(a_missing_file_is_named, make_place, remove_place),
        cmocka_unit_test_setup_teardown(damage_is_found, make_place, remove_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
