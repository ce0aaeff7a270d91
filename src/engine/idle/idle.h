/* The idle scan: asks a target for open ports in a third host's name, and reads in that host's IDs how often
 * it was answered. doc/decisions/008 explains the statistics. */
#pragma once

#include "engine/engine.h"

struct idle_options {
    struct addr zombie;
    uint16_t zombie_port;
};

/* EX_OSERR without memory, EX_UNAVAILABLE without a way to the zombie. *config is copied; what it points to
 * must outlive the scanner. */
int idle_new(const struct engine_config *config, const struct idle_options *options, struct scanner **ret,
             struct error *err);
