/* One error: the sentence the user reads, and the exit status the program ends with.
 *
 * Only set-up can fail this way (a bad option, a missing file, a socket that cannot be opened). A strange
 * packet is data, not an error, and a bug of ours is an assert. Libraries never print and never exit; main
 * does. */
#pragma once

#include <sysexits.h>

#define ERROR_TEXT_MAX 512

struct error {
    int status;                /* of sysexits.h: EX_USAGE, EX_DATAERR, EX_NOINPUT, ... */
    char text[ERROR_TEXT_MAX]; /* one line, no full stop, names what is wrong and where; not yet escaped */
};

/* Fill in *err. Returns -status, so that a function can end with `return error_set(...)`.
 *   err     may be NULL: then only the status is returned
 *   status  of sysexits.h, > 0 */
int error_set(struct error *err, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
