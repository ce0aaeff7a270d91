/* Giving up privilege, each time in a process of its own. Most of it can be shown only as root. */
#include "sandbox/caps.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "sandbox/sanitizers.h"

#define USER  12345
#define GROUP 54321

/* In the child, where an assertion of cmocka's would go on with the parent's next test. */
static void check(bool holds, const char *condition, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: %s\n", __FILE__, line, condition);
    _exit(EXIT_FAILURE);
}
#define CHECK(condition) check(condition, #condition, __LINE__)

static void in_child(void (*body)(void))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        body();
        _exit(EXIT_SUCCESS);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_SUCCESS);
}

static void in_child_of_root(void (*body)(void))
{
    if (geteuid() != 0)
        skip();
    in_child(body);
}

/* The capability set of that name in /proc/self/status. */
static unsigned long long set_of_process(const char *name)
{
    unsigned long long value = ~0ull;
    char line[256];
    FILE *file = fopen("/proc/thread-self/status", "re");
    CHECK(file);
    while (fgets(line, sizeof line, file))
        if (!strncmp(line, name, strlen(name)))
            value = strtoull(line + strlen(name) + 1, NULL, 16);
    fclose(file);
    return value;
}

/* ... nor is memory shown to others, or written to a core file. */
static void check_no_capabilities(void)
{
    CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 || sanitizers_present());
    CHECK(set_of_process("CapPrm") == 0);
    CHECK(set_of_process("CapEff") == 0);
    CHECK(set_of_process("CapInh") == 0);
    CHECK(set_of_process("CapAmb") == 0);
}

static bool raw_socket_opens(void)
{
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void set_sudo(const char *user, const char *group)
{
    unsetenv("SUDO_UID");
    unsetenv("SUDO_GID");
    CHECK(!user || !setenv("SUDO_UID", user, 1));
    CHECK(!group || !setenv("SUDO_GID", group, 1));
}

static void check_is_user(uid_t uid, gid_t gid)
{
    uid_t uids[3];
    gid_t gids[3];
    CHECK(!getresuid(&uids[0], &uids[1], &uids[2]) && !getresgid(&gids[0], &gids[1], &gids[2]));
    for (int i = 0; i < 3; i++)
        CHECK(uids[i] == uid && gids[i] == gid);
}

static void drop_behind_sudo(void)
{
    const gid_t groups[] = {1, 2, 3};
    CHECK(!setgroups(3, groups));
    set_sudo("12345", "54321");
    CHECK(caps_drop_all(NULL) == 0);
    check_is_user(USER, GROUP);
    CHECK(getgroups(0, NULL) == 0);
    check_no_capabilities();
    CHECK(set_of_process("CapBnd") == 0);
    CHECK(!raw_socket_opens());
    CHECK(setuid(0) < 0);
}

static void root_behind_sudo_becomes_the_invoking_user(void **state)
{
    (void)state;
    in_child_of_root(drop_behind_sudo);
}

static void drop_as_root(void)
{
    set_sudo(NULL, NULL);
    CHECK(caps_drop_all(NULL) == 0);
    check_is_user(0, 0);
    check_no_capabilities();
    CHECK(set_of_process("CapBnd") == 0);
    CHECK(!raw_socket_opens());
    CHECK(open("output", O_WRONLY | O_CREAT | O_CLOEXEC, 0644) < 0);
}

/* In a private directory of somebody else's. */
static void drop_as_root_elsewhere(void)
{
    char path[] = "/tmp/caps_test_XXXXXX";
    CHECK(mkdtemp(path) && !chdir(path) && !chown(path, USER, GROUP));
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        drop_as_root();
        _exit(EXIT_SUCCESS);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && !rmdir(path));
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
}

static void root_alone_stays_user_0_without_a_capability(void **state)
{
    (void)state;
    in_child_of_root(drop_as_root_elsewhere);
}

static void drop_for_root_behind_sudo(void)
{
    set_sudo("0", "0");
    CHECK(caps_drop_all(NULL) == 0);
    check_is_user(0, 0);
    check_no_capabilities();
}

static void root_that_ran_sudo_stays_user_0(void **state)
{
    (void)state;
    in_child_of_root(drop_for_root_behind_sudo);
}

static void refuse_wrong_numbers(void)
{
    const char *const wrong[] = {"",   "abc",  "-1",  "+1",         " 1",          "1 ",
                                 "1x", "0x10", "1.0", "4294967295", "99999999999", "18446744073709551617"};
    struct error error;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        set_sudo(wrong[i], "1000");
        CHECK(caps_drop_all(&error) == -EX_USAGE && strstr(error.text, "SUDO_UID"));
        set_sudo("1000", wrong[i]);
        CHECK(caps_drop_all(&error) == -EX_USAGE && strstr(error.text, "SUDO_GID"));
    }
    set_sudo("1000", NULL);
    CHECK(caps_drop_all(&error) == -EX_USAGE && strstr(error.text, "SUDO_GID"));
    set_sudo(NULL, "1000");
    CHECK(caps_drop_all(&error) == -EX_USAGE && strstr(error.text, "SUDO_UID"));
    check_is_user(0, 0);
}

