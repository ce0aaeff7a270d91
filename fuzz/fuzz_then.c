/* then_expand: what a supervisor that was taken over asks the process of --then to run. It can name no more
 * than an address and ports, in which a shell finds nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cli/supervisor/then_runner.h"
#include "fuzz.h"

#define PORTS_MAX 64
#define ALLOWED   "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:,-_% "

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in = reader_over(data, size);
    struct addr host = {.family = read_u8(&in)};
    host.scope = read_be32(&in);
    for (unsigned i = 0; i < sizeof host.bytes; i++)
        host.bytes[i] = read_u8(&in);
    uint16_t ports[PORTS_MAX];
    size_t count = 0;
    while (count < PORTS_MAX && reader_left(&in) >= 2)
        ports[count++] = read_be16(&in);

    char *text = then_expand("{host} {ports}", &host, ports, count);
    assert(!text || text[strspn(text, ALLOWED)] == '\0');
    free(text);
    return 0;
}
