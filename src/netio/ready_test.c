#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "netio/clock.h"
#include "netio/ready.h"

#define KEY 7

/* An epoll descriptor that watches the reading end of a pipe; its writing end. */
static int watch_pipe(int *ret_writer)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    assert_true(epoll_fd >= 0);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = KEY};
    assert_int_equal(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, ends[0], &event), 0);
    *ret_writer = ends[1];
    return epoll_fd;
}

/* From here on epoll_pwait2 fails in this process, with this error. */
static void take_away(uint32_t error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_pwait2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {.len = sizeof code / sizeof code[0], .filter = code};
    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) < 0) {
        struct epoll_event event;
        errno = 0;
        int count = epoll_pwait2(-1, &event, 1, NULL, NULL);
        assert_true(count == -1 && errno == ENOSYS); /* an emulator has neither filters nor this call */
    }
}

static void wait_with_all_outcomes(void)
{
    int writer;
    int epoll_fd = watch_pipe(&writer);
    struct epoll_event events[2];
    int64_t start_ns = clock_monotonic_ns();
    assert_int_equal(ready_wait(epoll_fd, events, 2, 0), 0);
    assert_int_equal(ready_wait(epoll_fd, events, 2, 20 * MSEC + 1), 0);
    assert_true(clock_monotonic_ns() - start_ns > 20 * MSEC);
    assert_int_equal(write(writer, "x", 1), 1);
    assert_int_equal(ready_wait(epoll_fd, events, 2, 3600 * SEC), 1);
    assert_int_equal(events[0].data.u64, KEY);
}

static void it_ends_with_the_time_or_with_what_is_ready(void **state)
{
    (void)state;
    wait_with_all_outcomes();
}

static void without_the_newest_call(uint32_t error)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        take_away(error);
        wait_with_all_outcomes();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void it_does_the_same_where_the_kernel_lacks_the_newest_call(void **state)
{
    (void)state;
    without_the_newest_call(ENOSYS);
}

static void it_does_the_same_where_a_container_forbids_the_newest_call(void **state)
{
    (void)state;
    without_the_newest_call(EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_ends_with_the_time_or_with_what_is_ready),
        cmocka_unit_test(it_does_the_same_where_the_kernel_lacks_the_newest_call),
        cmocka_unit_test(it_does_the_same_where_a_container_forbids_the_newest_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
