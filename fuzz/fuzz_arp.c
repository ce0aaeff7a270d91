/* arp_read: what is taken is written back byte for byte. */
#include <string.h>

#include "fuzz.h"
#include "packet/arp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in = reader_over(data, size);
    struct arp_packet arp;
    if (!arp_read(&in, &arp))
        return 0;

    uint8_t bytes[28];
    struct writer out = writer_over(bytes, sizeof bytes);
    arp_write(&out, &arp);
    assert(out.ok && writer_len(&out) == sizeof bytes && in.at == data + sizeof bytes);
    assert(memcmp(bytes, data, sizeof bytes) == 0);
    return 0;
}
