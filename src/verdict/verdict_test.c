#include "verdict/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void protocols_have_the_names_of_the_xml_format(void **state)
{
    (void)state;
    assert_string_equal(protocol_name(PROTOCOL_TCP), "tcp");
    assert_string_equal(protocol_name(PROTOCOL_UDP), "udp");
    assert_string_equal(protocol_name(PROTOCOL_SCTP), "sctp");
    assert_string_equal(protocol_name(PROTOCOL_IP), "ip");
}

static void states_have_the_names_of_the_reference_guide(void **state)
{
    (void)state;
    static const char *const expected[PORT_STATE_COUNT] = {
        "unknown", "open", "closed", "filtered", "unfiltered", "open|filtered", "closed|filtered",
    };
    for (unsigned i = 0; i < PORT_STATE_COUNT; i++)
        assert_string_equal(state_name((enum port_state)i), expected[i]);
}

/* Consumers look these up in tables of their own: a misspelt reason is lost there. */
static void reasons_that_consumers_know_are_spelled_as_they_expect(void **state)
{
    (void)state;
    static const struct {
        enum reason reason;
        const char *name;
    } expected[] = {
        {REASON_NO_RESPONSE, "no-response"},
        {REASON_SYN_ACK, "syn-ack"},
        {REASON_RESET, "reset"},
        {REASON_CONN_REFUSED, "conn-refused"},
        {REASON_UDP_RESPONSE, "udp-response"},
        {REASON_PROTO_RESPONSE, "proto-response"},
        {REASON_INIT_ACK, "init-ack"},
        {REASON_ABORT, "abort"},
        {REASON_NET_UNREACH, "net-unreach"},
        {REASON_HOST_UNREACH, "host-unreach"},
        {REASON_PROTO_UNREACH, "proto-unreach"},
        {REASON_PORT_UNREACH, "port-unreach"},
        {REASON_NET_PROHIBITED, "net-prohibited"},
        {REASON_HOST_PROHIBITED, "host-prohibited"},
        {REASON_ADMIN_PROHIBITED, "admin-prohibited"},
        {REASON_TIME_EXCEEDED, "time-exceeded"},
        {REASON_ECHO_REPLY, "echo-reply"},
        {REASON_TIMESTAMP_REPLY, "timestamp-reply"},
        {REASON_ARP_RESPONSE, "arp-response"},
        {REASON_ND_RESPONSE, "nd-response"},
        {REASON_LOCALHOST_RESPONSE, "localhost-response"},
        {REASON_USER_SET, "user-set"},
        {REASON_IPID_CHANGE, "ipid-change"},
        {REASON_NO_IPID_CHANGE, "no-ipid-change"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_string_equal(reason_name(expected[i].reason), expected[i].name);
}

static void every_reason_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        assert_true(strlen(reason_name((enum reason)i)) > 0);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(reason_name((enum reason)i), reason_name((enum reason)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protocols_have_the_names_of_the_xml_format),
        cmocka_unit_test(states_have_the_names_of_the_reference_guide),
        cmocka_unit_test(reasons_that_consumers_know_are_spelled_as_they_expect),
        cmocka_unit_test(every_reason_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
