/* One table says it all: a row for each system call, with the processes that may make it and what its
 * arguments must be.
 *
 * The table names what glibc makes of our calls on x86-64 and on arm64, in Debian 12 and 13; a row that an
 * architecture does not have does nothing there. A number that is newer than the installed libseccomp is
 * answered with ENOSYS, so that a newer libc falls back to what it did before; so is clone3, whose flags no
 * filter can see. */
#include "sandbox/calls.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define NEW_FIRST 424 /* from here on all architectures number new calls alike */
#define NEW_LAST  511

#define ROLE(name) (1u << SANDBOX_##name)
#define ALL        ((1u << SANDBOX_ROLE_COUNT) - 1)
#define PACKETS    (ROLE(PACKETS) | ROLE(TRANSMITS) | ROLE(CONNECTS))
#define TRANSMITS  ROLE(TRANSMITS)
#define CONNECTS   ROLE(CONNECTS)
#define STORE      ROLE(STORE)
#define SUPERVISOR (ROLE(SUPERVISOR) | STORE)
#define READER     ROLE(READER)
#define NAMES      ROLE(NAMES)
#define TERMINAL   (SUPERVISOR | ROLE(TERMINAL))

/* A call is allowed when this argument, under the mask, has this value. Mask 0: whatever it is. */
struct call {
    const char *name;
    unsigned roles;
    unsigned argument;
    uint64_t mask, value;
};

#define WHOLE UINT32_MAX

