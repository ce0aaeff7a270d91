/* packet_read_ethernet: a frame, with and without looking at its checksums. */
#include <string.h>

#include "packet_checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct packet packet;
    enum packet_fault verified = packet_read_ethernet(data, size, (struct packet_reading){true}, &packet);
    enum packet_fault trusted = packet_read_ethernet(data, size, (struct packet_reading){false}, &packet);
    check_verified(verified, trusted);
    if (trusted != PACKET_OK)
        return 0;
    check_packet(&packet, data, size);
    assert(memcmp(packet.source_mac, data + 6, sizeof packet.source_mac) == 0);
    return 0;
}
