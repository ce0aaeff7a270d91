#include "cli/supervisor/sink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LINES 100000 /* of 8 bytes: more than a pipe holds */

static void what_is_written_arrives(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct sink *sink = NULL;
    FILE *file = sink_open(fds[1], &sink);
    assert_non_null(file);
    fputs("abc", file);
    assert_int_equal(fflush(file), 0);
    assert_int_equal(sink_error(sink), 0);
    char text[4] = "";
    assert_int_equal(read(fds[0], text, 3), 3);
    assert_string_equal(text, "abc");
    assert_int_equal(fclose(file), 0);
    assert_int_equal(read(fds[0], text, 3), 0);
    close(fds[0]);
}

static void the_reason_of_a_failure_is_kept(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    struct sink *sink = NULL;
    FILE *file = sink_open(fd, &sink);
    assert_non_null(file);
    fputs("abc", file);
    assert_int_not_equal(fflush(file), 0);
    errno = 0;
    assert_true(ferror(file));
    assert_int_equal(sink_error(sink), ENOSPC);
    fclose(file);
}

static int error_of_file(bool removed_before, bool removed_after)
{
    char path[] = "/tmp/portolan-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    if (removed_before)
        assert_int_equal(unlink(path), 0);
    struct sink *sink = NULL;
    FILE *file = sink_open(fd, &sink);
    assert_non_null(file);
    fputs("abc", file);
    if (removed_after)
        assert_int_equal(unlink(path), 0);
    fflush(file);
    sink_drain(sink);
    int error = sink_error(sink);
    fclose(file);
    if (!removed_before && !removed_after)
        unlink(path);
    return error;
}

static void a_file_that_loses_its_name_is_lost(void **state)
{
    (void)state;
    assert_int_equal(error_of_file(false, true), ENOENT);
    assert_int_equal(error_of_file(false, false), 0);
}

static void a_file_that_never_had_a_name_needs_none(void **state)
{
    (void)state;
    assert_int_equal(error_of_file(true, false), 0);
}

static void a_reader_that_does_not_read_keeps_nobody_waiting(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct sink *sink = NULL;
    FILE *file = sink_open(fds[1], &sink);
    assert_non_null(file);
    assert_int_equal(sink_waiting_fd(sink), -1);
    for (int i = 0; i < LINES; i++)
        assert_true(fprintf(file, "%07d\n", i) > 0);
    assert_int_equal(fflush(file), 0);
    assert_int_equal(sink_waiting_fd(sink), fds[1]);

    for (int i = 0; i < LINES; i++) {
        char line[9] = "";
        sink_flush(sink);
        assert_int_equal(read(fds[0], line, 8), 8);
        assert_int_equal(strtol(line, NULL, 10), i);
    }
    assert_int_equal(sink_waiting_fd(sink), -1);
    assert_int_equal(sink_error(sink), 0);
    fclose(file);
    close(fds[0]);
}

static void waiting_ends_when_a_signal_wants_it(void **state)
{
    (void)state;
    int fds[2];
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    assert_int_equal(sigprocmask(SIG_BLOCK, &signals, NULL), 0);
    assert_int_equal(pipe(fds), 0);
    struct sink *sink = NULL;
    FILE *file = sink_open(fds[1], &sink);
    assert_non_null(file);
    for (int i = 0; i < LINES; i++)
        fprintf(file, "%07d\n", i);
    fflush(file);
    raise(SIGTERM);
    sink_drain(sink);
    assert_int_equal(sink_error(sink), ENOBUFS);
    int number = 0;
    assert_int_equal(sigwait(&signals, &number), 0);
    fclose(file);
    close(fds[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_arrives),
        cmocka_unit_test(the_reason_of_a_failure_is_kept),
        cmocka_unit_test(a_file_that_loses_its_name_is_lost),
        cmocka_unit_test(a_file_that_never_had_a_name_needs_none),
        cmocka_unit_test(a_reader_that_does_not_read_keeps_nobody_waiting),
        cmocka_unit_test(waiting_ends_when_a_signal_wants_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
