/* An FTP server in the simulated network that connects to others as it is told (RFC 959, RFC 2428): what it
 * says to each command, and when. Well-behaved, forbidding, strange or hostile. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/rand.h"
#include "netio/sim/sim.h"

/* What a server that is broken, or means harm, does at one step of the dialogue. */
enum sim_relay_fault {
    SIM_FAULT_NONE,
    SIM_FAULT_SILENCE,
    SIM_FAULT_GARBAGE, /* lines that are no replies */
    SIM_FAULT_LINES,   /* a reply without end, line after line */
    SIM_FAULT_LINE,    /* one line that never ends */
    SIM_FAULT_DRIP,    /* the same, a byte every ten seconds */
    SIM_FAULT_HANG_UP,
    SIM_FAULT_RESET,
    SIM_FAULT_COUNT
};

/* What it is like. */
struct sim_relay {
    struct addr addr;
    uint16_t port;
    int64_t rtt_ns;        /* from us to it */
    int64_t jitter_ns;     /* until it starts with a command, uniform 0 .. jitter_ns */
    bool forbids;          /* it connects to nobody else: 500 to PORT */
    bool forbids_low;      /* the same of ports below 1024 */
    bool low_ends;         /* 500 to LIST for such a port, and it hangs up */
    bool no_list;          /* it knows NLST and not LIST */
    bool connects_at_port; /* at PORT already, not at LIST */
    bool marks_first;      /* 150 before it connects, not after */
    bool gives_reasons;    /* 425 says why */
    bool several_lines;    /* in every reply */
    bool has_eprt;
    bool wants_no_password;     /* 230 to USER */
    bool knows_nobody;          /* 530 to PASS */
    unsigned sessions_max;      /* 421 to those beyond; 0: any number */
    int64_t connect_timeout_ns; /* of its own; 0: that of its kernel */
    int64_t drip_ns;            /* between two bytes; 0: whole replies */
    uint8_t fault;              /* enum sim_relay_fault */
    const char *fault_at;       /* a command, "" for the greeting, or "226": what comes after 150 */
    double drop;                /* chance that it hangs up instead of answering a command */
    double loss;                /* of each packet between it and the targets */
};

#define SIM_SAYINGS_MAX 8
#define SIM_SAYING_MAX  160
#define SIM_COMMAND_MAX 128

enum sim_saying_kind {
    SIM_SAYS,
    SIM_REPEATS, /* says it again and again, without end */
    SIM_HANGS_UP,
    SIM_RESETS,
};

struct sim_saying {
    int64_t time_ns; /* when it reaches us */
    uint8_t kind;    /* enum sim_saying_kind */
    int64_t gap_ns;  /* of REPEATS: until more of it comes, */
    unsigned len;    /* and how many bytes then */
    char text[SIM_SAYING_MAX];
};

/* One control connection. All zero: none. */
struct sim_session {
    const struct sim_relay *relay;              /* NULL: none */
    struct sim_saying sayings[SIM_SAYINGS_MAX]; /* on their way, in order */
    unsigned saying_count;
    char command[SIM_COMMAND_MAX]; /* as far as it has come */
    unsigned command_len;
    int64_t free_ns; /* when the server has done what it was told so far */
    bool logged_in;
    bool ends;          /* it says nothing more */
    struct addr target; /* of the last PORT; ADDR_NONE: there was none */
    uint16_t port;
};

/* Somebody connects; others: sessions that are there already. */
void sim_session_open(struct sim_session *session, const struct sim_relay *relay, unsigned others,
                      int64_t now_ns, struct rand *rand);

/* Bytes that leave us now. */
void sim_session_take(struct sim_session *session, const struct sim_config *config, const char *bytes,
                      size_t len, int64_t now_ns, struct rand *rand);
