/* Words of a text file, separated by blanks and line ends, without comments ('#' to the end of the line).
 * Streams: memory does not depend on the file. Takes LF and CRLF, passes over a UTF-8 byte order mark, and
 * refuses what is not text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

#define WORD_TEXT_MAX 1024 /* bytes of one word */

struct words {
    FILE *file;
    const char *path; /* for errors; borrowed */
    uint64_t line;    /* of the next byte, from 1 */
    uint64_t column;  /* likewise, in bytes */
    size_t at;        /* next byte of the buffer */
    size_t len;       /* bytes in the buffer */
    bool owns_file;
    unsigned char buffer[8192];
};

struct word {
    uint64_t line;
    uint64_t column;
    size_t len;
    char text[WORD_TEXT_MAX + 1]; /* zero-terminated; no control characters in it */
};

/* Open a file; "-" is the standard input when `dash_is_stdin`. EX_NOINPUT, naming the file, when it cannot be
 * opened or is a directory.
 *   path  borrowed until words_close */
int words_open(struct words *ret, const char *path, bool dash_is_stdin, struct error *err);

/* The next word. 1, 0 at the end, or EX_DATAERR for binary data or a word that is too long, EX_NOINPUT for a
 * failed read (negative, as error_set returns them). */
int words_next(struct words *words, struct word *ret, struct error *err);

void words_close(struct words *words);
