/* The packet processes of a scan, as the supervisor sees them: usually one, with --workers several, each with
 * a share of the hosts, with sockets, engine and channel of its own. They know nothing of one another. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "cli/channel.h"
#include "cli/job/job.h"
#include "netio/live/sockets.h"

struct crew_member {
    struct channel channel;
    pid_t pid;                         /* 0: has ended */
    int status;                        /* how it ended, as wait(2) says */
    char backend[CHANNEL_BACKEND_MAX]; /* that it opened */
};

struct crew {
    struct crew_member members[WORKERS_MAX];
    unsigned count;
    struct sockets *unused; /* a set for each member that none of them has; NULL: they took them */
};

/* Fork job->worker_count of them, and wait until all are ready. On failure none is left.
 *   sockets  a set for each. Closed here, unless the scan connects and nobody needs them: then they are
 *            borrowed, for crew_close_unused */
int crew_start(struct job *job, struct sockets *sockets, struct crew *ret, struct error *err);

/* End those who still live, and release everything; an empty one is fine. */
void crew_end(struct crew *crew);

/* Close what nobody needs. Closing packet sockets for good waits for the kernel, some 10 ms each: a scan that
 * runs already does not wait for that. */
void crew_close_unused(struct crew *crew);

/* Tell all. Who cannot even be told is killed. */
void crew_command(struct crew *crew, enum command command);
void crew_signal(const struct crew *crew, int number); /* to those who live */

/* Take note of who has ended, whose last records are in the ring by then. False: nobody lives. */
bool crew_look(struct crew *crew);

/* What all together have counted so far. */
struct packet_totals crew_totals(const struct crew *crew);
