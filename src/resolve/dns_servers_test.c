/* The user's list of DNS servers. */
#include "resolve/dns_servers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void addresses_with_and_without_ports_are_read(void **state)
{
    (void)state;
    struct dns_servers servers;
    assert_int_equal(
        dns_servers_parse("198.18.0.1,198.18.0.2:5353,2001:db8::1,[2001:db8::2]:54", &servers, NULL), 0);
    const char *addresses[] = {"198.18.0.1", "198.18.0.2", "2001:db8::1", "2001:db8::2"};
    const uint16_t ports[] = {53, 5353, 53, 54};
    assert_int_equal(servers.count, 4);
    for (size_t i = 0; i < servers.count; i++) {
        char text[ADDR_TEXT_MAX];
        assert_string_equal(addr_format(&servers.list[i].addr, text), addresses[i]);
        assert_int_equal(servers.list[i].port, ports[i]);
    }
}

static void whatever_is_no_server_is_refused_and_named(void **state)
{
    (void)state;
    const char *const wrong[] = {"",
                                 ",",
                                 "198.18.0.1,",
                                 "dns.example",
                                 "198.18.0.1:",
                                 "198.18.0.1:0",
                                 "198.18.0.1:65536",
                                 "198.18.0.1:5x",
                                 "198.18.0.1:+53",
                                 "[198.18.0.1]:53",
                                 "[2001:db8::1",
                                 "[2001:db8::1]53",
                                 "[2001:db8::1]:",
                                 "fe80::1%1",
                                 "198.18.0.1 ",
                                 "198.18.0.1:000053",
                                 "198.18.0.1,198.18.0.1,198.18.0.1,198.18.0.1,198.18.0.1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct dns_servers servers = {.count = 77};
        struct error error = {.status = 0};
        assert_int_equal(dns_servers_parse(wrong[i], &servers, &error), -EX_USAGE);
        assert_int_equal(error.status, EX_USAGE);
        assert_non_null(strstr(error.text, "DNS server"));
        assert_int_equal(servers.count, 77);
    }
}

static void a_very_long_piece_is_refused(void **state)
{
    (void)state;
    char text[5000];
    memset(text, '1', sizeof text);
    text[sizeof text - 1] = '\0';
    struct dns_servers servers;
    assert_int_equal(dns_servers_parse(text, &servers, NULL), -EX_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_with_and_without_ports_are_read),
        cmocka_unit_test(whatever_is_no_server_is_refused_and_named),
        cmocka_unit_test(a_very_long_piece_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
