/* addr_parse: an address in text. */
#include <string.h>

#include "base/addr.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[100];
    if (size >= sizeof text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';

    struct addr addr, again;
    if (!addr_parse(text, &addr))
        return 0;
    char written[ADDR_TEXT_MAX];
    addr_format(&addr, written);
    assert(strlen(written) < sizeof written);
    assert(addr_parse(written, &again) && addr_equal(&addr, &again));
    return 0;
}
