/* Foreign text (names from DNS, services, the command line, file names) is kept as the raw bytes it came in,
 * and escaped once: where it is written. Every sink follows one rule and differs only in what it may keep: a
 * byte that is kept stands for itself, any other becomes the four characters \xNN (lower-case hex), and so
 * does the backslash. What was written therefore never holds a control byte, and the raw bytes can be had
 * back from it. */
#pragma once

#include <stddef.h>
#include <stdio.h>

enum escape_sink {
    /* Terminal, normal report, logs, messages: keeps ASCII 0x20 to 0x7e. */
    ESCAPE_TEXT,
    /* A field of the grepable report: keeps what ESCAPE_TEXT keeps, except / , ( and ), which separate fields
     * there. */
    ESCAPE_GREPABLE,
    /* A value for an XML writer, which still has to write & < > " and what is not ASCII as references: keeps
     * the characters of XML 1.0 section 2.2 in valid UTF-8, except control characters (C0 with tab and line
     * ends, DEL, C1), line and paragraph separators and the marks that change the direction of text. */
    ESCAPE_XML,
    /* A string for a JSON writer, which still has to write control characters, < > & and what is not ASCII as
     * \uNNNN: keeps all valid UTF-8 (RFC 3629). */
    ESCAPE_JSON,
};

#define ESCAPE_MAX(len) (4 * (len) + 1) /* room that the escaped form of len bytes and its end need at most */

/* How many of the first `len` bytes of `text` make one character that the sink keeps; 0: the first byte is
 * escaped. len >= 1 */
size_t escape_kept(enum escape_sink sink, const char *text, size_t len);

/* Writes the escaped form of a string, as far as it fits without cutting an escape in two, and a terminating
 * zero.
 *   capacity  >= 1; ESCAPE_MAX(strlen(text)) is always enough
 * Returns the length written. */
size_t escape_copy(enum escape_sink sink, const char *text, char *ret, size_t capacity);

/* The escaped form in memory of its own, to be freed. NULL without memory. */
char *escape_new(enum escape_sink sink, const char *text);

/* Writes the escaped form to a file. */
void escape_write(enum escape_sink sink, const char *text, FILE *out);
