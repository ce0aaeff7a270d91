#include "engine/bounce/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct bounce_asked target = {.names_target = true};
static const struct bounce_asked list = {.marked = false};
static const struct bounce_asked marked = {.marked = true};
static const struct bounce_asked late = {.late = true};

/* What a reply means to a server of which nothing is known yet. */
static enum bounce_meaning judge(const struct bounce_asked *asked, unsigned code, const char *text)
{
    struct bounce_habits habits = {.connects_first = false};
    struct ftp_reply reply = {.code = (uint16_t)code};
    snprintf(reply.text, sizeof reply.text, "%u %s ", code, text);
    return bounce_judge(asked, &reply, &habits);
}

static void a_transfer_shows_an_open_port(void **state)
{
    (void)state;
    assert_int_equal(judge(&target, 200, "PORT command successful."), BOUNCE_ACCEPTED);
    assert_int_equal(judge(&list, 150, "Here comes the directory listing."), BOUNCE_WAIT);
    assert_int_equal(judge(&list, 125, "Data connection already open."), BOUNCE_WAIT);
    assert_int_equal(judge(&marked, 226, "Directory send OK."), BOUNCE_OPEN);
    assert_int_equal(judge(&list, 250, "Done."), BOUNCE_OPEN);
}

static void a_failed_connection_is_closed_unless_it_says_why(void **state)
{
    (void)state;
    assert_int_equal(judge(&list, 425, "Failed to establish connection."), BOUNCE_CLOSED);
    assert_int_equal(judge(&marked, 426, "Connection closed; transfer aborted."), BOUNCE_CLOSED);
    assert_int_equal(judge(&late, 425, "Can't open: Connection refused"), BOUNCE_CLOSED);
    assert_int_equal(judge(&list, 425, "Can't open: Connection timed out"), BOUNCE_SILENT);
    assert_int_equal(judge(&list, 425, "Can't open: No route to host"), BOUNCE_UNREACHABLE);
    assert_int_equal(judge(&list, 425, "Can't open: Network is unreachable"), BOUNCE_UNREACHABLE);
}

static void one_that_comes_late_may_be_the_servers_own_time_out(void **state)
{
    (void)state;
    assert_int_equal(judge(&late, 425, "Failed to establish connection."), BOUNCE_DOUBTFUL);
}

static void what_the_server_does_not_want_is_its_own_affair(void **state)
{
    (void)state;
    assert_int_equal(judge(&target, 500, "Illegal PORT command."), BOUNCE_REFUSED);
    assert_int_equal(judge(&target, 522, "Network protocol not supported"), BOUNCE_REFUSED);
    assert_int_equal(judge(&target, 421, "Rejected command, requested IP does not match"), BOUNCE_REFUSED);
    assert_int_equal(judge(&list, 425, "Use PORT or PASV first."), BOUNCE_REFUSED);
    assert_int_equal(judge(&list, 425, "Can't open: Permission denied"), BOUNCE_REFUSED);
    assert_int_equal(judge(&list, 450, "Requested file action not taken."), BOUNCE_REFUSED);
    assert_int_equal(judge(&list, 550, "Permission denied."), BOUNCE_REFUSED);
    assert_int_equal(judge(&list, 500, "OOPS: Illegal port request"), BOUNCE_REFUSED); /* vsftpd */
    assert_int_equal(judge(&list, 502, "Command not implemented."), BOUNCE_NO_COMMAND);
    assert_int_equal(judge(&list, 421, "Timeout."), BOUNCE_GONE);
    assert_int_equal(judge(&target, 421, "Service not available."), BOUNCE_GONE);
}

static void a_server_that_connects_at_port_is_known_by_what_it_says_to_port(void **state)
{
    (void)state;
    struct bounce_habits habits = {.connects_at_port = false};
    struct ftp_reply accepted = {.code = 200, .text = "200 Fine. "};
    struct ftp_reply failed = {.code = 425, .text = "425 Can't connect to specified address. "};
    struct ftp_reply timed_out = {.code = 421, .text = "421 Active data channel timed out. "};
    assert_int_equal(bounce_judge(&target, &accepted, &habits), BOUNCE_ACCEPTED);
    assert_int_equal(bounce_judge(&target, &failed, &habits), BOUNCE_CLOSED);
    assert_true(habits.connects_at_port);
    assert_int_equal(bounce_judge(&target, &accepted, &habits), BOUNCE_OPEN);

    habits.connects_at_port = false;
    assert_int_equal(bounce_judge(&target, &timed_out, &habits), BOUNCE_SILENT);
    assert_true(habits.connects_at_port);
    assert_int_equal(judge(&target, 200, "Active data connection established."), BOUNCE_OPEN);
}

static void a_mark_means_open_once_failures_came_without(void **state)
{
    (void)state;
    struct bounce_habits habits = {.connects_first = false};
    struct ftp_reply failed = {.code = 425, .text = "425 Failed. "};
    struct ftp_reply broken = {.code = 426, .text = "426 Failure writing network stream. "};
    assert_int_equal(bounce_judge(&marked, &failed, &habits), BOUNCE_CLOSED);
    assert_false(habits.connects_first);
    assert_int_equal(bounce_judge(&list, &failed, &habits), BOUNCE_CLOSED);
    assert_true(habits.connects_first);
    assert_int_equal(bounce_judge(&marked, &broken, &habits), BOUNCE_OPEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transfer_shows_an_open_port),
        cmocka_unit_test(a_failed_connection_is_closed_unless_it_says_why),
        cmocka_unit_test(one_that_comes_late_may_be_the_servers_own_time_out),
        cmocka_unit_test(what_the_server_does_not_want_is_its_own_affair),
        cmocka_unit_test(a_server_that_connects_at_port_is_known_by_what_it_says_to_port),
        cmocka_unit_test(a_mark_means_open_once_failures_came_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
