/* services_read: a file of services. What is taken is sorted, named and ranked as the header says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "plan/services.h"

static void check_list(const struct service_table *table, enum port_protocol protocol)
{
    const struct service_list *list = &table->lists[protocol];
    for (size_t i = 0; i < list->service_count; i++) {
        size_t len = strlen(list->names + list->services[i].name);
        assert(len > 0 && len <= SERVICE_NAME_MAX);
        assert(i == 0 || list->services[i - 1].port <= list->services[i].port);
        assert(services_name(table, protocol, list->services[i].port));
    }
    assert(list->ranked_count <= list->service_count);
    for (size_t i = 0; i < list->ranked_count; i++)
        assert(list->ranked[i] != 0 && services_name(table, protocol, list->ranked[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("services", MFD_CLOEXEC);
    char path[32];
    assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);

    struct service_table *table = NULL;
    struct error err = {0};
    uint16_t top[16];
    if (services_read(path, &table, &err)) {
        assert(err.status == EX_DATAERR && err.text[0] && !table);
    } else {
        for (enum port_protocol protocol = 0; protocol < PORTS_IP; protocol++) {
            check_list(table, protocol);
            assert(services_top(table, protocol, 16, top) == 16);
        }
    }
    services_free(table);
    close(fd);
    return 0;
}
