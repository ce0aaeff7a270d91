/* Reading the replies of an FTP server, RFC 959 section 4.2: a code of three digits, and text for people;
 * several lines when a hyphen follows the code, up to a line with the same code and a blank. Bytes may come
 * in pieces of any size.
 *
 * Taken as well, since servers send it: lines that end in LF alone, a code without text, empty lines between
 * replies. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define FTP_TEXT_MAX  256   /* of a reply's text is kept, with the final NUL */
#define FTP_REPLY_MAX 32768 /* bytes of one reply: what goes on for longer is none */

struct ftp_reply {
    uint16_t code; /* 100 .. 599 */
    /* all lines with their codes, a blank after each; what is not printable ASCII is '?' */
    char text[FTP_TEXT_MAX];
};

/* A reply as far as it has come. All zero to begin with. */
struct ftp_reader {
    struct ftp_reply reply;
    uint16_t text_len;
    uint32_t len;       /* bytes of this reply so far; 0: it has not begun */
    uint8_t line_len;   /* of the line so far; more than its code and what follows is not counted */
    uint8_t start[4];   /* that code, and the byte behind it */
    bool several_lines; /* the first line was followed by a hyphen */
    bool broken;        /* no reply: nothing after it can be read any more */
};

enum ftp_progress {
    FTP_MORE,   /* everything is read, and no reply is complete */
    FTP_REPLY,  /* *ret is the next one; there may be more in `in` */
    FTP_BROKEN, /* the server does not speak FTP, or without end */
};

/* Read on. Leaves in `in` what follows the reply. */
enum ftp_progress ftp_read(struct ftp_reader *reader, struct reader *in, struct ftp_reply *ret);
