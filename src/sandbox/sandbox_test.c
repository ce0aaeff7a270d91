/* What each process can and cannot do in its sandbox. Each attempt is made in a process of its own, which
 * either lives to say how the call went, or is ended by the kernel with SIGSYS. */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define ENDED       300 /* no errno: the kernel ended the process with SIGSYS */
#define NOT_ENTERED 255
#define TCP_FD      20  /* a socket that was open before */
#define NEW_CALL    511 /* a number that no kernel has yet */
#define PAGE_LEN    4096
#define NUMBERS     (1 << 16)

/* In the process that is limited: 0 when it worked, or errno. */
typedef int attempt_fn(void);

static int try_in(const struct sandbox_config *config, attempt_fn *attempt)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(sandbox_enter(config, NULL, NULL) < 0 ? NOT_ENTERED : attempt());
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGSYS);
        return ENDED;
    }
    assert_int_not_equal(WEXITSTATUS(status), NOT_ENTERED);
    return WEXITSTATUS(status);
}

static int result_of(long r)
{
    return r < 0 ? errno : 0;
}

static int open_file(void)
{
    return result_of(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int create_file(void)
{
    return result_of(open("sandbox_test_file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int run_program(void)
{
    char name[] = "true";
    char *argv[] = {name, NULL};
    return result_of(execve("/bin/true", argv, NULL));
}

static int fork_process(void)
{
    return result_of(fork());
}

static int trace_parent(void)
{
    return result_of(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int signal_parent(void)
{
    return result_of(kill(getppid(), 0));
}

static int open_io_uring(void)
{
    char parameters[128] = {0};
    return result_of(syscall(SYS_io_uring_setup, 1, parameters));
}

static int use_bpf(void)
{
    return result_of(syscall(SYS_bpf, 0, NULL, 0));
}

static int make_memory_executable(void)
{
    void *memory = mmap(NULL, PAGE_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? errno : result_of(mprotect(memory, PAGE_LEN, PROT_READ | PROT_EXEC));
}

static int map_writable_and_executable(void)
{
    void *memory =
        mmap(NULL, PAGE_LEN, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? errno : 0;
}

static int type_into_terminal(void)
{
    char key = 'x';
    return result_of(ioctl(STDIN_FILENO, TIOCSTI, &key));
}

static int become_another(void)
{
    return result_of(setuid(1));
}

static int connect_socket(void)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return result_of(connect(TCP_FD, (struct sockaddr *)&to, sizeof to));
}

static int open_udp_socket(void)
{
    return result_of(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int open_packet_socket(void)
{
    return result_of(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int ask_for_the_name_of_an_interface(void)
{
    char name[IF_NAMESIZE];
    return if_indextoname(1, name) ? 0 : errno;
}

static int call_what_is_not_known_yet(void)
{
    return result_of(syscall(NEW_CALL));
}

static int clone_as_a_new_libc(void)
{
    return result_of(syscall(SYS_clone3, NULL, 0));
}

static int compare_chars(const void *a, const void *b)
{
    return *(const char *)a - *(const char *)b;
}

static int use_what_is_open(void)
{
    char byte = 0;
    char *memory = malloc(1 << 20);
    if (!memory)
        return ENOMEM;
    memset(memory, 1, 1 << 20);
    for (size_t i = 0; i < NUMBERS; i++)
        memory[i] = (char)(i * 7);
    qsort(memory, NUMBERS, sizeof memory[0], compare_chars); /* asks how much memory there is */
    free(memory);
    return result_of(read(STDIN_FILENO, &byte, 0)) || result_of(write(STDERR_FILENO, &byte, 0)) ||
           isatty(TCP_FD);
}

/* One row an attempt, and how it ends for each role. */
static const struct {
    const char *name;
    attempt_fn *attempt;
    int packets, connects, supervisor, reader, names, terminal;
} attempts[] = {
    {"open a file", open_file, ENDED, ENDED, ENDED, EACCES, 0, ENDED},
    {"create a file", create_file, ENDED, ENDED, ENDED, ENDED, ENDED, ENDED},
    {"run a program", run_program, ENDED, ENDED, ENDED, ENDED, ENDED, ENDED},
    {"fork", fork_process, ENDED, ENDED, ENDED, ENDED, ENDED, ENDED},
    {"trace the parent", trace_parent, ENDED, ENDED, ENDED, ENDED, ENDED, ENDED},
    {"signal the parent", signal_parent, ENDED, ENDED, ENDED, ENDED, ENDED, ENDED},
    {"open an io_uring", open_io_uring, ENDED, ENDED, ENDED, ENDED, ENDED, ENDED},
    {"use bpf", use_bpf, ENDED, ENDED, ENDED, ENDED, ENDED, ENDED},
    {"type into the terminal", type_into_terminal, ENDED, ENDED, ENDED, ENDED, ENDED, ENDED},
    {"become another user", become_another, ENDED, ENDED, ENDED, ENDED, ENDED, ENDED},
    {"make memory executable", make_memory_executable, ENDED, ENDED, ENDED, ENDED, 0, ENDED},
    {"map it so at once", map_writable_and_executable, ENDED, ENDED, ENDED, ENDED, ENDED, ENDED},
    {"connect", connect_socket, ENDED, ECONNREFUSED, ENDED, ENDED, ECONNREFUSED, ENDED},
    {"open a UDP socket", open_udp_socket, EACCES, 0, ENDED, ENDED, 0, ENDED},
    {"open a packet socket", open_packet_socket, EACCES, ENDED, ENDED, ENDED, ENDED, ENDED},
    {"ask for the name of an interface", ask_for_the_name_of_an_interface, ENOENT, 0, 0, 0, 0, ENDED},
    {"call a new number", call_what_is_not_known_yet, ENOSYS, ENOSYS, ENOSYS, ENOSYS, ENOSYS, ENOSYS},
    {"call clone3", clone_as_a_new_libc, ENOSYS, ENOSYS, ENOSYS, ENOSYS, ENOSYS, ENOSYS},
};

static void what_a_role_does_not_need_ends_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        const struct {
            enum sandbox_role role;
            int expected;
        } roles[] = {
            {SANDBOX_PACKETS, attempts[i].packets},       {SANDBOX_CONNECTS, attempts[i].connects},
            {SANDBOX_SUPERVISOR, attempts[i].supervisor}, {SANDBOX_NAMES, attempts[i].names},
            {SANDBOX_READER, attempts[i].reader},         {SANDBOX_TERMINAL, attempts[i].terminal},
        };
        for (size_t j = 0; j < sizeof roles / sizeof roles[0]; j++) {
            struct sandbox_config config = {.role = roles[j].role};
            int result = try_in(&config, attempts[i].attempt);
            if (result != roles[j].expected)
                fail_msg("role %d: %s: %d instead of %d", (int)roles[j].role, attempts[i].name, result,
                         roles[j].expected);
        }
    }
}

static void every_role_can_use_what_is_open(void **state)
{
    (void)state;
    for (int role = 0; role < SANDBOX_ROLE_COUNT; role++) {
        struct sandbox_config config = {.role = (enum sandbox_role)role};
        assert_int_equal(try_in(&config, use_what_is_open), 0);
    }
}

static void a_failed_assertion_is_still_told_from_a_forbidden_call(void **state)
{
    (void)state;
    struct sandbox_config config = {.role = SANDBOX_PACKETS};
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        sandbox_enter(&config, NULL, NULL);
        abort();
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* The value of a field of /proc/self/status. */
static int status_field(const char *name)
{
    char text[PAGE_LEN] = "";
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t len = read(fd, text, sizeof text - 1);
    close(fd);
    const char *field = len > 0 ? strstr(text, name) : NULL;
    return field ? (int)strtol(field + strlen(name), NULL, 10) : -1;
}

static int report_status(void)
{
    return status_field("NoNewPrivs:\t") * 10 + status_field("Seccomp:\t");
}

static void without_a_sandbox_only_gaining_privilege_is_given_up(void **state)
{
    (void)state;
    struct sandbox_config config = {.role = SANDBOX_PACKETS, .unwanted = true};
    assert_int_equal(try_in(&config, report_status), 10);
    assert_int_equal(try_in(&config, open_file), 0);
}

static void a_supervisor_may_signal_its_children_and_nobody_else(void **state)
{
    (void)state;
    pid_t parent = getpid(); /* stands for a child: what counts is that it is named */
    struct sandbox_config config = {.role = SANDBOX_SUPERVISOR, .children = &parent, .child_count = 1};
    assert_int_equal(try_in(&config, signal_parent), 0);
    pid_t other = parent + 1;
    config.children = &other;
    assert_int_equal(try_in(&config, signal_parent), ENDED);
}

/* What SQLite does with its files: locks, writes at places, cuts, makes its journal and syncs the
 * directory. */
static int keep_a_store(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat status;
    int directory = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = open("store", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || directory < 0 || fcntl(fd, F_SETLK, &lock) || pwrite(fd, "bytes", 5, 0) != 5 ||
        ftruncate(fd, 3) || fdatasync(fd) || fsync(directory) || stat("store", &status) || unlink("store"))
        return errno;
    return 0;
}

static void *write_in_thread(void *unused)
{
    (void)unused;
    void *memory = malloc(1 << 20);
    bool wrote = memory && open("from_thread", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0 &&
                 unlink("from_thread") == 0;
    free(memory);
    return wrote ? memory : NULL;
}

static int start_thread(void)
{
    pthread_t thread;
    void *result = NULL;
    int error = pthread_create(&thread, NULL, write_in_thread, NULL);
    if (error == 0)
        error = pthread_join(thread, &result);
    return error ? error : result ? 0 : EIO;
}

static int open_outside(void)
{
    return result_of(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int create_outside(void)
{
    return result_of(open("../sandbox_test_file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int make_directory(void)
{
    return result_of(mkdir("below", 0700));
}

static void a_store_is_kept_in_its_directory_and_nowhere_else(void **state)
{
    (void)state;
    char path[] = "/tmp/sandbox_test_XXXXXX";
    assert_non_null(mkdtemp(path));
    assert_int_equal(chdir(path), 0);
    struct sandbox_config config = {.role = SANDBOX_STORE, .directory = path};
    assert_int_equal(try_in(&config, keep_a_store), 0);
    assert_int_equal(try_in(&config, start_thread), 0);
    assert_int_equal(try_in(&config, open_outside), EACCES);
    assert_int_equal(try_in(&config, create_outside), EACCES);
    assert_int_equal(try_in(&config, make_directory), ENDED);
    assert_int_equal(try_in(&config, fork_process), ENDED);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(path), 0);
}

static int open_to_change(void)
{
    return result_of(open("store", O_RDWR | O_CLOEXEC));
}

static int open_store(void)
{
    return result_of(open("store", O_RDONLY | O_CLOEXEC)) ||
           result_of(open("store-wal", O_RDONLY | O_CLOEXEC));
}

static void who_looks_at_a_store_reads_it_and_nothing_else(void **state)
{
    (void)state;
    char path[] = "/tmp/sandbox_test_XXXXXX";
    assert_non_null(mkdtemp(path));
    assert_int_equal(chdir(path), 0);
    close(open("store", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    close(open("store-wal", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    const char *const stores[] = {"store"};
    struct sandbox_config config = {.role = SANDBOX_READER, .stores = stores, .store_count = 1};
    assert_int_equal(try_in(&config, open_store), 0);
    assert_int_equal(try_in(&config, open_to_change), EACCES);
    assert_int_equal(try_in(&config, open_outside), EACCES);
    assert_int_equal(unlink("store") || unlink("store-wal"), 0);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(path), 0);
}

static int open_own_memory(void)
{
    return result_of(open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
}

static void the_name_process_reads_no_files_but_the_systems(void **state)
{
    (void)state;
    struct sandbox_config config = {.role = SANDBOX_NAMES};
    assert_int_equal(try_in(&config, open_own_memory), EACCES);
}

static void what_holds_is_said(void **state)
{
    (void)state;
    struct sandbox_state possible = sandbox_possible();
    char text[SANDBOX_TEXT_MAX];
    assert_int_equal(possible.calls, SANDBOX_ON);
    assert_int_equal(possible.files, SANDBOX_ON);
    sandbox_describe(&possible, text);
    assert_non_null(strstr(text, "system calls are limited, files are limited (Landlock "));
    struct sandbox_state missing = {.calls = SANDBOX_ON, .files = SANDBOX_MISSING};
    sandbox_describe(&missing, text);
    assert_string_equal(text, "system calls are limited, files are not limited (this kernel cannot)");
}

int main(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || dup2(fd, TCP_FD) < 0)
        return EXIT_FAILURE;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_role_does_not_need_ends_it),
        cmocka_unit_test(every_role_can_use_what_is_open),
        cmocka_unit_test(a_failed_assertion_is_still_told_from_a_forbidden_call),
        cmocka_unit_test(without_a_sandbox_only_gaining_privilege_is_given_up),
        cmocka_unit_test(a_supervisor_may_signal_its_children_and_nobody_else),
        cmocka_unit_test(a_store_is_kept_in_its_directory_and_nowhere_else),
        cmocka_unit_test(who_looks_at_a_store_reads_it_and_nothing_else),
        cmocka_unit_test(the_name_process_reads_no_files_but_the_systems),
        cmocka_unit_test(what_holds_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
