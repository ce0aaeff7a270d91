/* What the bare loops that ask the ports of many addresses have in common: the probes and who answered, the
 * frames, the command line, and what they print. */
#pragma once

#include <stdint.h>

#include "packet/ip.h"
#include "packet/tcp.h"

#define BARE_ETHERNET_LEN 14
#define BARE_FRAME_LEN    (BARE_ETHERNET_LEN + IPV4_HEADER_LEN + TCP_HEADER_LEN)
#define BARE_SOURCE_PORT  61000
#define BARE_SEQ          0x01020304
#define BARE_SWEEPS_MAX   5
#define BARE_QUIET_MS     200 /* so long without an answer, and the next sweep begins */

/* The arguments of all of them, from `interface` on:
 *   INTERFACE SOURCE TARGET TARGET_MAC [FIRST LAST HOSTS]
 * the ports FIRST to LAST (1 to 65535) of HOSTS addresses (1) from TARGET on. All hosts are asked a port
 * before the next. */
struct bare_probes {
    const char *interface;
    uint32_t interface_index;
    uint32_t first_host, host_count;
    uint32_t first_port, port_count;
    uint8_t frame[BARE_FRAME_LEN]; /* to the first host, port 0 */
    uint64_t *answered, *open;     /* by probe: set by who listens */
    uint32_t answered_count, sent_count;
};

/* Ends the program when something is wrong with the arguments (`count` of them), and with a default route.
 * `answered` and `open` are left to the caller. */
void bare_probes_read(struct bare_probes *ret, int count, char **arguments);

static inline uint32_t bare_probes_count(const struct bare_probes *probes)
{
    return probes->host_count * probes->port_count;
}

/* "sent N answered N", and each open port as ADDRESS:PORT. */
void bare_probes_print(const struct bare_probes *probes);

/* Have a frame ask this probe. */
void bare_frame_aim(const struct bare_probes *probes, uint32_t probe, uint8_t frame[static BARE_FRAME_LEN]);
