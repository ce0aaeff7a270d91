#include "cli/then.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HARMLESS "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:,-_%"

struct then_command {
    struct then_command *next;
    char *text; /* owned */
};

void then_init(struct then *then, const char *template, struct talk *talk)
{
    *then = (struct then){.template = template, .talk = talk};
}

/* The open ports as "22,80"; each number once, whatever its protocol. NULL: none, or no memory. */
static char *list_ports(const struct host_result *host)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    uint64_t listed[65536 / 64] = {0};
    if (!out)
        return NULL;
    for (uint32_t i = 0; i < host->port_count; i++) {
        uint16_t port = host->ports[i].port;
        if (host->ports[i].state != PORT_OPEN || (listed[port >> 6] >> (port & 63) & 1))
            continue;
        listed[port >> 6] |= UINT64_C(1) << (port & 63);
        fprintf(out, "%s%u", ftell(out) > 0 ? "," : "", port);
    }
    if (fclose(out) == 0 && len > 0)
        return text;
    free(text);
    return NULL;
}

static char *replace_words(const char *template, const char *host, const char *ports)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    for (const char *at = template; *at;) {
        if (strncmp(at, "{host}", 6) == 0) {
            fputs(host, out);
            at += 6;
        } else if (strncmp(at, "{ports}", 7) == 0) {
            fputs(ports, out);
            at += 7;
        } else {
            fputc(*at++, out);
        }
    }
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

char *then_expand(const char *template, const struct host_result *host)
{
    char address[ADDR_TEXT_MAX];
    addr_format(&host->addr, address);
    if (address[strspn(address, HARMLESS)])
        return NULL; /* the zone of a link-local address is the name of an interface, which may be any text */
    char *ports = list_ports(host);
    char *text = ports ? replace_words(template, address, ports) : NULL;
    free(ports);
    return text;
}

static int spawn(const char *text, pid_t *ret)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

    char *copy = strdup(text);
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, copy, NULL};
    int r = copy ? posix_spawn(ret, "/bin/sh", &actions, &attributes, argv, environ) : ENOMEM;
    free(copy);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return r;
}

static struct then_command *take_first(struct then *then)
{
    struct then_command *command = then->first;
    then->first = command->next;
    if (!then->first)
        then->last = NULL;
    return command;
}

/* Start what waits, as far as there is room. */
static void start_waiting(struct then *then)
{
    for (unsigned i = 0; i < THEN_RUNNING_MAX && then->first; i++) {
        if (then->running[i] != 0)
            continue;
        struct then_command *command = take_first(then);
        fflush(stdout);
        talk_clear(then->talk);
        int number = spawn(command->text, &then->running[i]);
        if (number != 0) {
            then->running[i] = 0;
            talk_note(then->talk, "--then: cannot run '%s': %s", command->text, strerror(number));
        }
        free(command->text);
        free(command);
    }
}

void then_host(struct then *then, const struct host_result *host)
{
    char *text = then->template ? then_expand(then->template, host) : NULL;
    struct then_command *command = text ? calloc(1, sizeof *command) : NULL;
    if (!command) {
        free(text);
        return;
    }
    command->text = text;
    if (then->last)
        then->last->next = command;
    else
        then->first = command;
    then->last = command;
    start_waiting(then);
}

void then_reap(struct then *then)
{
    for (unsigned i = 0; i < THEN_RUNNING_MAX; i++) {
        int status = 0;
        if (then->running[i] == 0 || waitpid(then->running[i], &status, WNOHANG) != then->running[i])
            continue;
        then->running[i] = 0;
        if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
            talk_note(then->talk, "--then: a command ended with status %d", WEXITSTATUS(status));
        else if (WIFSIGNALED(status))
            talk_note(then->talk, "--then: a command was ended by signal %d", WTERMSIG(status));
    }
    start_waiting(then);
}

bool then_busy(const struct then *then)
{
    for (unsigned i = 0; i < THEN_RUNNING_MAX; i++) {
        if (then->running[i] != 0)
            return true;
    }
    return then->first != NULL;
}

void then_stop(struct then *then)
{
    while (then->first) {
        struct then_command *command = take_first(then);
        free(command->text);
        free(command);
    }
    for (unsigned i = 0; i < THEN_RUNNING_MAX; i++) {
        if (then->running[i] != 0)
            kill(then->running[i], SIGTERM);
    }
}
