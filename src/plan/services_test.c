#include "plan/services.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"

static void well_known_ports_have_their_assigned_names(void **state)
{
    (void)state;
    static const struct {
        enum port_protocol protocol;
        uint16_t port;
        const char *name;
    } cases[] = {
        {PORTS_TCP, 22, "ssh"},      {PORTS_TCP, 80, "http"},         {PORTS_TCP, 443, "https"},
        {PORTS_TCP, 514, "shell"},   {PORTS_TCP, 465, "submissions"}, {PORTS_TCP, 6010, "x11"},
        {PORTS_UDP, 514, "syslog"},  {PORTS_UDP, 53, "domain"},       {PORTS_UDP, 51820, "wireguard"},
        {PORTS_SCTP, 2905, "m3ua"},  {PORTS_IP, 0, "hopopt"},         {PORTS_IP, 6, "tcp"},
        {PORTS_IP, 58, "ipv6-icmp"}, {PORTS_IP, 89, "ospfigp"},       {PORTS_IP, 132, "sctp"},
        {PORTS_IP, 142, "rohc"},     {PORTS_IP, 255, "reserved"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(services_name(services_builtin(), cases[i].protocol, cases[i].port),
                            cases[i].name);
    assert_null(services_name(services_builtin(), PORTS_TCP, 65535));
    assert_null(services_name(services_builtin(), PORTS_IP, 200));
    assert_null(services_name(services_builtin(), PORTS_SCTP, 23));
}

static void the_built_in_table_is_sorted_and_its_ranks_are_unique(void **state)
{
    (void)state;
    for (enum port_protocol protocol = 0; protocol < PORTS_PROTOCOL_COUNT; protocol++) {
        const struct service_list *list = &services_builtin()->lists[protocol];
        own(free_ptr) struct port_set *seen = calloc(1, sizeof *seen);
        assert_non_null(seen);
        for (size_t i = 0; i < list->service_count; i++) {
            if (i > 0)
                assert_true(list->services[i - 1].port <= list->services[i].port);
            assert_in_range(strlen(list->names + list->services[i].name), 1, SERVICE_NAME_MAX);
        }
        for (size_t i = 0; i < list->ranked_count; i++) {
            assert_false(port_set_has(seen, protocol, list->ranked[i]));
            port_set_add(seen, protocol, list->ranked[i]);
        }
    }
    assert_true(services_builtin()->lists[PORTS_TCP].service_count >= 1500);
    assert_true(services_builtin()->lists[PORTS_UDP].service_count >= 1500);
    assert_true(services_builtin()->lists[PORTS_TCP].ranked_count >= 1000);
    assert_true(services_builtin()->lists[PORTS_UDP].ranked_count >= 1000);
}

static void the_top_goes_on_with_named_and_then_all_ports(void **state)
{
    (void)state;
    static const char names[] = "a\0b";
    static const struct service services[] = {{0, 0}, {3, 0}, {3, 2}, {9, 2}};
    static const uint16_t ranked[] = {80, 3};
    static const struct service_table table = {
        .lists = {
            [PORTS_TCP] = {services, names, ranked, 4, 2}, [PORTS_IP] = {services, names, ranked, 4, 2}}};
    static const uint16_t expected[] = {80, 3, 9, 1, 2, 4};
    static const uint16_t expected_ip[] = {80, 3, 0, 9, 1, 2};
    uint16_t top[6];
    assert_int_equal(services_top(&table, PORTS_TCP, 6, top), 6);
    assert_memory_equal(top, expected, sizeof expected);
    assert_int_equal(services_top(&table, PORTS_IP, 6, top), 6);
    assert_memory_equal(top, expected_ip, sizeof expected_ip);
    assert_int_equal(services_top(&table, PORTS_TCP, 1, top), 1);
    assert_int_equal(services_top(&table, PORTS_TCP, 0, top), 0);

    own(free_ptr) uint16_t *all = calloc(70000, sizeof *all);
    assert_non_null(all);
    assert_int_equal(services_top(&table, PORTS_TCP, 70000, all), 65535);
    assert_int_equal(services_top(&table, PORTS_IP, 70000, all), 256);
}

static void popular_ports_are_those_of_the_set_by_rank(void **state)
{
    (void)state;
    struct port_set *set = calloc(1, sizeof *set);
    uint16_t popular[10];
    uint16_t top[10];
    assert_non_null(set);
    assert_int_equal(services_top(services_builtin(), PORTS_TCP, 10, top), 10);
    port_set_add(set, PORTS_TCP, top[7]);
    port_set_add(set, PORTS_TCP, top[2]);
    port_set_add(set, PORTS_TCP, 65535);
    port_set_add(set, PORTS_UDP, top[0]);
    assert_int_equal(services_popular(services_builtin(), PORTS_TCP, 10, set, popular), 2);
    assert_int_equal(popular[0], top[2]);
    assert_int_equal(popular[1], top[7]);
    free(set);
}

/* Read a table from these bytes; NULL with *err filled. The file's name is in `path` until the next call. */
static struct service_table *read_bytes(const char *bytes, size_t len, char path[static 32],
                                        struct error *err)
{
    snprintf(path, 32, "services_test.XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
    struct service_table *table = NULL;
    int status = services_read(path, &table, err);
    unlink(path);
    if (status == 0)
        return table;
    assert_int_equal(status, -err->status);
    assert_null(table);
    return NULL;
}

static void a_file_gives_names_and_ranks_by_frequency(void **state)
{
    (void)state;
    static const char bytes[] = "# name port/protocol frequency\r\n"
                                "ssh\t22/tcp\t0.182286\t# The Secure Shell\r\n"
                                "http 80/tcp 0.484143\n"
                                "www 80/tcp 0.9 # the first line of a port counts\n"
                                "zero 0/tcp 1\n"
                                "same 23/tcp 182286/1000000\n"
                                "none 24/tcp\n"
                                "rtmp 1/ddp 0.5\n"
                                "domain 53/udp 2.13496e-1\n"
                                "m3ua 2905/sctp 0";
    char path[32];
    struct error err = {0};
    struct service_table *table = read_bytes(bytes, sizeof bytes - 1, path, &err);
    assert_non_null(table);
    assert_string_equal(services_name(table, PORTS_TCP, 22), "ssh");
    assert_string_equal(services_name(table, PORTS_TCP, 80), "http");
    assert_string_equal(services_name(table, PORTS_TCP, 0), "zero");
    assert_string_equal(services_name(table, PORTS_UDP, 53), "domain");
    assert_string_equal(services_name(table, PORTS_SCTP, 2905), "m3ua");
    assert_string_equal(services_name(table, PORTS_IP, 6), "tcp");
    assert_null(services_name(table, PORTS_TCP, 443));
    assert_int_equal(table->lists[PORTS_TCP].service_count, 6);
    static const uint16_t ranked[] = {80, 22, 23};
    assert_int_equal(table->lists[PORTS_TCP].ranked_count, 3);
    assert_memory_equal(table->lists[PORTS_TCP].ranked, ranked, sizeof ranked);
    assert_int_equal(table->lists[PORTS_UDP].ranked_count, 1);
    assert_int_equal(table->lists[PORTS_SCTP].ranked_count, 1);
    services_free(table);
}

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *text;
    const char *error;
} bad_files[] = {
    {"", ": no services in it"},
    {"# nothing\n", ": no services in it"},
    {"rtmp 1/ddp\n", ": no services in it"},
    {"\nssh\n", ":2: port/protocol is missing"},
    {"ssh 22\n", ":1: '22' is not port/protocol"},
    {"ssh tcp/22\n", ":1: 'tcp/22' is not port/protocol"},
    {"ssh 22/\n", ":1: '22/' is not port/protocol"},
    {"ssh -22/tcp\n", ":1: '-22/tcp' is not port/protocol"},
    {"ssh 65536/tcp\n", ":1: port 65536 is above 65535"},
    {"ssh 99999999999999999999/tcp\n", ":1: port 99999999999999999999 is above 65535"},
    {"a 1/tcp 0.1\nssh 22/tcp often\n", ":2: 'often' is not a frequency between 0 and 1"},
    {"ssh 22/tcp 1.5\n", ":1: '1.5' is not a frequency between 0 and 1"},
    {"ssh 22/tcp -0.5\n", ":1: '-0.5' is not a frequency between 0 and 1"},
    {"ssh 22/tcp nan\n", ":1: 'nan' is not a frequency between 0 and 1"},
    {"ssh 22/tcp 0x1\n", ":1: '0x1' is not a frequency between 0 and 1"},
    {"ssh 22/tcp 0.5x\n", ":1: '0.5x' is not a frequency between 0 and 1"},
    {"ssh 22/tcp 1e999\n", ":1: '1e999' is not a frequency between 0 and 1"},
    {"ssh 22/tcp 1/0\n", ":1: '1/0' is not a frequency between 0 and 1"},
    {"ssh 22/tcp 1/\n", ":1: '1/' is not a frequency between 0 and 1"},
    {"ssh 22/tcp 3/2\n", ":1: '3/2' is not a frequency between 0 and 1"},
    {"ssh 22/tcp .\n", ":1: '.' is not a frequency between 0 and 1"},
    {"ssh 22/tcp 0.5 remote login\n", ":1: 'remote' after the frequency"},
    {A64 " 22/tcp\n", ":1: name 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...' is longer than 63 bytes"},
    {"caf\xc3\xa9 22/tcp\n", ":1: name 'caf\xc3\xa9' is not ASCII"},
    {"ssh 22/tcp \x1b[2J\n", ":1:12: byte 0x1b does not belong in a text file"},
};

static void an_error_in_a_file_names_the_file_and_the_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_files / sizeof bad_files[0]; i++) {
        char path[32];
        char expected[256];
        struct error err = {0};
        assert_null(read_bytes(bad_files[i].text, strlen(bad_files[i].text), path, &err));
        snprintf(expected, sizeof expected, "%s%s", path, bad_files[i].error);
        assert_int_equal(err.status, EX_DATAERR);
        assert_string_equal(err.text, expected);
    }
}

