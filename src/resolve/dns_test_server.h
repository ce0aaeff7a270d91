/* A DNS server for the tests, good and bad: how it answers a reverse question depends on the last number of
 * the address that is asked about. */
#pragma once

#include <stdint.h>

enum dns_manner {
    DNS_NORMAL,        /* "host.example" */
    DNS_STRANGE_BYTES, /* DNS_STRANGE_NAME */
    DNS_LOOP,          /* a compression pointer to itself */
    DNS_TOO_LONG,      /* a name of 400 bytes */
    DNS_CNAME,         /* behind a CNAME, "alias.example" */
    DNS_CNAME_LOOP,    /* CNAMEs in a circle */
    DNS_OVER_TCP,      /* "tcp.example", but only over TCP */
    DNS_WRONG_ID,      /* an answer to a question that was never asked */
    DNS_WRONG_NAME,    /* the right id, but another question and answer */
    DNS_SILENT,
    DNS_NO_NAME,   /* NXDOMAIN */
    DNS_REFUSED,   /* by policy */
    DNS_ZERO_BYTE, /* a zero in a label */
    DNS_CUT,       /* the reply ends in the middle of its answer */
    DNS_MANY,      /* a count of 65535 answers, none of them there */
    DNS_GARBAGE,   /* 12 bytes that claim to be a reply with everything */
    DNS_MANNER_COUNT
};

#define DNS_STRANGE_NAME "\x1b[31m\r\n<&>'\"\xff\x80 .example"

/* Besides, "good.example" has the addresses 198.18.0.7, 198.18.0.8 and 2001:db8::7; "four.example" only
 * 198.18.0.4; and "loop.example" is an alias of itself. There are no other names.
 *
 * Serve UDP and TCP at 127.0.0.1, `port`, until killed. Opens the sockets before it forks, so questions may
 * be sent at once. Returns the process. */
int dns_test_server_start(uint16_t port);
