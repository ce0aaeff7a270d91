#include "cli/then.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"

static const struct port_result ports[] = {
    {.port = 22, .protocol = PROTOCOL_TCP, .state = PORT_OPEN},
    {.port = 23, .protocol = PROTOCOL_TCP, .state = PORT_CLOSED},
    {.port = 53, .protocol = PROTOCOL_TCP, .state = PORT_OPEN},
    {.port = 53, .protocol = PROTOCOL_UDP, .state = PORT_OPEN},
    {.port = 69, .protocol = PROTOCOL_UDP, .state = PORT_OPEN_FILTERED},
};

static struct host_result host_with_ports(const char *address, uint32_t count)
{
    struct host_result host = {.up = true, .ports = ports, .port_count = count};
    assert_true(addr_parse(address, &host.addr));
    return host;
}

static void host_and_open_ports_are_filled_in_wherever_they_stand(void **state)
{
    (void)state;
    struct host_result host = host_with_ports("198.18.0.2", 5);
    char *text = then_expand("nmap -sV -p {ports} {host} -oX {host}.xml {other} {hos", &host);
    assert_string_equal(text, "nmap -sV -p 22,53 198.18.0.2 -oX 198.18.0.2.xml {other} {hos");
    free(text);

    host = host_with_ports("2001:db8::2", 1);
    text = then_expand("{host}{ports}", &host);
    assert_string_equal(text, "2001:db8::222");
    free(text);
}

static void a_host_without_open_ports_gets_no_command(void **state)
{
    (void)state;
    struct host_result host = host_with_ports("198.18.0.2", 0);
    assert_null(then_expand("true {host}", &host));
    host.ports = &ports[1];
    host.port_count = 1;
    assert_null(then_expand("true {host}", &host));
}

static void names_from_outside_never_reach_the_shell(void **state)
{
    (void)state;
    struct host_result host = host_with_ports("198.18.0.2", 1);
    host.ptr_name = "$(reboot)";
    host.user_name = ";reboot";
    char *text = then_expand("echo {host}", &host);
    assert_string_equal(text, "echo 198.18.0.2");
    free(text);
}

static void commands_are_run_and_waited_for(void **state)
{
    (void)state;
    char path[] = "/tmp/then-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    char command[64];
    snprintf(command, sizeof command, "echo {host} >> %s", path);

    struct talk talk = talk_new(stderr);
    struct then then;
    then_init(&then, command, &talk);
    const unsigned count = THEN_RUNNING_MAX + 5;
    for (unsigned i = 0; i < count; i++) {
        struct host_result host = host_with_ports("198.18.0.2", 1);
        then_host(&then, &host);
    }
    assert_true(then_busy(&then));
    for (unsigned waited = 0; then_busy(&then) && waited < 1000; waited++) {
        then_reap(&then);
        usleep(10000);
    }
    assert_false(then_busy(&then));
    assert_int_equal(lseek(fd, 0, SEEK_END), count * strlen("198.18.0.2\n"));
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_and_open_ports_are_filled_in_wherever_they_stand),
        cmocka_unit_test(a_host_without_open_ports_gets_no_command),
        cmocka_unit_test(names_from_outside_never_reach_the_shell),
        cmocka_unit_test(commands_are_run_and_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
