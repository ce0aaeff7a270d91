/* For LD_PRELOAD: the n-th call that changes a plain file ends the process as kill -9 does, or fails. IO_FAULT is
 * "kill:N" or "ERRNO:N"; a "+" behind N makes all later calls fail too. IO_FAULT_CALLS may name which calls count instead: "sync" (of
 * plain files), or "read". Only what the process itself does counts, not what its children do. With IO_SLOW each sync of another thread than the
 * main one takes so many seconds. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static _Atomic long calls;
static _Atomic pid_t owner;

static bool is_plain(int fd)
{
    struct stat file;
    return fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
}

enum kind { CHANGES, SYNCS, READS };

static bool counts(enum kind kind)
{
    const char *calls_meant = getenv("IO_FAULT_CALLS");
    if (!calls_meant)
        return kind != READS;
    return strcmp(calls_meant, "sync") == 0 ? kind == SYNCS : kind == READS;
}

/* Is this call to fail, or not to happen at all? */
static bool strikes(enum kind kind)
{
    pid_t nobody = 0;
    atomic_compare_exchange_strong(&owner, &nobody, getpid());
    const char *fault = getenv("IO_FAULT");
    if (!fault || owner != getpid() || !counts(kind))
        return false;
    long call = ++calls;
    const char *at = strchr(fault, ':');
    char *end = NULL;
    long wanted = at ? strtol(at + 1, &end, 10) : 0;
    if (call != wanted && !(end && *end == '+' && call > wanted))
        return false;
    if (strncmp(fault, "kill", 4) == 0)
        __builtin_trap(); /* as sudden as kill -9, which the sandbox forbids */
    errno = (int)strtol(fault, NULL, 10);
    return true;
}

/* The function of this name that ours hides, into a pointer to a function. */
static void find_real(const char *name, void *ret)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    memcpy(ret, &symbol, sizeof symbol);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    ssize_t (*real)(int, const void *, size_t) = NULL;
    find_real("write", &real);
    return is_plain(fd) && strikes(CHANGES) ? -1 : real(fd, bytes, len);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
    ssize_t (*real)(int, const void *, size_t, off64_t) = NULL;
    find_real("pwrite64", &real);
    return is_plain(fd) && strikes(CHANGES) ? -1 : real(fd, bytes, len, at);
}

ssize_t pread64(int fd, void *bytes, size_t len, off64_t at)
{
    ssize_t (*real)(int, void *, size_t, off64_t) = NULL;
    find_real("pread64", &real);
    return is_plain(fd) && strikes(READS) ? -1 : real(fd, bytes, len, at);
}

static int sync_with(const char *name, int fd)
{
    int (*real)(int) = NULL;
    const char *slow = getenv("IO_SLOW");
    find_real(name, &real);
    if (slow && gettid() != getpid())
        sleep((unsigned)strtoul(slow, NULL, 10));
    return strikes(is_plain(fd) ? SYNCS : CHANGES) ? -1 : real(fd);
}

int fsync(int fd)
{
    return sync_with("fsync", fd);
}

int fdatasync(int fd)
{
    return sync_with("fdatasync", fd);
}

int ftruncate64(int fd, off64_t len)
{
    int (*real)(int, off64_t) = NULL;
    find_real("ftruncate64", &real);
    return strikes(CHANGES) ? -1 : real(fd, len);
}

int unlink(const char *path)
{
    int (*real)(const char *) = NULL;
    find_real("unlink", &real);
    return strikes(CHANGES) ? -1 : real(path);
}

int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *) = NULL;
    find_real("rename", &real);
    return strikes(CHANGES) ? -1 : real(from, to);
}
