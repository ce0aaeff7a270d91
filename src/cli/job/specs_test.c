#include "cli/job/specs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/options/option_table.h"
#include "technique/payload.h"

static bool holds(const struct specs *specs, const char *technique, uint16_t port)
{
    for (uint32_t i = 0; i < specs->count; i++) {
        if (strcmp(specs->list[i].technique->name, technique) == 0 && specs->list[i].port == port)
            return true;
    }
    return false;
}

static void every_port_is_asked_once_and_common_ones_first(void **state)
{
    (void)state;
    struct scans scans = {.count = 1, .techniques = {technique_find("syn")}};
    struct port_set *ports = calloc(1, sizeof *ports);
    assert_non_null(ports);
    for (unsigned port = 0; port <= UINT16_MAX; port++)
        port_set_add(ports, PORTS_TCP, (uint16_t)port);

    struct specs specs;
    assert_int_equal(specs_of_scans(&scans, ports, services_builtin(), false, &specs, NULL), 0);
    assert_int_equal(specs.count, 65536);
    assert_in_range(specs.early_count, 1, 1000);
    uint8_t *seen = calloc(65536, 1);
    assert_non_null(seen);
    for (uint32_t i = 0; i < specs.count; i++) {
        assert_int_equal(seen[specs.list[i].port], 0);
        seen[specs.list[i].port] = 1;
        if (specs.list[i].port == 80)
            assert_true(i < specs.early_count);
    }
    specs_done(&specs);

    assert_int_equal(specs_of_scans(&scans, ports, services_builtin(), true, &specs, NULL), 0);
    assert_int_equal(specs.early_count, 0);
    for (uint32_t i = 0; i < specs.count; i++)
        assert_int_equal(specs.list[i].port, i);
    specs_done(&specs);
    free(seen);
    free(ports);
}

static void udp_ports_that_we_know_how_to_ask_go_first(void **state)
{
    (void)state;
    struct scans scans = {.count = 1, .techniques = {technique_find("udp")}};
    struct port_set *ports = calloc(1, sizeof *ports);
    assert_non_null(ports);
    for (unsigned port = 100; port < 50000; port++)
        port_set_add(ports, PORTS_UDP, (uint16_t)port);

    struct specs specs;
    assert_int_equal(specs_of_scans(&scans, ports, services_builtin(), false, &specs, NULL), 0);
    assert_int_equal(specs.count, 49900);
    for (uint32_t i = specs.early_count; i < specs.count; i++)
        assert_null(payload_of_try(specs.list[i].port, 0));
    for (uint32_t i = 1; i < specs.early_count; i++)
        for (uint32_t j = 0; j < i; j++)
            assert_int_not_equal(specs.list[i].port, specs.list[j].port);
    specs_done(&specs);
    free(ports);
}

static void the_usual_discovery_depends_on_privilege(void **state)
{
    (void)state;
    struct options options = {.scan_flags = -1};
    struct specs specs;
    assert_int_equal(specs_of_discovery(&options, true, services_builtin(), &specs, NULL), 0);
    assert_int_equal(specs.count, 5);
    assert_true(holds(&specs, "neighbor", 0) && holds(&specs, "echo", 0) && holds(&specs, "timestamp", 0));
    assert_true(holds(&specs, "ping-syn", 443) && holds(&specs, "ping-ack", 80));
    specs_done(&specs);
    assert_int_equal(specs_of_discovery(&options, false, services_builtin(), &specs, NULL), 0);
    assert_int_equal(specs.count, 3);
    assert_true(holds(&specs, "echo", 0) && holds(&specs, "ping-connect", 80) &&
                holds(&specs, "ping-connect", 443));
    specs_done(&specs);
}

static void pings_that_are_asked_for_replace_the_usual_ones(void **state)
{
    (void)state;
    struct options options = {.scan_flags = -1, .no_neighbor = true, .ping_count = 2};
    options.pings[0] = (struct option_ping){"ping-syn", "22,100-102", option_find_letters("PS")};
    options.pings[1] = (struct option_ping){"ping-ack", NULL, option_find_letters("PA")};
    struct specs specs;
    assert_int_equal(specs_of_discovery(&options, true, services_builtin(), &specs, NULL), 0);
    assert_int_equal(specs.count, 5);
    assert_true(holds(&specs, "ping-syn", 22) && holds(&specs, "ping-syn", 101) &&
                holds(&specs, "ping-ack", 80));
    specs_done(&specs);

    struct error err;
    options.pings[0].ports = "0-99999";
    assert_int_equal(specs_of_discovery(&options, true, services_builtin(), &specs, &err), -EX_USAGE);
    assert_non_null(strstr(err.text, "-PS"));
}

static void neighbor_discovery_alone_leaves_distant_hosts_their_usual_probes(void **state)
{
    (void)state;
    struct options options = {.scan_flags = -1, .ping_count = 1};
    options.pings[0] = (struct option_ping){"neighbor", NULL, option_find_letters("PR")};
    struct specs specs;
    assert_int_equal(specs_of_discovery(&options, true, services_builtin(), &specs, NULL), 0);
    assert_int_equal(specs.count, 5);
    specs_done(&specs);

    options = (struct options){.scan_flags = -1, .assume_up = true};
    assert_int_equal(specs_of_discovery(&options, true, services_builtin(), &specs, NULL), 0);
    assert_int_equal(specs.count, 1);
    assert_true(holds(&specs, "neighbor", 0));
    specs_done(&specs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_port_is_asked_once_and_common_ones_first),
        cmocka_unit_test(udp_ports_that_we_know_how_to_ask_go_first),
        cmocka_unit_test(the_usual_discovery_depends_on_privilege),
        cmocka_unit_test(pings_that_are_asked_for_replace_the_usual_ones),
        cmocka_unit_test(neighbor_discovery_alone_leaves_distant_hosts_their_usual_probes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
