#include "base/descriptors.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

void descriptors_hold_standard(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int descriptors_null_standard(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0 ? errno : 0;
    if (fd > STDERR_FILENO)
        close(fd);
    return -error;
}

static int compare_fds(const void *a, const void *b)
{
    int one = *(const int *)a;
    int other = *(const int *)b;
    return (one > other) - (one < other);
}

/* One by one, as the kernel lists them. */
static int close_listed(unsigned first, unsigned last)
{
    DIR *directory = opendir("/proc/self/fd");
    if (!directory)
        return -errno;
    const struct dirent *entry;
    while ((entry = readdir(directory))) {
        unsigned long fd = strtoul(entry->d_name, NULL, 10);
        if (isdigit((unsigned char)entry->d_name[0]) && fd >= first && fd <= last &&
            (int)fd != dirfd(directory))
            close((int)fd);
    }
    closedir(directory);
    return 0;
}

/* Some containers refuse a call that they do not know. */
static int close_span(unsigned first, unsigned last)
{
    return close_range(first, last, 0) == 0 ? 0 : close_listed(first, last);
}

int descriptors_keep_only(int *fds, unsigned count)
{
    int first = STDERR_FILENO + 1;
    int r = 0;
    qsort(fds, count, sizeof *fds, compare_fds);
    for (unsigned i = 0; i < count; i++) {
        if (fds[i] > first && r == 0)
            r = close_span((unsigned)first, (unsigned)fds[i] - 1);
        if (fds[i] >= first)
            first = fds[i] + 1;
    }
    return r == 0 ? close_span((unsigned)first, UINT_MAX) : r;
}
