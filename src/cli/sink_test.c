#include "cli/sink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_arrives),
        cmocka_unit_test(the_reason_of_a_failure_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
