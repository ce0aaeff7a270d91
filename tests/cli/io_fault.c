/* For LD_PRELOAD: the n-th call that changes a plain file ends the process as kill -9 does, or fails.
 * IO_FAULT is "kill:N" or "ERRNO:N"; a "+" behind N makes all later calls fail too. IO_FAULT_CALLS may name
 * which calls count instead: "sync" (of plain files), or "read". Only what the process itself does counts,
 * not what its children do. With IO_SLOW each sync of another thread than the main one takes so many seconds.
 * With IO_POWER=SEED the end is one of power: of what was written and not synced, each write is lost with an
 * even chance (0: all of it is). */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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

/* The function of this name that ours hides, into a pointer to a function. */
static void find_real(const char *name, void *ret)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    memcpy(ret, &symbol, sizeof symbol);
}

/* A write that was not synced, and what it wrote over. */
struct unsynced {
    struct unsynced *before; /* the write before it, or NULL */
    ino_t file;
    char path[256];
    off64_t at, old_len; /* of the file, before it */
    size_t len;
    char bytes[]; /* as they were; zeros behind the old end */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct unsynced *newest;

/* Called before a plain file is written. */
static void remember(int fd, size_t len, off64_t at)
{
    ssize_t (*read_at)(int, void *, size_t, off64_t) = NULL;
    struct stat file;
    char name[32];
    if (!getenv("IO_POWER"))
        return;
    struct unsynced *write = calloc(1, sizeof *write + len);
    if (!write || fstat(fd, &file) < 0)
        abort();
    find_real("pread64", &read_at);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    if (readlink(name, write->path, sizeof write->path - 1) < 0 || read_at(fd, write->bytes, len, at) < 0)
        abort();
    write->file = file.st_ino;
    write->at = at;
    write->len = len;
    write->old_len = file.st_size;
    pthread_mutex_lock(&lock);
    write->before = newest;
    newest = write;
    pthread_mutex_unlock(&lock);
}

/* Called when a file has been synced. */
static void forget(int fd)
{
    struct stat file;
    if (fstat(fd, &file) < 0)
        return;
    pthread_mutex_lock(&lock);
    for (struct unsynced **at = &newest; *at;) {
        struct unsynced *write = *at;
        if (write->file == file.st_ino) {
            *at = write->before;
            free(write);
        } else {
            at = &write->before;
        }
    }
    pthread_mutex_unlock(&lock);
}

static void undo(const struct unsynced *write, bool cut)
{
    ssize_t (*write_at)(int, const void *, size_t, off64_t) = NULL;
    int (*cut_at)(int, off64_t) = NULL;
    find_real("pwrite64", &write_at);
    find_real("ftruncate64", &cut_at);
    int fd = open(write->path, O_RDWR | O_CLOEXEC);
    if (fd < 0) /* it was removed since */
        return;
    if (write_at(fd, write->bytes, write->len, write->at) < 0 || (cut && cut_at(fd, write->old_len) < 0))
        abort();
    close(fd);
}

/* The files become what they may be after the loss of power: SQLite counts on no more than that a write is
 * there or not. */
static void lose_power(void)
{
    const char *power = getenv("IO_POWER");
    unsigned seed = power ? (unsigned)strtoul(power, NULL, 10) : 0;
    bool all = seed == 0;
    pthread_mutex_lock(&lock);
    for (const struct unsynced *write = newest; write; write = write->before)
        if (all || rand_r(&seed) % 2)
            undo(write, all);
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
    if (strncmp(fault, "kill", 4) == 0) {
        lose_power();
        __builtin_trap(); /* as sudden as kill -9, which the sandbox forbids */
    }
    errno = (int)strtol(fault, NULL, 10);
    return true;
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
    if (is_plain(fd) && strikes(CHANGES))
        return -1;
    if (is_plain(fd))
        remember(fd, len, at);
    return real(fd, bytes, len, at);
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
    if (strikes(is_plain(fd) ? SYNCS : CHANGES))
        return -1;
    int result = real(fd);
    if (result == 0)
        forget(fd);
    return result;
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
