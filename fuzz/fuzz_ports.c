/* ports_parse and ports_select: a -p list; the first byte says which protocols are scanned. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "plan/ports.h"

static void check_set(const struct port_set *set, unsigned protocols)
{
    for (enum port_protocol protocol = 0; protocol < PORTS_PROTOCOL_COUNT; protocol++) {
        assert(protocols & PORTS_BIT(protocol) || port_set_count(set, protocol) == 0);
        for (size_t word = 256 / 64; protocol == PORTS_IP && word < 65536 / 64; word++)
            assert(set->bits[protocol][word] == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[256];
    if (size < 1 || size > sizeof text)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    unsigned protocols = data[0] & 15 ? data[0] & 15 : 1;

    struct port_set *set = calloc(1, sizeof *set);
    struct error err = {0};
    unsigned dropped = 0;
    assert(set);
    if (ports_parse("-p", text, protocols, services_builtin(), set, &dropped, &err))
        assert(err.status == EX_USAGE && err.text[0]);
    assert((dropped & protocols) == 0);
    check_set(set, protocols);

    struct ports_options options = {.protocols = protocols, .excluded = text, .top_count = data[0] >> 4};
    err = (struct error){0};
    if (ports_select(&options, services_builtin(), set, NULL, &err))
        assert(err.status == EX_USAGE && err.text[0]);
    check_set(set, protocols);
    free(set);
    return 0;
}
