#include "cli/supervisor/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/descriptors.h"
#include "sandbox/sandbox.h"

/* What the keeper is told each time that changes. */
struct keeper_order {
    bool taken;
    struct termios saved; /* how the terminal was before it was taken */
};

static bool in_foreground(void)
{
    return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

static struct termios key_mode(const struct termios *usual)
{
    struct termios keys = *usual;
    keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    keys.c_cc[VMIN] = 0;
    keys.c_cc[VTIME] = 0;
    return keys;
}

/* Is the terminal still as we left it? If not, it is somebody else's by now, such as the shell's. */
static bool is_in_key_mode(const struct termios *usual)
{
    struct termios keys = key_mode(usual);
    struct termios now;
    return tcgetattr(STDIN_FILENO, &now) == 0 && now.c_iflag == keys.c_iflag && now.c_oflag == keys.c_oflag &&
           now.c_lflag == keys.c_lflag && now.c_cc[VMIN] == 0;
}

/* The keeper: waits for the end of the supervisor, however it comes. In a session of its own neither the keys
 * of the terminal nor a signal to the whole job end it, and it may set the terminal while others are in the
 * foreground. */
static _Noreturn void keep(int fd, bool sandbox)
{
    struct keeper_order order = {.taken = false};
    struct keeper_order next;
    struct sandbox_config config = {.role = SANDBOX_TERMINAL, .unwanted = !sandbox};
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    setsid();
    prctl(PR_SET_NAME, "portolan-keys");
    if (descriptors_keep_only(&fd, 1) < 0 || sandbox_enter(&config, NULL, NULL) < 0)
        _exit(EXIT_FAILURE);

    while (read(fd, &next, sizeof next) == sizeof next)
        order = next;
    if (order.taken && is_in_key_mode(&order.saved))
        tcsetattr(STDIN_FILENO, TCSANOW, &order.saved);
    _exit(EXIT_SUCCESS);
}

/* Wait until nobody has the other end of this pipe any more. */
static void await_end(int fd)
{
    char none;
    while (read(fd, &none, 1) < 0 && errno == EINTR)
        ;
}

/* Returns the keeper, or -1. It closes all it does not need, `ready` too, once it is in a session of its own:
 * before that a signal to the whole job would end it as well, and the terminal is not to be taken. */
static pid_t start_keeper(int orders_fd, bool sandbox)
{
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0)
        keep(orders_fd, sandbox);
    close(ready[1]);
    if (pid > 0)
        await_end(ready[0]);
    close(ready[0]);
    return pid;
}

void terminal_open(struct terminal *ret, bool sandbox)
{
    int orders[2];
    *ret = (struct terminal){.keeper_fd = -1};
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) || pipe2(orders, O_CLOEXEC) < 0)
        return;
    pid_t pid = start_keeper(orders[0], sandbox);
    close(orders[0]);
    if (pid < 0) {
        close(orders[1]);
        return;
    }
    ret->keeper = pid;
    ret->keeper_fd = orders[1];
}

/* False: the keeper is gone, and the terminal is better left alone. */
static bool tell_keeper(const struct terminal *terminal, bool taken)
{
    struct keeper_order order = {.taken = taken, .saved = terminal->saved};
    return write(terminal->keeper_fd, &order, sizeof order) == sizeof order;
}

void terminal_take(struct terminal *terminal)
{
    if (terminal->active || terminal->keeper_fd < 0 || !in_foreground() ||
        tcgetattr(STDIN_FILENO, &terminal->saved) < 0 || !tell_keeper(terminal, true))
        return;
    struct termios keys = key_mode(&terminal->saved);
    terminal->active = tcsetattr(STDIN_FILENO, TCSADRAIN, &keys) == 0;
}

void terminal_give_back(struct terminal *terminal)
{
    if (terminal->active && in_foreground()) {
        tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->saved);
        tell_keeper(terminal, false);
    }
    terminal->active = false;
}

void terminal_close(struct terminal *terminal)
{
    terminal_give_back(terminal);
    if (terminal->keeper_fd >= 0)
        close(terminal->keeper_fd);
    while (terminal->keeper > 0 && waitpid(terminal->keeper, NULL, 0) < 0 && errno == EINTR)
        ;
    *terminal = (struct terminal){.keeper_fd = -1};
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
