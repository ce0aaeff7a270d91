/* icmp_read: the first byte of the input is the IP version, the message follows; it is written back as it
 * was. */
#include <string.h>

#include "fuzz.h"
#include "packet/icmp.h"

static void check_rewritten(const struct icmp_header *icmp, uint8_t version, const uint8_t *message,
                            size_t len)
{
    struct addr src = {.family = version}, dst = {.family = version};
    uint8_t bytes[1500];
    struct writer out = writer_over(bytes, sizeof bytes);
    icmp_write(&out, &src, &dst, icmp, message + ICMP_HEADER_LEN, len - ICMP_HEADER_LEN);
    assert(out.ok == (len <= sizeof bytes));
    if (!out.ok)
        return;
    assert(writer_len(&out) == len && memcmp(bytes, message, 2) == 0); /* then the checksum */
    assert(memcmp(bytes + 4, message + 4, len - 4) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    uint8_t version = data[0] == 6 ? 6 : 4;
    struct reader in = reader_over(data + 1, size - 1);
    struct icmp_header icmp;
    if (!icmp_read(&in, version, &icmp))
        return 0;

    assert(in.ok && in.at == data + 1 + ICMP_HEADER_LEN);
    assert(icmp.rest == ((uint32_t)icmp.id << 16 | icmp.seq));
    assert(icmp.is_neighbor == (version == 6 && icmp.type == ICMP6_NEIGHBOR_ADVERTISEMENT));
    assert(!icmp.has_neighbor_mac || icmp.is_neighbor);
    assert(!icmp.is_neighbor || (icmp.neighbor_target.family == ADDR_V6 && icmp.code == 0));
    check_rewritten(&icmp, version, data + 1, size - 1);
    return 0;
}
