/* Who speaks for a host? SYN proxies, tarpits and firewalls answer SYNs to ports on which nobody listens. So
 * a host with some open ports and no closed one is asked on a few such ports, the dead ports: the key draws
 * them, once for the whole scan, so that no box can know them. What of them the scan asks anyway is not asked
 * twice. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "netio/order.h"

struct engine;
struct packet;
struct scan_block;

#define DEAD_PORTS 8

/* What the SYN/ACKs of one host tell; all zero: nothing yet. */
struct speaker {
    int64_t asked_ns;    /* when its dead ports were asked last */
    uint32_t open_count; /* ports of the scan that sent a SYN/ACK, */
    uint32_t shut_count; /* and how many of those came with a window of 0 */
    uint8_t dead_open;   /* bit i: dead port i sent a SYN/ACK, */
    uint8_t dead_closed; /* or a reset */
    uint8_t asks;        /* times they were asked; 0: never */
    bool wanted;         /* they are to be asked as soon as the rate allows */
};

#define SPEAKERS_WANTED_MAX 1024

/* Part of the engine. */
struct speakers {
    const struct technique *technique; /* of the SYNs; NULL: this scan asks no dead ports */
    uint16_t ports[DEAD_PORTS];
    uint8_t asked_anyway;                    /* bit i: the scan asks port i itself */
    struct addr wanted[SPEAKERS_WANTED_MAX]; /* hosts to be asked; one more is not */
    uint32_t wanted_count;
};

void speakers_init(struct engine *engine);

/* A TCP port of the scan was settled by an answer: engine->packet, or none. */
void speaker_port_settled(struct engine *engine, struct scan_block *scan_block, uint32_t slot, uint16_t port,
                          const struct verdict *verdict);

/* A packet that answers no probe of the scan. Was it the answer of a dead port? */
bool speaker_answer(struct engine *engine, const struct packet *packet);

/* Ask the dead ports of the hosts for whom that is wanted, as far as the rate allows. */
void speakers_run(struct engine *engine);

/* When the next of them may be asked; TIME_NEVER: nobody waits for that. */
int64_t speakers_next_ns(const struct engine *engine);

/* The host's ports are settled. Until when must its dead ports be waited for? A time that is over, or 0: not
 * at all. Asks them again where some have answered, and not enough to tell. */
int64_t speaker_wait_until_ns(struct engine *engine, struct scan_block *scan_block, uint32_t slot);

/* Flags of its RECORD_HOST_DONE that follow. speaker may be NULL. */
uint8_t speaker_flags(const struct speaker *speaker);