static const struct call calls[] = {
    /* What is open. */
    {"read", ALL, 0, 0, 0},
    {"readv", ALL, 0, 0, 0},
    {"write", ALL, 0, 0, 0},
    {"writev", ALL, 0, 0, 0},
    {"lseek", ALL, 0, 0, 0},
    {"close", ALL, 0, 0, 0},
    {"fstat", ALL, 0, 0, 0},
    {"newfstatat", ALL & ~(NAMES | STORE | READER), 3, AT_EMPTY_PATH, AT_EMPTY_PATH},
    {"poll", ALL, 0, 0, 0},
    {"ppoll", ALL, 0, 0, 0},
    {"pread64", PACKETS | STORE | READER | NAMES, 0, 0, 0},

    /* Memory, but none that could be run. */
    {"brk", ALL, 0, 0, 0},
    {"mmap", ALL, 2, PROT_EXEC, 0},
    {"mprotect", ALL, 2, PROT_EXEC, 0},
    {"munmap", ALL, 0, 0, 0},
    {"mremap", ALL, 0, 0, 0},
    {"madvise", ALL, 0, 0, 0},

    /* Time, chance, this process itself and its end. */
    {"clock_gettime", ALL, 0, 0, 0},
    {"clock_getres", ALL, 0, 0, 0},
    {"gettimeofday", ALL, 0, 0, 0},
    {"time", ALL, 0, 0, 0},
    {"nanosleep", ALL, 0, 0, 0},
    {"clock_nanosleep", ALL, 0, 0, 0},
    {"restart_syscall", ALL, 0, 0, 0},
    {"sched_yield", ALL, 0, 0, 0},
    {"futex", ALL, 0, 0, 0},
    {"membarrier", ALL, 0, 0, 0},
    {"rseq", ALL, 0, 0, 0},
    {"set_robust_list", ALL, 0, 0, 0},
    {"getrandom", ALL, 0, 0, 0},
    {"sysinfo", ALL, 0, 0, 0}, /* qsort asks how much memory there is */
    {"getpid", ALL, 0, 0, 0},
    {"gettid", ALL, 0, 0, 0},
    {"getppid", ALL, 0, 0, 0},
    {"rt_sigaction", ALL, 0, 0, 0},
    {"rt_sigprocmask", ALL, 0, 0, 0},
    {"rt_sigreturn", ALL, 0, 0, 0},
    {"sigaltstack", ALL, 0, 0, 0},
    {"exit", ALL, 0, 0, 0},
    {"exit_group", ALL, 0, 0, 0},

    /* Packets and datagrams through sockets that are there. */
    {"sendto", PACKETS | NAMES, 0, 0, 0},
    {"sendto", SUPERVISOR, 4, UINT64_MAX, 0}, /* to the one at the other end */
    {"sendmsg", PACKETS | NAMES, 0, 0, 0},
    {"sendmmsg", PACKETS | NAMES, 0, 0, 0},
    {"recvfrom", PACKETS | NAMES | SUPERVISOR, 0, 0, 0},
    {"recvmsg", PACKETS | NAMES, 0, 0, 0},
    {"recvmmsg", PACKETS | NAMES, 0, 0, 0},
    {"getsockopt", PACKETS | NAMES, 0, 0, 0},

    /* Sockets of one's own. */
    {"socket", CONNECTS | NAMES, 0, WHOLE, AF_INET},
    {"socket", CONNECTS | NAMES, 0, WHOLE, AF_INET6},
    {"socket", NAMES, 0, WHOLE, AF_NETLINK}, /* which families of addresses does this machine have? */
    {"socket", NAMES, 0, WHOLE, AF_UNIX},    /* to the system's name services */
    {"connect", CONNECTS | NAMES, 0, 0, 0},
    {"bind", PACKETS | NAMES, 0, 0, 0}, /* frames go out of the link that their socket is bound to */
    {"shutdown", CONNECTS | NAMES, 0, 0, 0},
    {"setsockopt", CONNECTS | NAMES, 0, 0, 0},
    {"getsockname", CONNECTS | NAMES, 0, 0, 0},
    {"getpeername", CONNECTS | NAMES, 0, 0, 0},
    {"epoll_create1", NAMES, 0, 0, 0},
    {"epoll_ctl", CONNECTS | NAMES, 0, 0, 0},
    {"epoll_wait", CONNECTS | NAMES, 0, 0, 0},
    {"epoll_pwait", CONNECTS | NAMES, 0, 0, 0},
    {"epoll_pwait2", CONNECTS | NAMES, 0, 0, 0},

    /* The name of an interface, in link-local addresses: asked through a socket that leads nowhere. */
    {"socket", SUPERVISOR | READER, 0, WHOLE, AF_UNIX},
    {"ioctl", SUPERVISOR | READER | CONNECTS | NAMES, 1, WHOLE, SIOCGIFNAME},
    {"ioctl", SUPERVISOR | READER | NAMES, 1, WHOLE, SIOCGIFINDEX}, /* and back, as a store has them */

    /* The terminal: looked at and set, but nothing typed into it (TIOCSTI). */
    {"ioctl", ALL, 1, WHOLE, TCGETS}, /* stdio asks whether a file is one */
    {"ioctl", TERMINAL, 1, WHOLE, TCGETS2},
    {"ioctl", TERMINAL, 1, WHOLE, TCSETS},
    {"ioctl", TERMINAL, 1, WHOLE, TCSETSW},
    {"ioctl", TERMINAL, 1, WHOLE, TCSETS2},
    {"ioctl", TERMINAL, 1, WHOLE, TCSETSW2},
    {"ioctl", SUPERVISOR, 1, WHOLE, TIOCGPGRP},
    {"ioctl", SUPERVISOR | READER, 1, WHOLE, TIOCGWINSZ},
    {"getpgrp", SUPERVISOR, 0, 0, 0},
    {"getpgid", SUPERVISOR, 0, 0, 0},

    /* Children, which calls_limit names for kill. */
    {"wait4", SUPERVISOR, 0, 0, 0},
    {"waitid", SUPERVISOR, 0, 0, 0},

    /* The thread that writes the store, or the one that transmits; but no process. */
    {"clone", STORE | TRANSMITS, 0, CLONE_THREAD, CLONE_THREAD},
    {"setpriority", STORE, 0, WHOLE, PRIO_PROCESS}, /* which steps back behind whoever scans */
    {"bpf", TRANSMITS, 0, WHOLE, BPF_PROG_TEST_RUN},
    {"sched_setaffinity", TRANSMITS, 0, WHOLE, 0}, /* its own */

    /* Files. Where Landlock exists it says which; without it, the rights of the user do. */
    {"rt_sigpending", SUPERVISOR | READER, 0, 0, 0},
    {"fsync", SUPERVISOR, 0, 0, 0},
    {"fdatasync", SUPERVISOR, 0, 0, 0},
    {"openat", STORE, 0, 0, 0},
    {"openat", READER | NAMES, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY},
    {"open", STORE, 0, 0, 0},
    {"open", READER | NAMES, 1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY},
    {"newfstatat", STORE | READER | NAMES, 0, 0, 0},
    {"stat", STORE | READER | NAMES, 0, 0, 0},
    {"lstat", STORE | READER | NAMES, 0, 0, 0},
    {"statx", STORE | READER | NAMES, 0, 0, 0},
    {"access", STORE | READER | NAMES, 0, 0, 0},
    {"faccessat", STORE | READER | NAMES, 0, 0, 0},
    {"faccessat2", STORE | READER | NAMES, 0, 0, 0},
    {"readlink", STORE | READER | NAMES, 0, 0, 0},
    {"readlinkat", STORE | READER | NAMES, 0, 0, 0},
    {"getdents64", STORE | NAMES, 0, 0, 0},
    {"getcwd", STORE | READER | NAMES, 0, 0, 0},
    {"pwrite64", STORE, 0, 0, 0},
    {"ftruncate", STORE | READER, 0, 0, 0},
    {"fallocate", STORE, 0, 0, 0},
    {"fadvise64", STORE | READER, 0, 0, 0},
    {"unlink", STORE, 0, 0, 0},
    {"unlinkat", STORE, 0, 0, 0},
    {"fchmod", STORE, 0, 0, 0},
    {"fchown", STORE, 0, 0, 0},
    {"utimensat", STORE, 0, 0, 0},
    {"flock", STORE | READER, 0, 0, 0},
    {"statfs", STORE | READER, 0, 0, 0},
    {"fstatfs", STORE | READER, 0, 0, 0},
    {"fcntl", STORE | READER, 1, WHOLE, F_GETLK},
    {"fcntl", STORE | READER, 1, WHOLE, F_SETLK},
    {"fcntl", STORE | READER, 1, WHOLE, F_SETLKW},
    {"fcntl", STORE | READER, 1, WHOLE, F_OFD_GETLK},
    {"fcntl", STORE | READER, 1, WHOLE, F_OFD_SETLK},
    {"fcntl", SUPERVISOR | READER | NAMES, 1, WHOLE, F_GETFD},
    {"fcntl", SUPERVISOR | READER | NAMES, 1, WHOLE, F_SETFD},
    {"fcntl", SUPERVISOR | READER | NAMES, 1, WHOLE, F_GETFL},
    {"fcntl", SUPERVISOR | READER | NAMES, 1, WHOLE, F_SETFL},
    {"fcntl", SUPERVISOR | READER | NAMES, 1, WHOLE, F_DUPFD_CLOEXEC},

    /* Whatever else the modules of the system's name service need, which libc loads when it is first
     * asked. */
    {"mmap", NAMES, 2, PROT_WRITE, 0},
    {"mprotect", NAMES, 2, PROT_WRITE, 0},
    {"ioctl", NAMES, 1, WHOLE, FIONREAD},
    {"ioctl", NAMES, 1, WHOLE, FIONBIO},
    {"uname", STORE | READER | NAMES, 0, 0, 0},
    {"sched_getaffinity", STORE | READER | NAMES, 0, 0, 0},
    {"eventfd2", NAMES, 0, 0, 0},
    {"pipe2", NAMES, 0, 0, 0},
    {"timerfd_create", NAMES, 0, 0, 0},
    {"timerfd_settime", NAMES, 0, 0, 0},
    {"getuid", STORE | READER | NAMES, 0, 0, 0},
    {"geteuid", STORE | READER | NAMES, 0, 0, 0},
    {"getgid", STORE | READER | NAMES, 0, 0, 0},
    {"getegid", STORE | READER | NAMES, 0, 0, 0},
};

