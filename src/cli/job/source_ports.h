/* The local ports that probes leave from: a range that the kernel gives to nobody. */
#pragma once

#include <stdint.h>

/* The larger part of the ports above and below the kernel's ephemeral range (ip_local_port_range), without
 * the first 1024. A machine without that file, or whose range leaves too little, gets the ports above the
 * usual range. */
void source_ports_choose(uint16_t *ret_first, uint16_t *ret_count);

/* Choose a few of these ports by chance, as many as the tokens of probes need in each of so many shares:
 * without privilege each is a socket. */
void source_ports_few(unsigned shares, uint16_t *first, uint16_t *count);

/* As source_ports_choose, for a given ephemeral range low .. high. */
void source_ports_beside(unsigned low, unsigned high, uint16_t *ret_first, uint16_t *ret_count);
