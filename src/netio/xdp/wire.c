#include "netio/xdp/wire.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void wire_close(struct wire *wire)
{
    if (!wire)
        return;
    for (unsigned i = 0; i < WIRE_PART_COUNT; i++) {
        if (wire->fds[i] >= 0)
            close(wire->fds[i]);
    }
    free(wire);
}

void *wire_map(const struct wire *wire, unsigned part, size_t len)
{
    void *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, wire->fds[part], 0);
    return map == MAP_FAILED ? NULL : map;
}

void wire_unmap(void *map, size_t len)
{
    if (map)
        munmap(map, len);
}
