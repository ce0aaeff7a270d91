#include "results/whole_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A host with a service, and a closed port; 0: without a TTL that is known. Is the reset foreign? */
static bool foreign_with(uint8_t pings, uint8_t service, uint8_t reset)
{
    struct port_result ports[] = {
        {.port = 22, .state = PORT_OPEN, .reason = REASON_SYN_ACK, .ttl = service},
        {.port = 23, .state = PORT_CLOSED, .reason = REASON_RESET, .ttl = reset},
    };
    struct host_result host = {.reason = REASON_ECHO_REPLY, .ttl = pings, .ports = ports, .port_count = 2};
    whole_host_derive(&host, ports);
    assert_false(ports[0].foreign);
    return ports[1].foreign;
}

static void a_reset_with_another_ttl_than_the_services_or_pings_is_foreign(void **state)
{
    (void)state;
    assert_true(foreign_with(0, 57, 61));
    assert_true(foreign_with(57, 0, 61));
    assert_false(foreign_with(0, 57, 57));
    assert_false(foreign_with(57, 0, 57));
}

static void a_stack_that_begins_resets_at_another_initial_value_is_no_box(void **state)
{
    (void)state;
    assert_false(foreign_with(0, 57, 248));
    assert_false(foreign_with(57, 0, 121));
}

static void what_is_not_known_marks_nothing(void **state)
{
    (void)state;
    assert_false(foreign_with(0, 57, 0));
    assert_false(foreign_with(0, 0, 57));
}

static void behind_address_translation_both_ttls_are_the_hosts_own(void **state)
{
    (void)state;
    assert_false(foreign_with(58, 57, 57));
    assert_false(foreign_with(58, 57, 58));
    assert_true(foreign_with(58, 57, 61));
}

static void services_that_do_not_agree_say_nothing(void **state)
{
    (void)state;
    struct port_result ports[] = {
        {.port = 22, .state = PORT_OPEN, .reason = REASON_SYN_ACK, .ttl = 57},
        {.port = 80, .state = PORT_OPEN, .reason = REASON_SYN_ACK, .ttl = 55},
        {.port = 81, .state = PORT_CLOSED, .reason = REASON_RESET, .ttl = 61},
    };
    struct host_result host = {.reason = REASON_ARP_RESPONSE, .ports = ports, .port_count = 3};
    whole_host_derive(&host, ports);
    assert_int_equal(host.own_ttl, 0);
    assert_false(ports[2].foreign);
}

static void an_error_that_a_router_sent_under_its_own_name_is_not_marked(void **state)
{
    (void)state;
    struct port_result ports[] = {
        {.port = 22, .state = PORT_OPEN, .reason = REASON_SYN_ACK, .ttl = 57},
        {.port = 80, .state = PORT_FILTERED, .reason = REASON_ADMIN_PROHIBITED, .ttl = 61},
        {.port = 81, .state = PORT_FILTERED, .reason = REASON_ADMIN_PROHIBITED, .ttl = 61},
    };
    ports[2].source = addr_v4(0xcb007101); /* 203.0.113.1 */
    struct host_result host = {.reason = REASON_ARP_RESPONSE, .ports = ports, .port_count = 3};
    whole_host_derive(&host, ports);
    assert_int_equal(host.own_ttl, 57);
    assert_true(ports[1].foreign);
    assert_false(ports[2].foreign);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_with_another_ttl_than_the_services_or_pings_is_foreign),
        cmocka_unit_test(a_stack_that_begins_resets_at_another_initial_value_is_no_box),
        cmocka_unit_test(what_is_not_known_marks_nothing),
        cmocka_unit_test(behind_address_translation_both_ttls_are_the_hosts_own),
        cmocka_unit_test(services_that_do_not_agree_say_nothing),
        cmocka_unit_test(an_error_that_a_router_sent_under_its_own_name_is_not_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
