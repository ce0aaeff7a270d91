/* The idle scan's own state, shared by its files, each of which uses only those behind it: idle.c (is the
 * zombie fit? then one target after the other), target.c (which test comes next), weigh.c (what a test says),
 * trial.c (of a port that shows too little), sweep.c (the search for the lag), show.c (what is to be expected
 * in a test, and when it showed), window.c (a test: send, ask, count), report.c (records), send.c
 * (packets). */
#pragma once

#include "engine/idle/background.h"
#include "engine/idle/evidence.h"
#include "engine/idle/group_plan.h"
#include "engine/idle/idle.h"
#include "engine/idle/lag.h"
#include "engine/idle/port_groups.h"
#include "engine/idle/sweep.h"
#include "engine/idle/zombie.h"
#include "engine/path/pacer.h"

#define IDLE_WINDOWS_MAX   64 /* tests in flight */
#define IDLE_ECHOES_MAX    256
#define IDLE_STEPS_MAX     64   /* questions within one window, about */
#define IDLE_QUESTIONS_MAX 8192 /* that are remembered */

enum window_kind {
    WINDOW_PORTS, /* SYNs in the zombie's name to the ports of a group */
    WINDOW_NAME,  /* SYN/ACKs in the target's name to the zombie: are they answered, with the same counter? */
    WINDOW_WAY,   /* SYNs to a port on trial: do its answers show, and when? */
    WINDOW_CONTROL /* nothing: what does the zombie send by itself? */
};

/* A test: a stretch of the zombie's time, between two questions, in which what we send shows. Times are those
 * at which a question of ours leaves that reaches the zombie at that moment. */
struct window {
    uint8_t kind; /* enum window_kind */
    uint32_t group;
    uint32_t count; /* of its ports */
    uint32_t port;  /* the next one that is sent to */
    unsigned copies;
    struct lag_span lag;  /* as it was assumed */
    int64_t open_at_ns;   /* when the opening question is due */
    int64_t burst_at_ns;  /* when sending begins, */
    int64_t burst_end_ns; /* and when it ended; TIME_NEVER: it has not */
    int64_t close_at_ns;  /* TIME_NEVER: not known yet */
    int64_t ask_every_ns; /* questions in between; 0: none */
    int64_t next_ask_ns;
    uint32_t sent;                 /* packets of the burst so far, of count * copies */
    uint64_t opening, opening_end; /* serials of the questions at its ends; equal: not asked yet */
    uint64_t closing, closing_end;
};

/* SYN/ACKs that targets will repeat because something was lost: packets of ours that come too late for their
 * window. */
struct echo {
    struct lag_span when; /* of the zombie's time, as above */
    double packets;
};

enum trial_result { TRIAL_NONE, TRIAL_RUNS, TRIAL_OPEN, TRIAL_FAILED };

struct trial {
    uint8_t result;          /* enum trial_result */
    uint32_t group;          /* of one port */
    unsigned quiet, planned; /* windows without anything of ours, and tests */
    unsigned open;           /* tests that have not been weighed */
    unsigned tests;          /* that have */
    double evidence, shown, sent;
    struct lag_span lag; /* the hull of what showed */
    double share;        /* of SYNs that showed in the last trial of an open port; 1: there was none */
};

enum idle_phase {
    IDLE_REACH,   /* is the station of the zombie, or of the target, known? */
    IDLE_QUALIFY, /* which IDs has the zombie? */
    IDLE_NAME,    /* does it count what we send in the target's name? */
    IDLE_PORTS
};

struct idle {
    struct scanner scanner;
    struct engine_config config;
    struct netio *io;
    int64_t now_ns;
    struct rand rand;
    struct pacer pacer;
    struct rtt_limits rtt_limits;
    struct background background; /* the zombie's own traffic */
    struct zombie zombie;
    struct question questions[IDLE_QUESTIONS_MAX]; /* to it */

    /* The target in work. */
    struct addr target;   /* ADDR_NONE: none is */
    struct addr neighbor; /* whose station is asked for in IDLE_REACH */
    uint64_t next_host;   /* of the plan */
    int64_t target_began_ns;
    int64_t wake_ns; /* of IDLE_REACH and IDLE_QUALIFY */
    struct arrival arrival;
    struct lag lag;
    struct sweep sweep; /* while the lag is unknown */
    struct port_groups groups;
    double name_evidence; /* ln of the likelihood ratio that packets in its name are counted */
    unsigned name_tests;
    unsigned neighbor_asked;
    uint32_t last_group;   /* that was tested */
    uint32_t chosen_group; /* to be tested after the control before it; GROUP_NIL: none */
    uint32_t syn_count;    /* SYNs to it so far */
    unsigned jumps, windows_weighed;
    struct trial trial;

