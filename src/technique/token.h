/* What proves an answer (design decision 5). Try t of a probe leaves from its own keyed source port and
 * carries a keyed 32-bit number: a TCP sequence (or acknowledgement) number, an SCTP tag, an ICMP id and
 * sequence number. Port and number together show that an answer is one to us, name the try, and give the time
 * the probe left, also from an ICMP quote of 8 bytes.
 *
 * The number is a keyed mask of (address, protocol, port, try) XOR the time in its low TOKEN_TIME_BITS bits;
 * the high bits must match when an answer comes back. The time has a step of TOKEN_TIME_STEP_NS and wraps
 * after TOKEN_TIME_SPAN_NS; whoever knows when a try was sent tells the wraps apart. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "technique/technique.h"
#include "technique/token_core.h"

/* Whom a probe asks. */
struct token_subject {
    struct addr dst;
    uint8_t ip_proto;
    uint16_t port;   /* 0 for ICMP */
    bool has_ports;  /* false: answers name no source port; the number alone names the try */
    bool pings;      /* discovery: a late answer to it must not pass for one to the scan of the same port */
    uint16_t source; /* number of our own address that asks, in the pool (--source-pool); 0: the usual one */
};

/* The subject of a technique's probe to this port. */
struct token_subject token_subject_of(const struct technique *technique, const struct addr *dst,
                                      uint16_t port);

struct token {
    uint16_t source_port;
    uint32_t number;
};

struct token token_make(const struct token_key *key, const struct token_subject *subject, uint8_t try_number,
                        int64_t now_ns);

/* For answers that carry no number. Is this one of our source ports? Does the port of such a probe name its
 * try? Not where all tries have to share one (-g). Then: which try does this source port belong to? False: to
 * none. */
bool token_port_is_ours(const struct token_key *key, uint16_t source_port);
bool token_port_names_try(const struct token_key *key, const struct token_subject *subject);
bool token_try_of_port(const struct token_key *key, const struct token_subject *subject, uint16_t source_port,
                       uint8_t *ret_try);

/* Is `number`, sent from `source_port`, ours? Then *ret_try is the try and *ret_sent_ns the latest time <=
 * now_ns at which it can have left (or, when it took longer than TOKEN_TIME_SPAN_NS, a whole number of spans
 * before that). */
bool token_check(const struct token_key *key, const struct token_subject *subject, uint16_t source_port,
                 uint32_t number, int64_t now_ns, uint8_t *ret_try, int64_t *ret_sent_ns);

/* The same where only the upper half of a number came back: it proves the try, and tells no time. */
bool token_check_half(const struct token_key *key, const struct token_subject *subject, uint16_t source_port,
                      uint16_t upper_half, uint8_t *ret_try);
