/* The names of addresses in the hosts file (hosts(5)), read once: reverse look-ups come in thousands. */
#pragma once

#include <stddef.h>

#include "base/addr.h"

struct hosts_entry {
    struct addr addr;
    char *name; /* owned; the first one on the line */
    size_t line;
};

struct hosts {
    struct hosts_entry *entries; /* owned; sorted by address */
    size_t count;
};

/* Read a hosts file. One that cannot be read is empty, and lines that make no sense are skipped, as in every
 * program that reads it. */
void hosts_load(const char *path, struct hosts *ret);

/* The name of an address on the first line that has it, or NULL. Borrowed until hosts_done. */
const char *hosts_find(const struct hosts *hosts, const struct addr *addr);

void hosts_done(struct hosts *hosts);
