#include "report/ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "base/rand.h"

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct port_set));
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static void assert_ranges(const struct port_set *set, const char *expected)
{
    own(free_ptr) char *text = ranges_of_set(set, PORTS_TCP);
    assert_non_null(text);
    assert_string_equal(text, expected);
}

static void no_port_is_an_empty_text(void **state)
{
    assert_ranges(*state, "");
}

static void neighbours_become_a_range(void **state)
{
    struct port_set *set = *state;
    static const uint16_t ports[] = {0, 1, 3, 4, 5, 80, 65534, 65535};
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++)
        port_set_add(set, PORTS_TCP, ports[i]);
    port_set_add(set, PORTS_UDP, 2);
    assert_ranges(set, "0-1,3-5,80,65534-65535");
}

static void all_ports_are_one_range(void **state)
{
    struct port_set *set = *state;
    for (uint32_t port = 0; port <= UINT16_MAX; port++)
        port_set_add(set, PORTS_TCP, (uint16_t)port);
    assert_ranges(set, "0-65535");
}

/* Reads the text back, for any set: from a few ports to nearly all. */
static void the_text_names_the_ports_of_the_set(void **state)
{
    struct port_set *set = *state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct rand rand = {.state = seed};
        uint64_t share = 1 + rand_below(&rand, 99);
        memset(set, 0, sizeof *set);
        for (uint32_t port = 0; port <= UINT16_MAX; port++)
            if (rand_below(&rand, 100) < share)
                port_set_add(set, PORTS_TCP, (uint16_t)port);
        own(free_ptr) char *text = ranges_of_set(set, PORTS_TCP);
        assert_non_null(text);
        for (char *at = text; *at; at += *at == ',') {
            unsigned long first = strtoul(at, &at, 10);
            unsigned long last = *at == '-' ? strtoul(at + 1, &at, 10) : first;
            for (unsigned long port = first; port <= last; port++) {
                if (!port_set_has(set, PORTS_TCP, (uint16_t)port))
                    fail_msg("seed %u: port %lu", (unsigned)seed, port);
                port_set_remove(set, PORTS_TCP, (uint16_t)port);
            }
        }
        assert_int_equal(port_set_count(set, PORTS_TCP), 0);
    }
}

static void a_reason_has_the_ports_of_its_state_and_protocol_alone(void **state)
{
    (void)state;
    static const struct port_result ports[] = {
        {.port = 1, .protocol = PROTOCOL_TCP, .state = PORT_CLOSED, .reason = REASON_RESET},
        {.port = 2, .protocol = PROTOCOL_TCP, .state = PORT_CLOSED, .reason = REASON_RESET},
        {.port = 3, .protocol = PROTOCOL_TCP, .state = PORT_CLOSED, .reason = REASON_CONN_REFUSED},
        {.port = 4, .protocol = PROTOCOL_TCP, .state = PORT_OPEN, .reason = REASON_RESET},
        {.port = 5, .protocol = PROTOCOL_TCP, .state = PORT_CLOSED, .reason = REASON_RESET},
        {.port = 6, .protocol = PROTOCOL_UDP, .state = PORT_CLOSED, .reason = REASON_RESET},
    };
    struct host_result host = {.ports = ports, .port_count = 6};
    struct fold_reason reason = {.state = PORT_CLOSED, .reason = REASON_RESET, .protocol = PROTOCOL_TCP};
    own(free_ptr) char *text = ranges_of_reason(&host, &reason);
    assert_string_equal(text, "1-2,5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_port_is_an_empty_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(neighbours_become_a_range, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_ports_are_one_range, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_text_names_the_ports_of_the_set, set_up, tear_down),
        cmocka_unit_test(a_reason_has_the_ports_of_its_state_and_protocol_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
