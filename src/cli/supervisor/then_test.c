#include "cli/supervisor/then.h"

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
#include "cli/supervisor/then_runner.h"

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

static struct addr addr_of(const char *text)
{
    struct addr addr;
    assert_true(addr_parse(text, &addr));
    return addr;
}

static void host_and_ports_are_filled_in_wherever_they_stand(void **state)
{
    (void)state;
    const uint16_t numbers[] = {22, 53};
    struct addr host = addr_of("198.18.0.2");
    char *text = then_expand("nmap -sV -p {ports} {host} -oX {host}.xml {other} {hos", &host, numbers, 2);
    assert_string_equal(text, "nmap -sV -p 22,53 198.18.0.2 -oX 198.18.0.2.xml {other} {hos");
    free(text);

    host = addr_of("2001:db8::2");
    text = then_expand("{host}{ports}", &host, numbers, 1);
    assert_string_equal(text, "2001:db8::222");
    free(text);
}

/* A file that commands write to, one line each, and Portolan's side of them. */
struct stage {
    char path[32];
    int fd;
    char command[96];
    struct talk talk;
    struct then then;
};

static void start(struct stage *stage, const char *words)
{
    *stage = (struct stage){.path = "/tmp/then-test-XXXXXX", .talk = talk_new(stderr)};
    stage->fd = mkstemp(stage->path);
    assert_true(stage->fd >= 0);
    snprintf(stage->command, sizeof stage->command, "echo %s >> %s", words, stage->path);
    assert_int_equal(then_start(stage->command, &stage->talk, &stage->then, NULL), 0);
}

/* All that was written, once nothing runs any more. */
static void end(struct stage *stage, char *ret_text, size_t len)
{
    for (unsigned waited = 0; then_busy(&stage->then) && waited < 1000; waited++) {
        then_read(&stage->then);
        usleep(10000);
    }
    assert_false(then_busy(&stage->then));
    then_stop(&stage->then);
    ssize_t got = pread(stage->fd, ret_text, len - 1, 0);
    assert_true(got >= 0);
    ret_text[got] = '\0';
    close(stage->fd);
    unlink(stage->path);
}

static void each_open_port_is_named_once_and_a_host_without_one_gets_no_command(void **state)
{
    (void)state;
    struct stage stage;
    char text[64];
    start(&stage, "{host} {ports}");
    struct host_result without = host_with_ports("198.18.0.3", 2);
    without.ports = &ports[1];
    without.port_count = 1;
    struct host_result host = host_with_ports("198.18.0.2", 5);
    then_host(&stage.then, &without);
    then_host(&stage.then, &host);
    end(&stage, text, sizeof text);
    assert_string_equal(text, "198.18.0.2 22,53\n");
}

static void names_from_outside_never_reach_the_shell(void **state)
{
    (void)state;
    struct stage stage;
    char text[64];
    start(&stage, "{host}");
    struct host_result host = host_with_ports("198.18.0.2", 1);
    host.ptr_name = "$(echo caught)";
    host.user_name = ";echo caught";
    then_host(&stage.then, &host);
    end(&stage, text, sizeof text);
    assert_string_equal(text, "198.18.0.2\n");
}

static void commands_are_run_and_waited_for(void **state)
{
    (void)state;
    struct stage stage;
    char text[1024];
    start(&stage, "{ports}");
    const unsigned count = 2 * THEN_RUNNING_MAX + 5;
    for (unsigned i = 0; i < count; i++) {
        struct host_result host = host_with_ports("198.18.0.2", 1);
        then_host(&stage.then, &host);
    }
    assert_true(then_busy(&stage.then));
    end(&stage, text, sizeof text);
    assert_int_equal(strlen(text), count * strlen("22\n"));
}

static void without_a_template_nothing_is_run(void **state)
{
    (void)state;
    struct then then;
    struct host_result host = host_with_ports("198.18.0.2", 1);
    assert_int_equal(then_start(NULL, NULL, &then, NULL), 0);
    then_host(&then, &host);
    assert_false(then_busy(&then));
    assert_int_equal(then.runner, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_and_ports_are_filled_in_wherever_they_stand),
        cmocka_unit_test(each_open_port_is_named_once_and_a_host_without_one_gets_no_command),
        cmocka_unit_test(names_from_outside_never_reach_the_shell),
        cmocka_unit_test(commands_are_run_and_waited_for),
        cmocka_unit_test(without_a_template_nothing_is_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
