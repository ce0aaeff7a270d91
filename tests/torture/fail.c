/* Loaded before libc (LD_PRELOAD): lets one call fail, the n-th of its name in all processes of a scan
 * together.
 *   TORTURE_CALL   its name, as below; "malloc" is calloc and realloc too
 *   TORTURE_NTH    which one; 0: none, only count
 *   TORTURE_HOW    an errno; or -1: it does only part of its work (the first byte)
 *   TORTURE_STATE  a file of two 64-bit numbers: how many calls there were, and how many failed */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define SHORT (-1)

struct state {
    _Atomic uint64_t calls, failed;
};

static struct state *state; /* shared by all processes; NULL: not yet, or not at all */
static const char *call_name;
static uint64_t nth;
static int how;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("TORTURE_STATE");
    const char *number = getenv("TORTURE_NTH");
    const char *kind = getenv("TORTURE_HOW");
    call_name = getenv("TORTURE_CALL");
    if (!path || !number || !kind || !call_name)
        return;
    nth = strtoull(number, NULL, 10);
    how = (int)strtol(kind, NULL, 10);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    void *memory =
        fd < 0 ? MAP_FAILED
               : (void *)syscall(SYS_mmap, NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    unsetenv("LD_PRELOAD"); /* what the scan runs is not tortured */
    state = memory == MAP_FAILED ? NULL : memory;
}

/* Is this the one? If so it fails, and errno is set. */
static bool strikes(const char *name)
{
    if (!state || strcmp(name, call_name) != 0 || atomic_fetch_add(&state->calls, 1) + 1 != nth)
        return false;
    atomic_fetch_add(&state->failed, 1);
    errno = how == SHORT ? 0 : how;
    return true;
}

#define NEXT(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

/* NOLINTBEGIN(bugprone-macro-parentheses): names and parameter lists cannot stand in any. */

/* A call that either works or fails. */
#define WRAP(result, failure, name, parameters, arguments)                                                   \
    result name parameters                                                                                   \
    {                                                                                                        \
        return strikes(#name) ? (failure) : NEXT(name) arguments;                                            \
    }

/* A call that may also do a part of what it should: the length is cut to one byte. */
#define WRAP_PART(name, parameters, len, arguments)                                                          \
    ssize_t name parameters                                                                                  \
    {                                                                                                        \
        if (strikes(#name)) {                                                                                \
            if (how != SHORT)                                                                                \
                return -1;                                                                                   \
            if (len > 1)                                                                                     \
                len = 1;                                                                                     \
        }                                                                                                    \
        return NEXT(name) arguments;                                                                         \
    }

/* NOLINTEND(bugprone-macro-parentheses) */

/* The allocators call those of libc by names of their own, since dlsym needs memory itself. */
void *__libc_malloc(size_t len);
void *__libc_calloc(size_t count, size_t len);
void *__libc_realloc(void *old, size_t len);

void *malloc(size_t len)
{
    return strikes("malloc") ? NULL : __libc_malloc(len);
}

void *calloc(size_t count, size_t len)
{
    return strikes("malloc") ? NULL : __libc_calloc(count, len);
}

void *realloc(void *old, size_t len)
{
    return strikes("malloc") ? NULL : __libc_realloc(old, len);
}

WRAP_PART(read, (int fd, void *bytes, size_t len), len, (fd, bytes, len))
WRAP_PART(write, (int fd, const void *bytes, size_t len), len, (fd, bytes, len))
WRAP_PART(pread64, (int fd, void *bytes, size_t len, off64_t at), len, (fd, bytes, len, at))
WRAP_PART(recv, (int fd, void *bytes, size_t len, int flags), len, (fd, bytes, len, flags))
WRAP(ssize_t, -1, send, (int fd, const void *bytes, size_t len, int flags), (fd, bytes, len, flags))
WRAP(ssize_t, -1, sendto,
     (int fd, const void *bytes, size_t len, int flags, const struct sockaddr *to, socklen_t to_len),
     (fd, bytes, len, flags, to, to_len))
WRAP(ssize_t, -1, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
WRAP(ssize_t, -1, getrandom, (void *bytes, size_t len, unsigned flags), (bytes, len, flags))
WRAP(ssize_t, -1, readlink, (const char *restrict path, char *restrict bytes, size_t len), (path, bytes, len))

int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    if (strikes("sendmmsg")) {
        if (how != SHORT)
            return -1;
        count = 1;
    }
    return NEXT(sendmmsg)(fd, messages, count, flags);
}

int open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return strikes("open64") ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int fcntl64(int fd, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    return strikes("fcntl64") ? -1 : NEXT(fcntl64)(fd, command, argument);
}

int prctl(int option, ...)
{
    va_list rest;
    va_start(rest, option);
    unsigned long a = va_arg(rest, unsigned long);
    unsigned long b = va_arg(rest, unsigned long);
    unsigned long c = va_arg(rest, unsigned long);
    unsigned long d = va_arg(rest, unsigned long);
    va_end(rest);
    return strikes("prctl") ? -1 : (int)syscall(SYS_prctl, option, a, b, c, d);
}

WRAP(int, -1, socket, (int family, int kind, int protocol), (family, kind, protocol))
WRAP(int, -1, socketpair, (int family, int kind, int protocol, int fds[2]), (family, kind, protocol, fds))
WRAP(int, -1, bind, (int fd, const struct sockaddr *name, socklen_t len), (fd, name, len))
WRAP(int, -1, connect, (int fd, const struct sockaddr *name, socklen_t len), (fd, name, len))
WRAP(int, -1, setsockopt, (int fd, int level, int option, const void *value, socklen_t len),
     (fd, level, option, value, len))
WRAP(int, -1, getsockname, (int fd, struct sockaddr *restrict name, socklen_t *restrict len), (fd, name, len))
WRAP(int, -1, pipe2, (int fds[2], int flags), (fds, flags))
WRAP(int, -1, eventfd, (unsigned value, int flags), (value, flags))
WRAP(int, -1, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags))
WRAP(int, -1, epoll_create1, (int flags), (flags))
WRAP(int, -1, epoll_ctl, (int fd, int action, int other, struct epoll_event *event),
     (fd, action, other, event))
WRAP(int, -1, poll, (struct pollfd * fds, nfds_t count, int limit), (fds, count, limit))
WRAP(int, -1, ppoll, (struct pollfd * fds, nfds_t count, const struct timespec *limit, const sigset_t *set),
     (fds, count, limit, set))
WRAP(int, -1, fstat64, (int fd, struct stat64 *ret), (fd, ret))
WRAP(int, -1, dup2, (int fd, int other), (fd, other))
WRAP(int, -1, fdatasync, (int fd), (fd))
WRAP(int, -1, fsync, (int fd), (fd))
WRAP(pid_t, -1, fork, (void), ())
WRAP(pid_t, -1, waitpid, (pid_t pid, int *status, int options), (pid, status, options))
WRAP(void *, MAP_FAILED, mmap64, (void *at, size_t len, int protection, int flags, int fd, off64_t offset),
     (at, len, protection, flags, fd, offset))
