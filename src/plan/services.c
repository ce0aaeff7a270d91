#include "plan/services.h"

#include <stdbool.h>

#include "base/bitset.h"

/* Index of the first service at or after a port. */
static size_t first_from(const struct service_list *list, uint16_t port)
{
    size_t low = 0;
    size_t high = list->service_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->services[middle].port < port)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const char *services_name(const struct service_table *table, enum port_protocol protocol, uint16_t port)
{
    const struct service_list *list = &table->lists[protocol];
    size_t i = first_from(list, port);
    if (i == list->service_count || list->services[i].port != port)
        return NULL;
    return list->names + list->services[i].name;
}

/* The ports chosen so far. */
struct choice {
    uint64_t seen[65536 / 64];
    uint16_t *ports;
    size_t count;
    size_t wanted;
};

static void choose(struct choice *choice, uint16_t port)
{
    if (choice->count == choice->wanted || bitset_get(choice->seen, port))
        return;
    bitset_set(choice->seen, port);
    choice->ports[choice->count++] = port;
}

size_t services_top(const struct service_table *table, enum port_protocol protocol, size_t count,
                    uint16_t *ret)
{
    const struct service_list *list = &table->lists[protocol];
    uint32_t lowest = protocol == PORTS_IP ? 0 : 1;
    uint32_t highest = protocol == PORTS_IP ? 255 : 65535;
    struct choice choice = {.ports = ret, .wanted = count};
    for (size_t i = 0; i < list->ranked_count; i++)
        choose(&choice, list->ranked[i]);
    for (size_t i = 0; i < list->service_count; i++)
        if (list->services[i].port >= lowest)
            choose(&choice, list->services[i].port);
    for (uint32_t port = lowest; port <= highest; port++)
        choose(&choice, (uint16_t)port);
    return choice.count;
}

size_t services_popular(const struct service_table *table, enum port_protocol protocol, size_t count,
                        const struct port_set *set, uint16_t *ret)
{
    size_t top_count = services_top(table, protocol, count, ret);
    size_t kept = 0;
    for (size_t i = 0; i < top_count; i++)
        if (port_set_has(set, protocol, ret[i]))
            ret[kept++] = ret[i];
    return kept;
}