/* A rule for a call by its number. libseccomp passes over what this architecture does not have. */
static int add(scmp_filter_ctx filter, uint32_t action, int number, const struct scmp_arg_cmp *condition)
{
    assert(number != __NR_SCMP_ERROR); /* a name in the table is misspelled */
    return seccomp_rule_add_array(filter, action, number, condition ? 1 : 0, condition);
}

static struct scmp_arg_cmp compare(unsigned argument, uint64_t mask, uint64_t value)
{
    return SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, mask, value);
}

static int add_table(scmp_filter_ctx filter, enum sandbox_role role)
{
    int r = 0;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0] && r == 0; i++) {
        const struct call *call = &calls[i];
        if (!(call->roles & (1u << role)))
            continue;
        struct scmp_arg_cmp condition = compare(call->argument, call->mask, call->value);
        r = add(filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(call->name),
                call->mask ? &condition : NULL);
    }
    return r;
}

/* Signals to this process, as abort() sends them, and to its children. */
static int add_signals(scmp_filter_ctx filter, const pid_t *children, size_t child_count)
{
    struct scmp_arg_cmp self = compare(0, WHOLE, (uint64_t)getpid());
    int r = add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), &self);
    for (size_t i = 0; i < child_count && r == 0; i++) {
        struct scmp_arg_cmp child = compare(0, WHOLE, (uint64_t)children[i]);
        r = children[i] > 0 ? add(filter, SCMP_ACT_ALLOW, SCMP_SYS(kill), &child) : 0;
    }
    return r;
}

