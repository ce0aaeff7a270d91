/* Our probe, come back: somebody sends back what he gets. That says nothing of the port. Nor does what
 * follows: our own kernel answers the probe as any host would, and that comes back as well, with all the
 * right numbers. */
#pragma once

#include "packet/packet.h"
#include "technique/technique.h"

/* The port stays as silent as it was, and no reset changes that any more. */
struct verdict returned_verdict(const struct technique *technique, const struct packet *packet);

/* The answer of a judge: proved when this number, out of the packet, is that of the probe. */
struct answer returned_answer(const struct technique *technique, const struct packet *packet,
                              uint32_t number);
