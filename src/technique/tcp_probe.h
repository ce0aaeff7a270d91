/* What all TCP techniques share: the probe, and how a reset proves that it answers one. */
#pragma once

#include "packet/packet.h"
#include "technique/technique.h"

/* A TCP segment with the technique's flags. The keyed number is the sequence number, and with the ACK flag
 * also the acknowledgement number. A SYN carries the options that today's systems send. */
void tcp_probe_build(const struct probe *probe, struct writer *out);

/* Of a probe, in sequence numbers (SEG.LEN in RFC 9293 section 3.3.1): SYN and FIN take one each, and data
 * their bytes. */
uint32_t tcp_probe_segment_len(const struct technique *technique);

/* An RST, and the numbers by which it must answer us (RFC 9293 section 3.10.7.1): to a probe without ACK it
 * acknowledges all of it; to a probe with ACK its sequence is our acknowledgement number. */
bool tcp_probe_reset(const struct technique *technique, const struct packet *packet, enum port_state state,
                     struct answer *ret);

/* The numbers by which a SYN/ACK must answer us. It acknowledges the SYN alone, or, from a stack that keeps
 * the data for its service, those as well (RFC 7413). */
void tcp_probe_claim_syn(const struct technique *technique, uint32_t ack, struct answer *answer);

/* The probe itself, come back: a segment with the same flags, proved by its sequence number. */
bool tcp_probe_returned(const struct technique *technique, const struct packet *packet, struct answer *ret);

/* The judge of every technique to which only a reset or an ICMP error says anything. state: what a reset
 * means. */
bool tcp_probe_judge_reset(const struct technique *technique, const struct packet *packet,
                           enum port_state state, struct answer *ret);

/* The same technique with other flags (--scanflags): answers mean what they mean to `base`. */
struct technique tcp_probe_with_flags(const struct technique *base, uint8_t tcp_flags);
