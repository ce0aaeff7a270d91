/* The bounce scan's own state, shared by its files: bounce (the turn), work (which port next, and what
 * becomes of it), talk (the dialogue on one control connection), relay (what the server is worth). */
#pragma once

#include "engine/bounce/bounce.h"
#include "engine/bounce/judge.h"
#include "engine/emit.h"
#include "engine/path/rtt.h"

/* Control connections that work at the same time, and all, with those on which the server still waits for a
 * silent port. */
#define BOUNCE_WORKING_MAX  16
#define BOUNCE_SESSIONS_MAX 48

/* Ports that wait to be asked again: so many at most, new ones being asked first; and the hosts of these, of
 * those at work, and the one at which the walk stands. */
#define BOUNCE_WAITING_MAX 256
#define BOUNCE_HOSTS_MAX   (BOUNCE_WAITING_MAX + 1)

/* A server that has refused so many orders of a kind, and never took one, takes none. */
#define BOUNCE_REFUSALS_ENOUGH 2

/* A port that is being asked, or waits to be asked again. */
struct bounce_probe {
    uint64_t host; /* position in the plan's order */
    uint32_t spec;
    uint8_t tries; /* that drew no answer */
    uint8_t drops; /* connections that broke over it */
    uint8_t syns;  /* of the server, that those tries must have lost if the port does answer */
};

enum bounce_step {
    STEP_NONE, /* no connection */
    STEP_CONNECT,
    STEP_GREETING,
    STEP_USER,
    STEP_PASS,
    STEP_READY,  /* nothing is asked */
    STEP_TARGET, /* PORT or EPRT */
    STEP_LIST,   /* LIST or NLST */
    STEP_STUCK,  /* as STEP_TARGET or STEP_LIST, but the port is not waited for any more */
};

struct bounce_session {
    uint8_t step;              /* enum bounce_step */
    bool names_target;         /* the last command was PORT or EPRT, */
    bool second_choice;        /* or NLST; and it was EPRT for an IPv4 target, or NLST */
    bool marked;               /* a 1xx has come */
    bool fruitful;             /* some port was judged on it */
    uint8_t replies;           /* to the last command */
    struct bounce_probe probe; /* of STEP_TARGET, STEP_LIST and STEP_STUCK */
    int64_t asked_ns;          /* when the last command was sent */
    int64_t heard_ns;          /* when the first byte of the reply came that is being read */
    int64_t deadline_ns;       /* of this step */
    struct ftp_reader reader;
};

/* A host some of whose ports are asked, or have been. */
struct bounce_host {
    bool used;
    uint64_t position;
    uint32_t left; /* ports without a state */
    uint8_t tries; /* most that a silent port took */
    int64_t start_ns;
};

/* How the server takes orders to connect to some kind of port. */
struct bounce_consent {
    uint32_t obeyed, refused;
    unsigned code;     /* of the last refusal, */
    bool names_target; /* which was that of PORT or EPRT; else of LIST or NLST */
};

struct bounce {
    struct scanner scanner;
    struct engine_config config;
    struct bounce_relay relay;
    struct netio *io;
    int64_t now_ns; /* as of this turn, or of the event at hand */

    struct bounce_session sessions[BOUNCE_SESSIONS_MAX];
    unsigned allowed;      /* connections that the server seems to bear */
    unsigned failures;     /* connections that came to nothing, in a row */
    bool was_in;           /* a login has succeeded */
    bool has_grown;        /* the server took an order, and got more than one connection */
    bool has_told;         /* it has said what became of one */
    int64_t next_open_ns;  /* not before, a connection */
    int64_t next_start_ns; /* not before, the next port (--scan-delay, --max-rate) */

    uint64_t next_host; /* the next port that was never asked: host and spec */
    uint32_t next_spec;
    uint64_t hosts_walked;                           /* so far: next_host passes over those that are down */
    struct bounce_probe waiting[BOUNCE_WAITING_MAX]; /* to be asked again; the first has waited longest */
    unsigned waiting_count;
    struct bounce_host hosts[BOUNCE_HOSTS_MAX];

    struct bounce_habits habits;
    struct bounce_consent low, high, v6; /* ports below 1024, the others; IPv6 targets */
    bool eprt_for_v4;                    /* PORT was refused, EPRT may not be */
    bool nlst;                           /* LIST is not known */
    struct rtt_limits rtt_limits;
    struct rtt command_rtt, answer_rtt; /* of the server alone; of server and target */
    uint64_t answers;                   /* ports that were open or closed */
    uint64_t syns_seen, syns_lost;      /* of the server: tries that we know the fate of */

    uint64_t probes_sent, rejected;
    uint64_t hosts_done;
    int64_t next_progress_ns;
    bool stopping, given_up, over;
};

/* work.c: the next port to ask. False: none is left, but perhaps some are on their way. */
bool work_next(struct bounce *bounce, struct bounce_probe *ret);
bool work_is_done(const struct bounce *bounce);
uint64_t work_left(const struct bounce *bounce); /* ports that are neither asked nor settled */
void work_settle(struct bounce *bounce, const struct bounce_probe *probe, enum port_state state,
                 enum reason reason, int64_t rtt_ns);

/* No answer came, or one so late that it may be none. It is asked again, until it is silent for sure. */
void work_missed(struct bounce *bounce, struct bounce_probe *probe, bool only_late);
void work_dropped(struct bounce *bounce, struct bounce_probe *probe); /* its connection broke */
void work_correct(struct bounce *bounce, const struct bounce_probe *probe, enum port_state state,
                  enum reason reason); /* it answered after all */
void work_time_out_hosts(struct bounce *bounce);
void work_abandon(struct bounce *bounce); /* the hosts at work are reported as unfinished */
struct addr work_addr(const struct bounce *bounce, const struct bounce_probe *probe);
uint16_t work_port(const struct bounce *bounce, const struct bounce_probe *probe);

/* What the server allows for this port. */
struct bounce_consent *work_consent(struct bounce *bounce, const struct bounce_probe *probe);

/* talk.c: the events of netio. */
extern const struct netio_events bounce_events;
void talk_open(struct bounce *bounce, uint32_t number);
void talk_ask(struct bounce *bounce, uint32_t number, const struct bounce_probe *probe);
void talk_check_deadline(struct bounce *bounce, uint32_t number);
void talk_quit(struct bounce *bounce, uint32_t number);

/* Has PORT drawn no answer for as long as a silent port takes? */
bool talk_may_be_silent(const struct bounce *bounce, const struct bounce_session *session);

/* relay.c: what is known of the server. It has connections, or such as are not stuck; */
unsigned relay_sessions(const struct bounce *bounce, bool working);

/* ... it is of no use: number is the reply code or errno that shows it; */
void relay_give_up(struct bounce *bounce, enum relay_trouble trouble, unsigned number);

/* ... a connection has ended without a port judged on it, and its step is none again; */
void relay_session_failed(struct bounce *bounce, bool while_logging_in, enum relay_trouble trouble,
                          unsigned number);

/* ... and this it never did for us, although it was asked. */
void relay_note_refusals(struct bounce *bounce);

static inline void bounce_emit(struct bounce *bounce, const struct record *record)
{
    bounce->config.emit(bounce->config.context, record);
}
