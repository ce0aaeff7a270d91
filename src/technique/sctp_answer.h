/* What both SCTP techniques make of an SCTP packet. */
#pragma once

#include "packet/packet.h"
#include "technique/technique.h"

#define INITIATE_TAG_IN_CHUNK 4 /* where its tag stands in an INIT chunk (RFC 9260 section 3.3.2) */

/* An INIT of ours, come back: proved by its initiate tag. */
bool sctp_init_returned(const struct technique *technique, const struct packet *packet, struct answer *ret);

/* The first chunk decides: `open_chunk` is open for `open_reason`, ABORT is closed, anything else says
 * nothing. Either proves itself by our verification tag (RFC 9260 section 8.5). */
bool sctp_answer_judge(const struct packet *packet, enum sctp_chunk open_chunk, enum reason open_reason,
                       struct answer *ret);
