/* tcp_read: options stay within the segment, and a header is written back with the fields it was read
 * with. */
#include <string.h>

#include "fuzz.h"
#include "packet/checksum.h"
#include "packet/ip.h"
#include "packet/tcp.h"

static void check_rewritten(const struct tcp_header *tcp)
{
    struct addr src = addr_v4(0xc6120002), dst = addr_v4(0xc6120001);
    struct tcp_build build = {.header = *tcp};
    uint8_t bytes[60];
    struct writer out = writer_over(bytes, sizeof bytes);
    tcp_write(&out, &src, &dst, &build);
    assert(out.ok && checksum_transport(&src, &dst, IP_PROTO_TCP, bytes, writer_len(&out)) == 0);

    struct reader in = reader_over(bytes, writer_len(&out));
    struct tcp_header again;
    bool valid = tcp_read(&in, &again);
    assert(valid && reader_left(&in) == 0);
    assert(again.source_port == tcp->source_port && again.port == tcp->port && again.flags == tcp->flags);
    assert(again.seq == tcp->seq && again.ack == tcp->ack && again.window == tcp->window);
    assert(again.urgent == tcp->urgent && again.mss == tcp->mss && again.options_len == tcp->options_len);
    assert(memcmp(again.options, tcp->options, tcp->options_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in = reader_over(data, size);
    struct tcp_header tcp;
    if (!tcp_read(&in, &tcp))
        return 0;

    assert(in.ok && size >= TCP_HEADER_LEN && tcp.options_len <= 40);
    assert_within(tcp.options, tcp.options_len, data, size);
    assert(in.at == tcp.options + tcp.options_len);
    check_rewritten(&tcp);
    return 0;
}
