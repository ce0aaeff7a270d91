/* What an FTP server's replies say of the port that it was told to connect to, or of the server itself. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/bounce/ftp_reply.h"

/* What the server has shown to be its way; learned from its replies. */
struct bounce_habits {
    bool connects_at_port; /* it connects as soon as it is told where, at PORT, and not at LIST */
    bool connects_first;   /* a failure comes without a 1xx before it: so a 1xx means that it has connected */
};

/* One command, and how its answer came. */
struct bounce_asked {
    bool names_target; /* PORT or EPRT; else LIST or NLST */
    bool marked;       /* a 1xx has come */
    bool late; /* later than a target that answers at once would be: the server may have lost patience */
};

enum bounce_meaning {
    BOUNCE_WAIT,        /* more is to come */
    BOUNCE_ACCEPTED,    /* PORT: the target is known, the connection is not made yet */
    BOUNCE_OPEN,        /* it has connected */
    BOUNCE_CLOSED,      /* it was refused */
    BOUNCE_SILENT,      /* its connect() timed out */
    BOUNCE_DOUBTFUL,    /* refused, or timed out: it came late, and does not say */
    BOUNCE_UNREACHABLE, /* its connect() ended with an ICMP error */
    BOUNCE_REFUSED,     /* the server does not want to */
    BOUNCE_NO_COMMAND,  /* LIST: it does not know the command */
    BOUNCE_GONE,        /* it is about to hang up */
};

/* Learns habits on the way. */
enum bounce_meaning bounce_judge(const struct bounce_asked *asked, const struct ftp_reply *reply,
                                 struct bounce_habits *habits);
