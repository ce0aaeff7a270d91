/* Packet sockets that something of the kernel's own closes. In namespaces of its own (netns_lab.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "netio/live/sockets.h"
#include "netio/netns_lab.h"

#define LOOKS   1000
#define LOOK_NS (10 * MSEC)

/* The ninth column of /proc/net/packet, and the last. */
static unsigned long number_in(char *line)
{
    char *rest = NULL, *column = strtok_r(line, " \n", &rest);
    for (int i = 1; column && i < 9; i++)
        column = strtok_r(NULL, " \n", &rest);
    return column ? strtoul(column, NULL, 10) : 0;
}

/* Is there a packet socket with this number? */
static bool is_there(ino_t inode)
{
    char line[256];
    bool found = false;
    FILE *file = fopen("/proc/thread-self/net/packet", "r");
    assert_non_null(file);
    while (!found && fgets(line, sizeof line, file))
        found = number_in(line) == inode;
    fclose(file);
    return found;
}

static ino_t open_all(struct sockets *ret)
{
    struct error err = {0};
    struct stat capture;
    assert_int_equal(sockets_open(ret, &err), 0);
    assert_int_equal(fstat(ret->capture, &capture), 0);
    assert_true(is_there(capture.st_ino));
    return capture.st_ino;
}

static void packet_sockets_that_are_closed_are_held(void **state)
{
    (void)state;
    struct sockets sockets;
    ino_t inode = open_all(&sockets);
    bool held = sockets.late >= 0; /* not everywhere is that allowed */
    close(sockets.frames);
    close(sockets.capture);
    sockets.frames = sockets.capture = -1;
    assert_int_equal(is_there(inode), held);
    sockets_close(&sockets);
}

static void they_go_when_all_is_closed(void **state)
{
    (void)state;
    struct sockets sockets;
    ino_t inode = open_all(&sockets);
    sockets_close(&sockets);
    for (int i = 0; i < LOOKS && is_there(inode); i++)
        nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
    assert_false(is_there(inode));
}

int main(void)
{
    struct netns_lab lab;
    netns_lab_open(&lab);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packet_sockets_that_are_closed_are_held),
        cmocka_unit_test(they_go_when_all_is_closed),
    };
    int failed = cmocka_run_group_tests_name("late close", tests, NULL, NULL);
    netns_lab_close(&lab);
    return failed;
}
