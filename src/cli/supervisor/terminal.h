/* Single keys from the terminal while a scan runs. The terminal is only touched while this process is in its
 * foreground, and is given back as it was, even when this process is killed: another one, which does nothing
 * else, then does it. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

struct terminal {
    bool active;   /* keys are read one by one now */
    pid_t keeper;  /* the process that sets the terminal right after us; 0: none, and keys are not read */
    int keeper_fd; /* tells it how things are; -1 */
    struct termios saved;
};

#define TERMINAL_NONE                                                                                        \
    {                                                                                                        \
        .keeper_fd = -1                                                                                      \
    }

/* Start the keeper, when standard input and standard error are a terminal. Without it, or when it cannot be
 * started, keys are not read.
 *   sandbox  the keeper gives up what it does not need */
void terminal_open(struct terminal *ret, bool sandbox);
void terminal_close(struct terminal *terminal); /* gives the terminal back */

/* Take the terminal if we are in its foreground; else nothing happens. */
void terminal_take(struct terminal *terminal);
void terminal_give_back(struct terminal *terminal);

/* The next key, or 0 when there is none. */
char terminal_key(struct terminal *terminal);

int terminal_fd(const struct terminal *terminal); /* to poll; -1: none */
