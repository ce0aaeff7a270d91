#include "packet/tcp.h"

#include <assert.h>

#include "packet/checksum.h"
#include "packet/ip.h"

#define TCP_OPTIONS_MAX    40
#define TCP_DATA_OFFSET_AT 12
#define TCP_CHECKSUM_AT    16

/* RFC 9293 section 3.2 */
enum tcp_option { OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2 };

#define OPTION_MSS_LEN 4

/* One option off the front. False when its length cannot be; every true takes at least one byte away. */
static bool read_option(struct reader *options, struct tcp_header *tcp)
{
    uint8_t kind = read_u8(options);
    if (kind == OPTION_NOP)
        return true;
    if (kind == OPTION_END) {
        options->at = options->end;
        return true;
    }
    uint8_t len = read_u8(options);
    if (len < 2)
        return false;
    const uint8_t *value = read_span(options, len - 2u);
    if (!value || (kind == OPTION_MSS && len != OPTION_MSS_LEN))
        return false;
    if (kind == OPTION_MSS)
        tcp->mss = get_be16(value);
    return true;
}

static bool read_options(struct tcp_header *tcp)
{
    struct reader options = reader_over(tcp->options, tcp->options_len);
    while (reader_left(&options) > 0) {
        if (!read_option(&options, tcp))
            return false;
    }
    return true;
}

bool tcp_read(struct reader *in, struct tcp_header *ret)
{
    const uint8_t *span = read_span(in, TCP_HEADER_LEN);
    if (!span)
        return false;
    size_t header_len = (span[TCP_DATA_OFFSET_AT] >> 4) * 4u;
    if (header_len < TCP_HEADER_LEN)
        return false;
    uint8_t options_len = (uint8_t)(header_len - TCP_HEADER_LEN);
    const uint8_t *options = read_span(in, options_len);
    if (!options)
        return false;

    *ret = (struct tcp_header){.options = options, .options_len = options_len};
    struct reader fixed = reader_over(span, TCP_HEADER_LEN);
    ret->source_port = read_be16(&fixed);
    ret->port = read_be16(&fixed);
    ret->seq = read_be32(&fixed);
    ret->ack = read_be32(&fixed);
    read_u8(&fixed); /* data offset */
    ret->flags = read_u8(&fixed);
    ret->window = read_be16(&fixed);
    read_be16(&fixed); /* checksum: verified over the whole segment by whoever has the addresses */
    ret->urgent = read_be16(&fixed);
    ret->options_valid = read_options(ret);
    return true;
}

void tcp_write(struct writer *out, const struct addr *src, const struct addr *dst,
               const struct tcp_build *build)
{
    const struct tcp_header *tcp = &build->header;
    assert(tcp->options_len % 4 == 0 && tcp->options_len <= TCP_OPTIONS_MAX);

    uint8_t *span = write_span(out, TCP_HEADER_LEN);
    if (!span)
        return;
    struct writer fixed = writer_over(span, TCP_HEADER_LEN);
    write_be16(&fixed, tcp->source_port);
    write_be16(&fixed, tcp->port);
    write_be32(&fixed, tcp->seq);
    write_be32(&fixed, tcp->ack);
    write_u8(&fixed, (uint8_t)((TCP_HEADER_LEN + tcp->options_len) / 4 << 4));
    write_u8(&fixed, tcp->flags);
    write_be16(&fixed, tcp->window);
    write_be16(&fixed, 0); /* checksum, below */
    write_be16(&fixed, tcp->urgent);

    write_bytes(out, tcp->options, tcp->options_len);
    write_bytes(out, build->payload, build->payload_len);
    if (out->ok)
        put_be16(span + TCP_CHECKSUM_AT,
                 checksum_transport(src, dst, IP_PROTO_TCP, span, (size_t)(out->at - span)));
}
