/* TCP header (RFC 9293 section 3.1). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"

enum tcp_flag {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
    TCP_ECE = 0x40,
    TCP_CWR = 0x80,
};

#define TCP_HEADER_LEN 20

struct tcp_header {
    uint16_t source_port, port; /* port: destination */
    uint32_t seq, ack;
    uint8_t flags; /* enum tcp_flag */
    uint16_t window;
    uint16_t urgent;
    const uint8_t *options; /* borrowed; a broken one must not hide the answer */
    uint8_t options_len;
    uint16_t mss;       /* option 2; 0 when absent */
    bool options_valid; /* false when an option's length cannot be */
};

/* False when the header, by its data offset, is truncated, or the offset below 5. Options are looked at,
 * never fatal. `in` stands at the payload afterwards. */
bool tcp_read(struct reader *in, struct tcp_header *ret);

/* Write a header with checksum.
 *   options, payload  bytes to append; options_len a multiple of 4, at most 40 */
struct tcp_build {
    struct tcp_header header; /* options and options_len are taken from here */
    const uint8_t *payload;
    size_t payload_len;
};
void tcp_write(struct writer *out, const struct addr *src, const struct addr *dst,
               const struct tcp_build *build);
