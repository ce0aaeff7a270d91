/* hosts_load: whatever the file holds, the names found are text without a zero, and the same address has the
 * same name. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "resolve/hosts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("hosts", MFD_CLOEXEC);
    assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);

    struct hosts hosts;
    hosts_load(path, &hosts);
    for (size_t i = 0; i < hosts.count; i++) {
        const char *name = hosts_find(&hosts, &hosts.entries[i].addr);
        assert(name && name[0] && name == hosts_find(&hosts, &hosts.entries[i].addr));
    }
    struct addr nobody = addr_v4(0xcb0071fe);
    const char *name = hosts_find(&hosts, &nobody);
    assert(!name || hosts.count > 0);
    hosts_done(&hosts);
    close(fd);
    return 0;
}
