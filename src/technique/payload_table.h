/* The payloads as data/make_payloads.py writes them. */
#pragma once

#include "technique/payload.h"

/* The tries of one port: payload_turns[first_turn] .. [first_turn + turn_count - 1], and again from the
 * first. */
struct payload_port {
    uint16_t port;
    uint16_t turn_count; /* at least 1 */
    uint16_t first_turn;
};

extern const struct payload payload_table[];
extern const unsigned payload_table_len;
extern const struct payload_port payload_ports[]; /* by port */
extern const unsigned payload_ports_len;
extern const uint16_t payload_turns[]; /* indices of payload_table */
