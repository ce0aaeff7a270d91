/* Owning locals: `own(close_fd) int fd = ...;` releases at the end of the scope, whatever the way out. A
 * function that hands the thing on takes it out of the local first, with take_fd or take_ptr. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define own(release) __attribute__((cleanup(own_##release)))

static inline void own_close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline int take_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

/* For pointers to anything that free() releases: declare as `own(free_ptr) void *p` or cast at use. */
static inline void own_free_ptr(void *pointer)
{
    free(*(void **)pointer);
}

static inline void own_close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}
