/* Which system calls a process may still make (seccomp(2), through libseccomp). Whoever makes another is
 * ended by the kernel at once, with SIGSYS; there is nothing left to handle, for such a process is no longer
 * ours. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "sandbox/role.h"

/* Has this kernel the filters? */
bool calls_filter_exists(void);

/* Limit this process for good. It must have a single thread.
 *   children  whom it may signal beside itself
 * EX_OSERR: it is not limited. */
int calls_limit(enum sandbox_role role, const pid_t *children, size_t child_count, struct error *err);
