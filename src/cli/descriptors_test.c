#include "cli/descriptors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* In a child, as closing nearly everything would take the test's own files. */
static int keeps_what_it_should(void)
{
    int fds[6];
    for (unsigned i = 0; i < 6; i++)
        fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int keep[] = {fds[4], -1, fds[1], STDOUT_FILENO};
    descriptors_keep_only(keep, 4);
    int kept = is_open(fds[1]) && is_open(fds[4]) && is_open(STDERR_FILENO);
    int closed = !is_open(fds[0]) && !is_open(fds[2]) && !is_open(fds[3]) && !is_open(fds[5]);
    return kept && closed;
}

static void only_what_is_listed_stays_open(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(keeps_what_it_should() ? 0 : 1);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void missing_standard_descriptors_are_held_so_that_writes_fail(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(STDOUT_FILENO);
        descriptors_hold_standard();
        _exit(is_open(STDOUT_FILENO) && write(STDOUT_FILENO, "x", 1) < 0 ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_listed_stays_open),
        cmocka_unit_test(missing_standard_descriptors_are_held_so_that_writes_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
