/* ptr_read: a reverse DNS reply gives a name of 1 to 253 bytes without a zero, or nothing at all. */
#include <string.h>

#include "fuzz.h"
#include "resolve/ptr.h"

#define UNTOUCHED 0x7e

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[PTR_NAME_MAX + 2];
    memset(name, UNTOUCHED, sizeof name);
    bool found = ptr_read(data, size, name);
    size_t len = strnlen(name, sizeof name);
    if (found)
        assert(len >= 1 && len <= PTR_NAME_MAX);
    else
        assert(len == sizeof name);
    return 0;
}
