#include "base/descriptors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

/* As old container programs do: what they do not know is not permitted. */
static bool refuse_close_range(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 && close_range(500, 501, 0) < 0;
}

static void assert_in_a_child(int (*holds)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(holds() ? 0 : 1);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void only_what_is_listed_stays_open(void **state)
{
    (void)state;
    assert_in_a_child(keeps_what_it_should);
}

static int keeps_it_without_close_range(void)
{
    return refuse_close_range() && keeps_what_it_should();
}

static void only_what_is_listed_stays_open_where_the_kernel_refuses_ranges(void **state)
{
    (void)state;
    assert_in_a_child(keeps_it_without_close_range);
}

static int input_and_output_are_null(void)
{
    struct stat null, in, out;
    return descriptors_null_standard() == 0 && stat("/dev/null", &null) == 0 &&
           fstat(STDIN_FILENO, &in) == 0 && fstat(STDOUT_FILENO, &out) == 0 && in.st_rdev == null.st_rdev &&
           out.st_rdev == null.st_rdev;
}

static void standard_input_and_output_become_nobodys(void **state)
{
    (void)state;
    assert_in_a_child(input_and_output_are_null);
}

static int fails_without_files(void)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    int keep[] = {-1};
    return refuse_close_range() && setrlimit(RLIMIT_NOFILE, &none) == 0 &&
           descriptors_keep_only(keep, 1) == -EMFILE && descriptors_null_standard() == -EMFILE;
}

static void what_cannot_be_done_is_said(void **state)
{
    (void)state;
    assert_in_a_child(fails_without_files);
}

static int holds_standard_output(void)
{
    close(STDOUT_FILENO);
    descriptors_hold_standard();
    return is_open(STDOUT_FILENO) && write(STDOUT_FILENO, "x", 1) < 0;
}

static void missing_standard_descriptors_are_held_so_that_writes_fail(void **state)
{
    (void)state;
    assert_in_a_child(holds_standard_output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_listed_stays_open),
        cmocka_unit_test(only_what_is_listed_stays_open_where_the_kernel_refuses_ranges),
        cmocka_unit_test(standard_input_and_output_become_nobodys),
        cmocka_unit_test(what_cannot_be_done_is_said),
        cmocka_unit_test(missing_standard_descriptors_are_held_so_that_writes_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
