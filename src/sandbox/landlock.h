/* Landlock (Documentation/userspace-api/landlock.rst): a process gives up the files, and as the kernel is
 * newer also the TCP ports and the signals, that it will not need. libc has no functions for it, and the
 * kernel headers of Debian 12 know its first two versions only, so what is used of the interface is spelled
 * out here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum landlock_access {
    LANDLOCK_READ,  /* open for reading, list directories */
    LANDLOCK_CHANGE /* that, and make, write, cut short and remove regular files */
};

struct landlock_path {
    const char *path; /* a file, or a directory with all beneath it; followed if it is a link */
    enum landlock_access access;
};

struct landlock_limits {
    const struct landlock_path *paths; /* that may still be opened; what does not exist is passed over */
    size_t path_count;
    bool no_tcp;     /* neither connect to a TCP port nor take one (version 4) */
    bool no_signals; /* none to a process outside, nor talk to its abstract sockets (version 6) */
};

/* The version of the kernel's interface; 0: it has none, or it is switched off. */
unsigned landlock_version(void);

/* Keep to the limits for good, as far as `version`, of landlock_version and not 0, knows them. What is open
 * stays usable. The process must have given up gaining privilege (PR_SET_NO_NEW_PRIVS). EX_OSERR: nothing, or
 * not all, is limited. */
int landlock_enter(const struct landlock_limits *limits, unsigned version, struct error *err);
