/* What a UDP service says to a datagram. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_SERVICE_MAX 160

/* The service that usually lives at the port: it answers only its own protocol, with the sample of the
 * payload it was asked with and the id in its place; with `picky` it knows only the payload that is tried
 * last. Returns the length of the answer; 0: it stays silent. */
size_t sim_service_answer(uint16_t port, bool picky, const uint8_t *question, size_t len,
                          uint8_t ret[static SIM_SERVICE_MAX]);
