#include "cli/job/source_ports.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/own.h"
#include "technique/token.h"

#define PORT_MAX     65535u
#define LOWEST_PORT  1024u
#define USUAL_LOW    32768u
#define USUAL_HIGH   60999u
#define FEW_PORTS    (2u * TOKEN_TRIES_MAX)
#define FEWEST_PORTS 1024u /* fewer make it too easy to guess one */

void source_ports_beside(unsigned low, unsigned high, uint16_t *ret_first, uint16_t *ret_count)
{
    if (low > high || high > PORT_MAX) {
        low = USUAL_LOW;
        high = USUAL_HIGH;
    }
    unsigned below = low > LOWEST_PORT ? low - LOWEST_PORT : 0;
    unsigned above = PORT_MAX - high;
    if (above < FEWEST_PORTS && below < FEWEST_PORTS) {
        high = USUAL_HIGH;
        above = PORT_MAX - high;
    }
    bool use_above = above >= below;
    *ret_first = (uint16_t)(use_above ? high + 1 : LOWEST_PORT);
    *ret_count = (uint16_t)(use_above ? above : below);
}

void source_ports_choose(uint16_t *ret_first, uint16_t *ret_count)
{
    unsigned low = USUAL_LOW;
    unsigned high = USUAL_HIGH;
    own(close_file) FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    char line[64] = "";
    if (file && fgets(line, sizeof line, file)) {
        char *rest = NULL;
        low = (unsigned)strtoul(line, &rest, 10);
        high = (unsigned)strtoul(rest, NULL, 10); /* what is no range is refused below */
    }
    source_ports_beside(low, high, ret_first, ret_count);
}

void source_ports_few(unsigned shares, uint16_t *first, uint16_t *count)
{
    uint32_t random = 0;
    uint32_t few = FEW_PORTS * shares;
    ssize_t got = getrandom(&random, sizeof random, 0);
    (void)got; /* so few bytes neither fail nor stop halfway */
    if (*count <= few)
        return;
    *first = (uint16_t)(*first + random % (*count - few + 1u));
    *count = (uint16_t)few;
}
