/* The name process from within: takes questions from the socket, answers them, and ends with it. */
#pragma once

#include "base/error.h"
#include "resolve/dns_servers.h"

struct worker_config {
    int fd; /* the socket to the program */
    struct dns_servers servers;
    int (*confine)(void *context, struct error *err); /* NULL: nothing to give up */
    void *context;
};

/* Run in a freshly forked process. Ends the process, with or without an error. */
_Noreturn void worker_run(const struct worker_config *config);
