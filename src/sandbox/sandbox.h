/* The sandbox: from the moment a process has opened what it needs, it can open nothing more than its role
 * does, whatever bytes it is fed. Two layers of the kernel do it, one that limits system calls and one that
 * limits files; what a kernel does not have is named, and the scan goes on without it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "sandbox/role.h"

#define SANDBOX_TEXT_MAX   160
#define SANDBOX_STORES_MAX 2

struct sandbox_config {
    enum sandbox_role role;
    bool unwanted;             /* --no-sandbox */
    const char *directory;     /* of SANDBOX_STORE: its files may be opened, made and removed; else NULL */
    const char *const *stores; /* of SANDBOX_READER: these files, and the logs beside them, may be read */
    size_t store_count;        /* <= SANDBOX_STORES_MAX */
    const pid_t *children;     /* whom it may signal; those of 0 are passed over */
    size_t child_count;
};

enum sandbox_layer {
    SANDBOX_ON,
    SANDBOX_UNWANTED,
    SANDBOX_MISSING,   /* this kernel does not have it */
    SANDBOX_SANITIZERS /* a build for tests: address and leak checks make calls and open files of their own */
};

struct sandbox_state {
    enum sandbox_layer calls;
    enum sandbox_layer files;
    unsigned landlock_version;
};

/* What would hold on this machine, in this build. */
struct sandbox_state sandbox_possible(void);

/* Limit this process, which must have one thread, for good. It gives up gaining privilege in any case.
 *   ret_state  NULL: not asked for
 * EX_OSERR: a layer that exists could not be put on. */
int sandbox_enter(const struct sandbox_config *config, struct sandbox_state *ret_state, struct error *err);

/* In words, without full stop: "system calls are limited, files are limited (Landlock 7)". */
void sandbox_describe(const struct sandbox_state *state, char ret[static SANDBOX_TEXT_MAX]);