static void a_missing_file_is_missing_input(void **state)
{
    (void)state;
    struct service_table *table = NULL;
    struct error err;
    assert_int_equal(services_read("no/such/services", &table, &err), -EX_NOINPUT);
    assert_string_equal(err.text, "cannot open no/such/services: No such file or directory");
}

static void a_file_without_end_is_refused(void **state)
{
    (void)state;
    static const char line[] = "a 1/tcp\n";
    size_t len = ((1u << 18) + 1) * (sizeof line - 1);
    own(free_ptr) char *bytes = malloc(len);
    assert_non_null(bytes);
    for (size_t at = 0; at < len; at += sizeof line - 1)
        memcpy(bytes + at, line, sizeof line - 1);
    char path[32];
    char expected[96];
    struct error err = {0};
    assert_null(read_bytes(bytes, len, path, &err));
    snprintf(expected, sizeof expected, "%s:262145: more than 262144 services", path);
    assert_string_equal(err.text, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_known_ports_have_their_assigned_names),
        cmocka_unit_test(the_built_in_table_is_sorted_and_its_ranks_are_unique),
        cmocka_unit_test(the_top_goes_on_with_named_and_then_all_ports),
        cmocka_unit_test(popular_ports_are_those_of_the_set_by_rank),
        cmocka_unit_test(a_file_gives_names_and_ranks_by_frequency),
        cmocka_unit_test(an_error_in_a_file_names_the_file_and_the_line),
        cmocka_unit_test(a_missing_file_is_missing_input),
        cmocka_unit_test(a_file_without_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
