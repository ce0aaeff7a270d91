/* Single keys from the terminal while a scan runs. The terminal is only touched while this process is in its foreground, and is
 * given back as it was. */
#pragma once

#include <stdbool.h>
#include <termios.h>

struct terminal {
    bool active; /* keys are read one by one now */
    struct termios saved;
};

/* Take the terminal, when standard input and standard error are one and we are in its foreground; else nothing happens. */
void terminal_take(struct terminal *terminal);
void terminal_give_back(struct terminal *terminal);

/* The next key, or 0 when there is none. */
char terminal_key(struct terminal *terminal);

int terminal_fd(const struct terminal *terminal); /* to poll; -1: none */
