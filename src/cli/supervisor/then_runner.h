/* The process that runs the commands of --then. Commands run as the user, a few at a time, through /bin/sh;
 * {host} and {ports} are replaced by text of digits, letters, points, colons, commas, dashes and percent
 * signs only, so that it means nothing to the shell. The template is its own copy: nobody can make it run
 * anything else. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* One message of the supervisor's: run the command for this host. */
struct then_request {
    struct addr host;
    uint32_t port_count; /* > 0 */
    uint16_t ports[];
};

/* One message back for each: the command has ended, or could not be run. */
struct then_reply {
    int error;       /* errno; 0: it ran */
    int wait_status; /* as wait(2) says */
};

/* In a freshly forked process, with the signals blocked that the supervisor reads. Ends with the socket, and
 * asks the commands that run then to end too. */
_Noreturn void then_runner_run(int fd, const char *template);

/* The command for a host, to be freed; NULL when its address holds what a shell might read, or without
 * memory. */
char *then_expand(const char *template, const struct addr *host, const uint16_t *ports, size_t port_count);
