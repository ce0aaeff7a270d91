/* What the program and its name process say to each other: messages of one fixed size without pointers, over
 * a socket that keeps their borders. Neither side trusts the other: message_receive refuses what cannot be
 * meant. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "resolve/resolver.h"

enum message_kind {
    MESSAGE_ASK_FORWARD, /* question: text is a name, addr.family the family wanted, ADDR_NONE for both */
    MESSAGE_ASK_PTR,     /* question: addr */
    MESSAGE_READY,       /* once, at start: status 0, or an exit status and the reason in text */
    MESSAGE_ADDRESS,     /* one address of the name, in addr; then more of them, then: */
    MESSAGE_FORWARD_END, /* text is empty, or says why there is no address */
    MESSAGE_PTR,         /* text is the name, or empty; status 1: because no server could say */
    MESSAGE_KIND_COUNT
};

struct message {
    uint8_t kind;     /* enum message_kind */
    uint8_t text_len; /* <= RESOLVER_NAME_MAX */
    uint16_t status;  /* 0 where nothing else is said */
    uint32_t id;      /* of the question; an answer repeats it */
    struct addr addr;
    char text[RESOLVER_NAME_MAX + 1]; /* text_len bytes, none of them zero, then a zero */
};

enum message_result {
    MESSAGE_OK,
    MESSAGE_BUSY,   /* nothing there, or no room; only when the socket is asked not to wait */
    MESSAGE_CLOSED, /* the other side has gone, or says what cannot be meant */
};

/* Put text into the message, cut to its room. */
void message_set_text(struct message *message, const char *text);

/* Does every field hold what its kind allows? */
bool message_valid(const struct message *message);

/* flags: 0, or MSG_DONTWAIT not to wait. *ret is untouched unless MESSAGE_OK. */
enum message_result message_send(int fd, const struct message *message, int flags);
enum message_result message_receive(int fd, int flags, struct message *ret);
