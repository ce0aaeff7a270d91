/* What passes between the program and its name process, and what does not. */
#include "resolve/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "resolve/forward.h"

static struct message ptr_message(const char *name)
{
    struct message message = {.kind = MESSAGE_PTR, .id = 5};
    message_set_text(&message, name);
    return message;
}

static void a_message_arrives_as_it_was_sent(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    struct message sent = ptr_message("host.example"), received;
    assert_int_equal(message_receive(fds[1], MSG_DONTWAIT, &received), MESSAGE_BUSY);
    assert_int_equal(message_send(fds[0], &sent, 0), MESSAGE_OK);
    assert_int_equal(message_receive(fds[1], MSG_DONTWAIT, &received), MESSAGE_OK);
    assert_memory_equal(&sent, &received, sizeof sent);
    close(fds[0]);
    assert_int_equal(message_receive(fds[1], MSG_DONTWAIT, &received), MESSAGE_CLOSED);
    assert_int_equal(message_send(fds[1], &sent, 0), MESSAGE_CLOSED);
    close(fds[1]);
}

static void a_message_of_another_size_is_refused(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    struct message pair[2] = {ptr_message("a"), ptr_message("b")}, received;
    const size_t sizes[] = {1, sizeof pair[0] - 1, sizeof pair[0] + 1, sizeof pair};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(send(fds[0], pair, sizes[i], 0), sizes[i]);
        assert_int_equal(message_receive(fds[1], MSG_DONTWAIT, &received), MESSAGE_CLOSED);
    }
    close(fds[0]);
    close(fds[1]);
}

static void only_text_that_ends_where_its_length_says_is_valid(void **state)
{
    (void)state;
    struct message message = ptr_message("host");
    assert_true(message_valid(&message));
    message.text_len = 5;
    assert_false(message_valid(&message));
    message.text_len = 3;
    assert_false(message_valid(&message));

    memset(message.text, 'a', sizeof message.text);
    message.text_len = RESOLVER_NAME_MAX;
    assert_false(message_valid(&message)); /* no zero at the end */
    message.text[RESOLVER_NAME_MAX] = '\0';
    assert_true(message_valid(&message));
}

static void an_address_must_be_one(void **state)
{
    (void)state;
    struct message message = {.kind = MESSAGE_ASK_PTR, .addr = addr_v4(0x7f000001)};
    assert_true(message_valid(&message));
    message.addr.bytes[4] = 1; /* behind an IPv4 address there are zeros */
    assert_false(message_valid(&message));
    message.addr.family = ADDR_V6;
    assert_true(message_valid(&message));
    message.addr.family = ADDR_NONE;
    assert_false(message_valid(&message));
    message.addr.family = 5;
    assert_false(message_valid(&message));
}

static void fields_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    struct message message = ptr_message("host");
    message.status = 1; /* a name, and no server could say it */
    assert_false(message_valid(&message));
    message = (struct message){.kind = MESSAGE_READY, .status = 69}; /* no reason given */
    assert_false(message_valid(&message));
    message = (struct message){.kind = MESSAGE_ASK_FORWARD}; /* no name */
    assert_false(message_valid(&message));
    message = (struct message){.kind = MESSAGE_KIND_COUNT};
    assert_false(message_valid(&message));
}

static void odd_ways_to_write_an_address_are_not_names(void **state)
{
    (void)state;
    const char *const names[] = {"localhost", "a",  "host.example", "host.example.",
                                 "1.host",    "x1", "10.0.0.1a",    "0a"};
    const char *const not_names[] = {"",       ".",        "10.1",       "1",   "192.168.1", "0x7f",
                                     "0x7f.1", "1.2.3.4.", "0177.0.0.1", "a..", "a.0xg"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(forward_is_name(names[i]));
    for (size_t i = 0; i < sizeof not_names / sizeof *not_names; i++)
        assert_false(forward_is_name(not_names[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_arrives_as_it_was_sent),
        cmocka_unit_test(a_message_of_another_size_is_refused),
        cmocka_unit_test(only_text_that_ends_where_its_length_says_is_valid),
        cmocka_unit_test(an_address_must_be_one),
        cmocka_unit_test(fields_that_contradict_each_other_are_refused),
        cmocka_unit_test(odd_ways_to_write_an_address_are_not_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
