/* Shared by the files of the supervisor only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/crew.h"
#include "cli/job/job.h"
#include "cli/supervisor/evidence.h"
#include "cli/supervisor/names.h"
#include "cli/supervisor/outputs.h"
#include "cli/supervisor/progress.h"
#include "cli/supervisor/recorder.h"
#include "cli/supervisor/terminal.h"
#include "cli/supervisor/then.h"
#include "cli/supervisor/zombies.h"
#include "cli/talk.h"
#include "results/results.h"
#include "sandbox/sandbox.h"

#define TRACE_LINE_MAX  512
#define FAILURE_MAX     160
#define ENDING_TEXT_MAX 160

/* What one packet process has told. */
struct told {
    bool ended;                           /* RECORD_END came, */
    uint64_t end_values[END_VALUE_COUNT]; /* and said this, by enum end_value */
    bool cut_short;                       /* ... and said that not everything was done */
    uint64_t progress[PROGRESS_COUNT];    /* the last */
    struct evidence_parts evidence;
    char trace_line[TRACE_LINE_MAX]; /* of --packet-trace, as far as it has come */
    size_t trace_len;
};

struct supervisor {
    struct job *job;
    struct names *names;
    struct crew *crew;
    struct told *told;     /* owned; by member of the crew */
    struct told *speaking; /* whose record is taken in; NULL: nobody's */
    struct talk *talk;
    struct report_run run; /* what the reports look at */
    struct outputs outputs;
    struct results *results;
    struct recorder recorder;
    struct evidence evidence;
    uint64_t earlier_up, earlier_down; /* hosts that were finished before the scan was interrupted */
    struct then then;
    struct terminal terminal;
    struct sandbox_state sandbox;
    struct progress progress;
    int signal_fd;
    int stop_signal;            /* the first that asked us to stop; 0: none */
    bool behind;                /* the rings hold more than was taken in */
    bool stopping;              /* the packet processes were told to stop */
    bool impatient;             /* told twice: wait for nothing */
    char failure[FAILURE_MAX];  /* why a packet process saw no sense in going on; "": it did */
    int64_t next_line_ns;       /* when the progress line is due */
    int64_t next_status_ns;     /* when --stats-every is due; TIME_NEVER: not asked for */
    uint64_t notes[NOTE_COUNT]; /* how often each came */
    struct zombies zombies;     /* of --find-zombie */
};

int64_t supervisor_now_ns(void); /* CLOCK_MONOTONIC */

/* Take in some of what is in the rings; `behind` says whether there is more. In records.c, with what results
 * hand over. */
void supervisor_drain(struct supervisor *supervisor);
int supervisor_open_results(struct supervisor *supervisor, struct error *err);

/* Report again what an interrupted scan had found, and write to the store from now on, which is taken over.
 * In store.c. */
int supervisor_start_store(struct supervisor *supervisor, struct database *database, struct error *err);

/* Say what is left out, and other things known before the first packet. In notes.c. */
void supervisor_note_plan(struct supervisor *supervisor);
void supervisor_note_means(struct supervisor *supervisor); /* sandbox and backend */
void supervisor_note_record(struct supervisor *supervisor, const struct record *record);
void supervisor_note_end(struct supervisor *supervisor);

/* Ask the packet processes to stop, or after the second time end them. In ending.c, with whatever says how a
 * scan ended. */
void supervisor_stop(struct supervisor *supervisor);

/* Has every packet process said that it is done? And has any said that not everything is? */
bool supervisor_all_ended(const struct supervisor *supervisor);
bool supervisor_cut_short(const struct supervisor *supervisor);

/* Why the scan is not complete, or NULL; and the exit status. */
const char *supervisor_judge_end(const struct supervisor *supervisor, char text[static ENDING_TEXT_MAX],
                                 int *ret_status);

/* Can the scan be resumed from its store? */
bool supervisor_can_go_on(const struct supervisor *supervisor);

/* Signals and keys. In events.c. */
int supervisor_open_signals(struct supervisor *supervisor, struct error *err);
void supervisor_read_signals(struct supervisor *supervisor);
void supervisor_read_keys(struct supervisor *supervisor);
void supervisor_read_trace(struct supervisor *supervisor);
void supervisor_show_progress(struct supervisor *supervisor);
