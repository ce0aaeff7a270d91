/* --then: a command for each finished host with open ports. Commands run as the user, a few at a time, through /bin/sh; {host}
 * and {ports} are replaced by text of digits, letters, points, colons, commas, dashes and percent signs only, so that it means
 * nothing to the shell. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "cli/talk.h"
#include "results/results.h"

#define THEN_RUNNING_MAX 8

struct then_command;

struct then {
    const char *template;              /* borrowed; NULL: nothing to run */
    struct talk *talk;                 /* for notes on commands that fail */
    struct then_command *first, *last; /* waiting; owned */
    pid_t running[THEN_RUNNING_MAX];   /* 0: free */
};

void then_init(struct then *then, const char *template, struct talk *talk);

/* Run the command for this host, now or when others have ended. Hosts without open ports are passed over. */
void then_host(struct then *then, const struct host_result *host);

/* A child process has ended, perhaps one of these: look, and start what waits. */
void then_reap(struct then *then);

bool then_busy(const struct then *then);

/* Run no more, and ask those that run to end. */
void then_stop(struct then *then);

/* The command for a host, to be freed; NULL when it has no open port, its address holds what a shell might read, or without
 * memory. */
char *then_expand(const char *template, const struct host_result *host);
