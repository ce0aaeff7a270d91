/* The bounce scan (-b): an FTP server is told to open its data connections to the targets (RFC 959, PORT and
 * LIST; RFC 2428, EPRT), and from what it says of each follows the state of a port. No packet of ours goes to
 * a target.
 *
 * Several control connections work at the same time, as many as the server allows. A port whose connection
 * broke is asked again over another. What the server itself refuses is its own affair: such a port is unknown
 * (relay-refused). */
#pragma once

#include "engine/engine.h"

/* The server, and how to log in. Texts hold no control characters. */
struct bounce_relay {
    struct addr addr;
    uint16_t port;
    const char *user, *password; /* must outlive the scanner */
};

/* A scanner of the plan's hosts and the specs' ports, all hosts being taken as up. config->io must have
 * streams. EX_OSERR without memory. *config and *relay are copied; what they point to must outlive the
 * scanner. */
int bounce_new(const struct engine_config *config, const struct bounce_relay *relay, struct scanner **ret,
               struct error *err);
