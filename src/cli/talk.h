/* What Portolan says to its user on standard error: one line a message, and on a terminal a progress line
 * below them. Whatever is not printable ASCII is escaped here as \xNN, wherever it came from. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

struct talk {
    FILE *out;       /* standard error; borrowed */
    bool terminal;   /* it is one, and progress lines may be drawn */
    bool line_drawn; /* a progress line stands there now */
};

struct talk talk_new(FILE *out);

/* "portolan: ..." and a line end. */
void talk_say(struct talk *talk, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "portolan: note: ...": worth knowing, and the scan goes on. */
void talk_note(struct talk *talk, const char *format, ...) __attribute__((format(printf, 2, 3)));

void talk_error(struct talk *talk, const struct error *err);

/* A line of its own, without "portolan: ". */
void talk_line(struct talk *talk, const char *text);

/* Draw the progress line anew, as far as the terminal is wide; only on a terminal. The text is our own, not
 * escaped. */
void talk_progress(struct talk *talk, const char *text);

/* Take the progress line away, before anybody else writes to the terminal. */
void talk_clear(struct talk *talk);
