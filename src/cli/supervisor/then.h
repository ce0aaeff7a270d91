/* --then: a command for each finished host with open ports. The supervisor only says which host and which
 * ports; a process of its own, which has neither sockets nor reports and is started before the supervisor
 * gives up running programs, makes the commands of the template and runs them, as the user and without the
 * limits of the sandbox. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "cli/talk.h"
#include "results/results.h"

#define THEN_RUNNING_MAX 8

struct then_waiting;

struct then {
    struct talk *talk;                 /* for notes on commands that fail */
    pid_t runner;                      /* 0: none */
    int fd;                            /* to the runner; -1: none, or no more */
    struct then_waiting *first, *last; /* owned */
    unsigned running_count;
};

#define THEN_NONE                                                                                            \
    {                                                                                                        \
        .fd = -1                                                                                             \
    }

/* Start the runner if there is a template; NULL: there is nothing to run. EX_OSERR: no process. */
int then_start(const char *template, struct talk *talk, struct then *ret, struct error *err);

/* Run the command for this host, now or when others have ended. Hosts without open ports are passed over. */
void then_host(struct then *then, const struct host_result *host);

int then_fd(const struct then *then); /* to poll; -1: none */

/* Commands have ended, perhaps: look, and start what waits. */
void then_read(struct then *then);

bool then_busy(const struct then *then);

/* Run no more, ask those that run to end, and end the runner. */
void then_stop(struct then *then);
