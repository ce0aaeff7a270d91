#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"

#define CREATE_VERSION  1u /* a flag of landlock_create_ruleset: only say which version there is */
#define RULE_PATH       1
#define NET_SINCE       4
#define SCOPE_SINCE     6
#define NET_BIND_TCP    UINT64_C(1)
#define NET_CONNECT_TCP UINT64_C(2)
#define SCOPE_ABSTRACT  UINT64_C(1)
#define SCOPE_SIGNAL    UINT64_C(2)

enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_REG = 1 << 8,
    FS_TRUNCATE = 1 << 14,
};

/* struct landlock_ruleset_attr. A kernel takes as much of it as it knows, which its size says. */
struct ruleset {
    uint64_t fs; /* what is forbidden unless a rule allows it */
    uint64_t net;
    uint64_t scope;
};

/* struct landlock_path_beneath_attr. */
struct path_beneath {
    uint64_t allowed;
    int32_t parent_fd;
} __attribute__((packed));

/* Every right to files that this version knows: they are numbered in the order in which they came. */
static uint64_t fs_rights(unsigned version)
{
    static const unsigned counts[] = {0, 13, 14, 15, 15, 16};
    unsigned last = sizeof counts / sizeof counts[0] - 1;
    return (UINT64_C(1) << counts[version < last ? version : last]) - 1;
}

static size_t ruleset_len(unsigned version)
{
    if (version < NET_SINCE)
        return offsetof(struct ruleset, net);
    return version < SCOPE_SINCE ? offsetof(struct ruleset, scope) : sizeof(struct ruleset);
}

unsigned landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
    return version > 0 ? (unsigned)version : 0;
}

static uint64_t path_rights(enum landlock_access access, bool is_directory)
{
    uint64_t rights = FS_READ_FILE | (is_directory ? FS_READ_DIR : 0);
    if (access == LANDLOCK_CHANGE)
        rights |= FS_WRITE_FILE | FS_TRUNCATE | (is_directory ? FS_REMOVE_FILE | FS_MAKE_REG : 0);
    return rights;
}

static int allow_path(int ruleset, const struct landlock_path *path, uint64_t known, struct error *err)
{
    own(close_fd) int fd = open(path->path, O_PATH | O_CLOEXEC);
    struct stat status;
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
        return 0;
    if (fd < 0 || fstat(fd, &status) < 0)
        return error_set(err, EX_OSERR, "cannot look at '%s': %s", path->path, strerror(errno));
    struct path_beneath rule = {
        .allowed = path_rights(path->access, S_ISDIR(status.st_mode)) & known,
        .parent_fd = fd,
    };
    if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule, 0) < 0)
        return error_set(err, EX_OSERR, "cannot keep '%s' open to this process: %s", path->path,
                         strerror(errno));
    return 0;
}

int landlock_enter(const struct landlock_limits *limits, unsigned version, struct error *err)
{
    struct ruleset wanted = {
        .fs = fs_rights(version),
        .net = limits->no_tcp ? NET_BIND_TCP | NET_CONNECT_TCP : 0,
        .scope = limits->no_signals ? SCOPE_ABSTRACT | SCOPE_SIGNAL : 0,
    };
    own(close_fd) int ruleset = (int)syscall(SYS_landlock_create_ruleset, &wanted, ruleset_len(version), 0);
    if (ruleset < 0)
        return error_set(err, EX_OSERR, "cannot limit the files of this process: %s", strerror(errno));
    for (size_t i = 0; i < limits->path_count; i++) {
        int r = allow_path(ruleset, &limits->paths[i], wanted.fs, err);
        if (r < 0)
            return r;
    }
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
        return error_set(err, EX_OSERR, "cannot limit the files of this process: %s", strerror(errno));
    return 0;
}
