#include "cli/descriptors.h"

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

static int compare_fds(const void *a, const void *b)
{
    int one = *(const int *)a;
    int other = *(const int *)b;
    return (one > other) - (one < other);
}

void descriptors_keep_only(int *fds, unsigned count)
{
    int first = STDERR_FILENO + 1;
    qsort(fds, count, sizeof *fds, compare_fds);
    for (unsigned i = 0; i < count; i++) {
        if (fds[i] > first)
            close_range((unsigned)first, (unsigned)fds[i] - 1, 0);
        if (fds[i] >= first)
            first = fds[i] + 1;
    }
    close_range((unsigned)first, UINT_MAX, 0);
}
