/* Names of hosts: the forward look-ups while targets are read, and the reverse ones while the scan runs. The
 * resolver's process is started at the first use, so that a scan without names never has one. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "cli/options/options.h"
#include "plan/targets.h"
#include "resolve/resolver.h"
#include "results/results.h"

struct names {
    const struct options *options; /* borrowed */
    struct resolver *resolver;     /* NULL: not started */
    struct error failure;          /* of the first target whose name has no address; status 0: none */
    struct addr *waiting;          /* a ring of addresses that are still to be asked for */
    size_t waiting_first, waiting_count, waiting_capacity;
};

void names_init(struct names *names, const struct options *options);
void names_done(struct names *names);

/* For targets_add and its like; borrow `names`. A name without an address is passed over as a target, and the
 * first is kept in `failure`; among the excluded it ends the reading, as else it would be scanned. */
struct target_resolver names_for_targets(struct names *names);
struct target_resolver names_for_excluded(struct names *names);

/* After the targets: end the resolver, or start it, as reverse look-ups need. Fails as resolver_start
 * does. */
int names_prepare_reverse(struct names *names, struct error *err);

/* A host is known to be up or down: ask for its name if the options say so. */
void names_ask(struct names *names, struct results *results, const struct addr *host);

/* Answers are there, or may be: hand them to results. */
void names_read(struct names *names, struct results *results);

pid_t names_pid(const struct names *names); /* 0: there is no process */
int names_fd(const struct names *names);    /* to poll; -1: none */
bool names_busy(const struct names *names); /* questions are open */
