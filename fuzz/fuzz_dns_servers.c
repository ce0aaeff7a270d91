/* dns_servers_parse: a list of servers has at most so many, each an address with a port; another text is
 * explained. */
#include <string.h>

#include "fuzz.h"
#include "resolve/dns_servers.h"

#define TEXT_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_MAX + 1];
    struct dns_servers servers = {.count = 0};
    struct error err = {.status = 0};
    if (size > TEXT_MAX)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (dns_servers_parse(text, &servers, &err) < 0) {
        assert(err.status > 0 && err.text[0] && servers.count == 0);
        return 0;
    }
    assert(servers.count >= 1 && servers.count <= DNS_SERVERS_MAX);
    for (size_t i = 0; i < servers.count; i++)
        assert(servers.list[i].addr.family != ADDR_NONE && servers.list[i].port > 0);
    return 0;
}