    /* Tests in flight, and what they leave behind. */
    struct window windows[IDLE_WINDOWS_MAX]; /* a ring, in the order of time */
    unsigned window_first, window_count;
    int64_t chain_ns; /* when the last window closes or closed */
    struct echo echoes[IDLE_ECHOES_MAX];
    unsigned echo_count; /* so far; a ring */

    unsigned silent_targets; /* that ended in a row because the zombie was silent */
    uint64_t hosts_done, hosts_up, probes_sent, unsent;
    int64_t next_progress_ns;
    int last_unsent_error;
    uint8_t phase; /* enum idle_phase */
    bool neighbor_known;
    bool qualified;
    bool stopping;
    bool over;
};

/* send.c */
void idle_send(struct idle *idle, struct probe *probes, uint32_t count);
void idle_ask(struct idle *idle, unsigned count);        /* the zombie, at most 4 times */
struct probe idle_syn(struct idle *idle, uint32_t spec); /* to the target, in the zombie's name */
struct probe idle_named(struct idle *idle);              /* a SYN/ACK to the zombie, in the target's name */

/* report.c */
void idle_note(struct idle *idle, enum note note, const struct addr *host, uint64_t first, uint64_t second);
void idle_report_port(struct idle *idle, uint32_t index, enum port_state state, enum reason reason,
                      unsigned tries);
void idle_report_up(struct idle *idle); /* the target, unless discovery has said so */
void idle_report_done(struct idle *idle, uint8_t flags);
void idle_report_progress(struct idle *idle);

/* window.c */
int64_t idle_window_guard_ns(const struct idle *idle); /* that a window is wider than the lag, at each end */
struct window *idle_window_add(struct idle *idle, enum window_kind kind, struct lag_span lag);
/* Behind all that are planned, and a pause, one in which nothing is sent: what shows in it is the zombie's
 * own. */
void idle_control_add(struct idle *idle, int64_t pause_ns, int64_t len_ns);
/* When the next window may begin; TIME_NEVER: the last one is still being sent, or there are too many. */
int64_t idle_window_may_begin_ns(const struct idle *idle, struct lag_span lag);
void idle_windows_run(struct idle *idle); /* send what is due */
int64_t idle_windows_wake_ns(const struct idle *idle);
void idle_windows_forget(struct idle *idle);

/* What a complete window shows: packets that nothing but it, chance and echoes explain. */
struct window_count {
    bool known;      /* else questions at its ends were lost, and nothing is */
    int64_t packets; /* the zombie's, without its answers to us */
    int64_t span_ns;
    unsigned doubtful; /* questions that it may have answered, or not */
    struct lag_step steps[IDLE_STEPS_MAX];
    unsigned step_count;
};

/* The oldest window, once it is complete; it is gone then. False: it is not. */
bool idle_windows_take(struct idle *idle, struct window *ret, struct window_count *ret_count);

/* sweep.c: while the lag is unknown */
void idle_sweep_run(struct idle *idle);
int64_t idle_sweep_wake_ns(const struct idle *idle);
void idle_sweep_reset(struct idle *idle);  /* another target comes */
void idle_sweep_failed(struct idle *idle); /* no port was found open with the lag that was guessed */
/* One was: use what the search has shown of the others.
 *   right  enough of what it answers shows at the lag that was guessed */
void idle_sweep_succeeded(struct idle *idle, bool right);

/* show.c */
struct evidence_test idle_test_of(const struct idle *idle, const struct window *window,
                                  const struct window_count *count);
/* What showed in this stretch will in part be repeated, after 1, 3 and 7 s: where a reset was lost, and where
 * the SYN/ACK was. */
void idle_note_echoes(struct idle *idle, int64_t from_ns, int64_t to_ns, double shown);
/* When in a window something showed: this share of it, however much the way varies. */
struct lag_span idle_find_peak(const struct idle *idle, const struct window *window,
                               const struct window_count *count, double shown, double share);

/* trial.c */
void idle_trial_reset(struct idle *idle); /* another target comes */
bool idle_shows_enough(const struct idle *idle, const struct group *group);
void idle_trial_begin(struct idle *idle, uint32_t index);
void idle_trial_run(struct idle *idle); /* plan its windows */
void idle_trial_weigh(struct idle *idle, const struct window *window, const struct window_count *count);
int64_t idle_trial_begins_ns(const struct idle *idle); /* its next window; TIME_NEVER: it waits */
void idle_trial_void(struct idle *idle, const struct window *window); /* a test came to nothing */

/* weigh.c */
void idle_weigh(struct idle *idle); /* all windows that are complete */

/* target.c */
void idle_target_begin(struct idle *idle); /* its station is known: test the name, then the ports */
void idle_target_run(struct idle *idle);   /* test on, and end the target when all is known */
int64_t idle_target_wake_ns(const struct idle *idle);
void idle_target_stop(struct idle *idle, enum idle_trouble trouble); /* and say why */
void idle_target_end(struct idle *idle, uint8_t flags);              /* report it; the next one comes */
