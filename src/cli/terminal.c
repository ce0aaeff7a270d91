#include "cli/terminal.h"

#include <unistd.h>

static bool in_foreground(void)
{
    return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

void terminal_take(struct terminal *terminal)
{
    if (terminal->active || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) || !in_foreground() ||
        tcgetattr(STDIN_FILENO, &terminal->saved) < 0)
        return;
    struct termios keys = terminal->saved;
    keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    keys.c_cc[VMIN] = 0;
    keys.c_cc[VTIME] = 0;
    terminal->active = tcsetattr(STDIN_FILENO, TCSADRAIN, &keys) == 0;
}

void terminal_give_back(struct terminal *terminal)
{
    if (terminal->active && in_foreground())
        tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->saved);
    terminal->active = false;
}

char terminal_key(struct terminal *terminal)
{
    char key = 0;
    if (!terminal->active)
        return 0;
    if (!in_foreground() || read(STDIN_FILENO, &key, 1) < 0)
        terminal->active = false; /* it is somebody else's until SIGCONT says otherwise */
    return key;
}

int terminal_fd(const struct terminal *terminal)
{
    return terminal->active ? STDIN_FILENO : -1;
}
