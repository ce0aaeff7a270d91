/* What to ask a UDP port so that the service which usually lives there answers, and how to know its answer.
 * The payloads are data/udp-payloads.txt, turned into a table when the program is built. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define PAYLOAD_MAX 1400 /* every payload is shorter */

/* How the keyed number of a probe stands in a payload, and in the answer that echoes it. */
enum payload_id {
    PAYLOAD_ID_NONE,
    PAYLOAD_ID_HALF,  /* two bytes: its upper half */
    PAYLOAD_ID_WHOLE, /* four bytes */
    PAYLOAD_ID_TEXT   /* eight hexadecimal digits, lower case */
};

enum payload_echo {
    PAYLOAD_ECHO_NONE, /* no part of an answer proves whose it is */
    PAYLOAD_ECHO_AT,   /* the id stands at this offset */
    PAYLOAD_ECHO_AFTER /* the id follows these bytes, wherever they stand */
};

/* Borrowed bytes of the table. */
struct payload_span {
    const uint8_t *at;
    uint16_t len;
};

struct payload {
    const char *name;
    const char *source;   /* the document it was written from */
    const char *verified; /* the real server it was tried with, or "unverified" */
    struct payload_span bytes;
    uint8_t id; /* enum payload_id */
    uint16_t id_at;

    uint8_t echo; /* enum payload_echo */
    uint16_t echo_at;
    struct payload_span echo_after;
    uint16_t match_at;         /* an answer has these bytes here, as far as the mask says */
    struct payload_span match; /* none: any answer may be one */
    struct payload_span match_mask;
    bool elsewhere; /* the answer may come from another port */

    struct payload_span sample; /* an answer, for the tests; none: len 0 */
    uint16_t sample_id_at;
};

/* What an answer carries of the number. */
struct payload_proof {
    uint8_t id;      /* enum payload_id */
    uint32_t number; /* PAYLOAD_ID_HALF: the upper half is known, the lower is 0 */
};

/* The payload of a try of a probe to this port, the likeliest first. NULL: none is known, an empty datagram
 * will do. */
const struct payload *payload_of_try(uint16_t port, uint8_t try_number);

/* The ports for which something is known, by number: port `index` of them. False: there are not so many. */
bool payload_port_at(unsigned index, uint16_t *ret);

/* After how many tries everything that is known for the port has been asked; 1 when nothing is. */
unsigned payload_tries(uint16_t port);

/* Write the payload with the probe's number in its place. */
void payload_write(const struct payload *payload, uint32_t number, struct writer *out);

/* Does this look like an answer to the payload? Then *ret says what it carries of the number: with an echo,
 * always something. */
bool payload_recognise(const struct payload *payload, const uint8_t *data, size_t len,
                       struct payload_proof *ret);

/* Is it an answer to one of the port's payloads? That with an echo is preferred. False: to none. */
bool payload_recognise_any(uint16_t port, const uint8_t *data, size_t len, struct payload_proof *ret);

/* Is it an answer to one of the port's payloads that may come from another port: with an echo, or so
 * marked? */
bool payload_recognise_elsewhere(uint16_t port, const uint8_t *data, size_t len);