/* What fails instead of being deadly. A packet process asks for the name of an interface as the supervisor
 * does, to print an address; it gets none, and prints a number. SQLite tries to open what is beside a store
 * for writing, or, as root, to give it to the owner of the store, and then reads it. */
static int add_refused(scmp_filter_ctx filter, enum sandbox_role role)
{
    struct scmp_arg_cmp local = compare(0, WHOLE, AF_UNIX);
    struct scmp_arg_cmp change = compare(2, O_ACCMODE, O_RDWR);
    int r = add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), NULL);
    if (r == 0 && role == SANDBOX_READER)
        r = add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), &change);
    if (r == 0 && role == SANDBOX_READER)
        r = add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(fchown), NULL);
    if (r == 0 && (PACKETS & (1u << role)))
        r = add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), role == SANDBOX_CONNECTS ? &local : NULL);
    for (int number = NEW_FIRST; number <= NEW_LAST && r == 0; number++) {
        char *known = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
        r = known ? 0 : add(filter, SCMP_ACT_ERRNO(ENOSYS), number, NULL);
        free(known);
    }
    return r;
}

bool calls_filter_exists(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

int calls_limit(enum sandbox_role role, const pid_t *children, size_t child_count, struct error *err)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!filter)
        return error_set(err, EX_OSERR, "out of memory");
    /* A tree instead of a long list: what is asked thousands of times a second costs a few comparisons. */
    int r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (r == 0)
        r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (r == 0)
        r = add_table(filter, role);
    if (r == 0)
        r = add_signals(filter, children, child_count);
    if (r == 0)
        r = add_refused(filter, role);
    if (r == 0)
        r = seccomp_load(filter);
    seccomp_release(filter);
    return r < 0 ? error_set(err, EX_OSERR, "cannot limit the system calls of this process: %s", strerror(-r))
                 : 0;
}
