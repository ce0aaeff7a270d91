#include "plan/port_set.h"

size_t port_set_count(const struct port_set *set, enum port_protocol protocol)
{
    size_t count = 0;
    for (size_t word = 0; word < sizeof set->bits[0] / sizeof set->bits[0][0]; word++)
        for (uint64_t bits = set->bits[protocol][word]; bits; bits &= bits - 1) /* drops the lowest set bit */
            count++;
    return count;
}

size_t port_set_list(const struct port_set *set, enum port_protocol protocol, uint16_t *ret, size_t capacity)
{
    size_t count = 0;
    for (uint32_t port = 0; port <= UINT16_MAX && count < capacity; port++)
        if (port_set_has(set, protocol, (uint16_t)port))
            ret[count++] = (uint16_t)port;
    return count;
}