static void numbers_from_sudo_are_not_trusted(void **state)
{
    (void)state;
    in_child_of_root(refuse_wrong_numbers);
}

static void drop_as_set_user_id_program(void)
{
    set_sudo("777", "777"); /* anybody could have said so */
    CHECK(!setresgid(GROUP, 0, 0) && !setresuid(USER, 0, 0));
    CHECK(caps_drop_all(NULL) == 0);
    check_is_user(USER, GROUP);
    check_no_capabilities();
    CHECK(setuid(0) < 0);
}

static void a_set_user_id_program_becomes_its_caller(void **state)
{
    (void)state;
    in_child_of_root(drop_as_set_user_id_program);
}

/* An ordinary user with CAP_NET_RAW permitted and nothing effective, as a program marked cap_net_raw+p
 * starts. */
static void become_user_with_net_raw(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{.permitted = 1u << CAP_NET_RAW}, {0}};
    CHECK(!prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
    CHECK(!setgroups(0, NULL) && !setresgid(GROUP, GROUP, GROUP) && !setresuid(USER, USER, USER));
    CHECK(!syscall(SYS_capset, &header, data));
}

static void raise_and_lower(void)
{
    set_sudo("1000", "1000"); /* means nothing to a user who is not root */
    become_user_with_net_raw();
    CHECK(caps_have_net_raw() && !raw_socket_opens());
    CHECK(caps_raise_net_raw(NULL) == 0);
    CHECK(raw_socket_opens());
    CHECK(set_of_process("CapEff") == 1ull << CAP_NET_RAW);
    caps_lower_net_raw();
    CHECK(caps_have_net_raw() && !raw_socket_opens());

    CHECK(caps_raise_net_raw(NULL) == 0);
    CHECK(caps_drop_all(NULL) == 0);
    check_is_user(USER, GROUP);
    check_no_capabilities();
    CHECK(!caps_have_net_raw() && !raw_socket_opens());
    CHECK(caps_raise_net_raw(NULL) == -EX_NOPERM);
}

static void net_raw_works_only_while_it_is_raised(void **state)
{
    (void)state;
    in_child_of_root(raise_and_lower);
}

static void drop_without_privilege(void)
{
    if (geteuid() == 0)
        CHECK(!setresgid(GROUP, GROUP, GROUP) && !setresuid(USER, USER, USER));
    uid_t uid = getuid();
    gid_t gid = getgid();
    struct error error;
    set_sudo("0", "0");
    CHECK(!caps_have_net_raw());
    CHECK(caps_raise_net_raw(&error) == -EX_NOPERM && strstr(error.text, "setcap cap_net_raw"));
    caps_lower_net_raw();
    CHECK(caps_drop_all(NULL) == 0);
    check_is_user(uid, gid);
    check_no_capabilities();
}

static void an_ordinary_user_has_nothing_to_drop(void **state)
{
    (void)state;
    in_child(drop_without_privilege);
}

static void drop_in_namespace(void)
{
    char map[64];
    snprintf(map, sizeof map, "0 %u 1", geteuid());
    CHECK(!unshare(CLONE_NEWUSER | CLONE_NEWNET));
    int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0 && write(fd, map, strlen(map)) == (ssize_t)strlen(map));
    close(fd);
    set_sudo("1000", "1000"); /* have no number in here */
    CHECK(raw_socket_opens());
    CHECK(caps_drop_all(NULL) == 0);
    CHECK(getuid() == 0 && geteuid() == 0);
    check_no_capabilities();
    CHECK(set_of_process("CapBnd") == 0);
    CHECK(!raw_socket_opens());
}

static void root_of_a_namespace_without_the_invoking_user_stays(void **state)
{
    (void)state;
    in_child(drop_in_namespace);
}

static void give_up_gaining(void)
{
    CHECK(caps_no_new_privs(NULL) == 0);
    CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

static void no_privilege_can_be_gained_afterwards(void **state)
{
    (void)state;
    in_child(give_up_gaining);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_behind_sudo_becomes_the_invoking_user),
        cmocka_unit_test(root_alone_stays_user_0_without_a_capability),
        cmocka_unit_test(root_that_ran_sudo_stays_user_0),
        cmocka_unit_test(numbers_from_sudo_are_not_trusted),
        cmocka_unit_test(a_set_user_id_program_becomes_its_caller),
        cmocka_unit_test(net_raw_works_only_while_it_is_raised),
        cmocka_unit_test(an_ordinary_user_has_nothing_to_drop),
        cmocka_unit_test(root_of_a_namespace_without_the_invoking_user_stays),
        cmocka_unit_test(no_privilege_can_be_gained_afterwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
