#include "plan/ports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

/* A table small enough to see through: names with both cases, an alias, and one that starts with a digit. */
static const char names[] =
    "ftp\0ssh\0HTTP\0www\0http-alt\0nfs\0domain\0tftp\0snmp\0m2ua\0icmp\0tcp\0gre\0009pfs";
enum { FTP = 0, SSH = 4, HTTP = 8, WWW = 13, HTTP_ALT = 17, NFS = 26, DOMAIN = 30, TFTP = 37, SNMP = 42 };
enum { M2UA = 47, ICMP = 52, TCP = 57, GRE = 61, NINEP = 65 };
static const struct service tcp[] = {{21, FTP}, {22, SSH},    {53, DOMAIN}, {80, HTTP},
                                     {80, WWW}, {564, NINEP}, {2049, NFS},  {8080, HTTP_ALT}};
static const struct service udp[] = {{53, DOMAIN}, {69, TFTP}, {161, SNMP}, {2049, NFS}};
static const struct service sctp[] = {{0, NFS}, {80, HTTP}, {2904, M2UA}};
static const struct service ip[] = {{0, GRE}, {1, ICMP}, {6, TCP}, {47, GRE}};
static const uint16_t tcp_ranked[] = {80, 443, 22, 8080};
static const uint16_t udp_ranked[] = {53, 161};
static const struct service_table table = {
    .lists =
        {
            [PORTS_TCP] = {tcp, names, tcp_ranked, 8, 4},
            [PORTS_UDP] = {udp, names, udp_ranked, 4, 2},
            [PORTS_SCTP] = {sctp, names, NULL, 3, 0},
            [PORTS_IP] = {ip, names, NULL, 4, 0},
        },
};

#define T PORTS_BIT(PORTS_TCP)
#define U PORTS_BIT(PORTS_UDP)
#define S PORTS_BIT(PORTS_SCTP)
#define P PORTS_BIT(PORTS_IP)

/* A set as text: "T:80,443-445 U:53". */
static const char *describe(const struct port_set *set, char *text, size_t capacity)
{
    size_t len = 0;
    text[0] = '\0';
    for (enum port_protocol protocol = 0; protocol < PORTS_PROTOCOL_COUNT; protocol++) {
        const char *before = len ? " " : "";
        for (uint32_t port = 0; port < 65536; port++) {
            uint32_t last = port;
            if (!port_set_has(set, protocol, (uint16_t)port))
                continue;
            while (last < 65535 && port_set_has(set, protocol, (uint16_t)(last + 1)))
                last++;
            if (before[0] != ',')
                len += (size_t)snprintf(text + len, capacity - len, "%s%c:", before, "TUSP"[protocol]);
            else
                len += (size_t)snprintf(text + len, capacity - len, ",");
            len += (size_t)snprintf(text + len, capacity - len, last > port ? "%u-%u" : "%u", port, last);
            assert_true(len < capacity);
            before = ",";
            port = last;
        }
    }
    return text;
}

static const struct {
    unsigned protocols;
    const char *text;
    const char *ports;
} good_lists[] = {
    {T, "80", "T:80"},
    {T, "0", "T:0"},
    {T, "00080", "T:80"},
    {T, "65535", "T:65535"},
    {T, "443,80,80,20-22", "T:20-22,80,443"},
    {T, "-3", "T:1-3"},
    {T, "0-3", "T:0-3"},
    {T, "65530-", "T:65530-65535"},
    {T, "-", "T:1-65535"},
    {T, " 80 , 443 ", "T:80,443"},
    {T, "80,443,", "T:80,443"},
    {T | U, "53", "T:53 U:53"},
    {T | U, "53,T:80,81,U:69,70", "T:53,80-81 U:53,69-70"},
    {T | U, "T: 80, U: 69", "T:80 U:69"},
    {T | U | S, "S:2904,T:22", "T:22 S:2904"},
    {T, "T:80,U:69", "T:80"},
    {P, "-", "P:0-255"},
    {P, "-2", "P:0-2"},
    {P, "250-", "P:250-255"},
    {P, "P:6,17", "P:6,17"},
    {P, "tcp,icmp", "P:1,6"},
    {T, "http", "T:80"},
    {T, "HtTp", "T:80"},
    {T, "www", "T:80"},
    {T, "http*", "T:80,8080"},
    {T, "*t*p*", "T:21,80,8080"},
    {T, "?s?", "T:22"},
    {T, "*", "T:21-22,53,80,564,2049,8080"},
    {T, "9p*", "T:564"},
    {T | U, "domain,nfs", "T:53,2049 U:53,2049"},
    {T | U, "U:*", "U:53,69,161,2049"},
    {T, "[-]", "T:21-22,53,80,564,2049,8080"},
    {T, "[20-80]", "T:21-22,53,80"},
    {T | U, "[50-100],443", "T:53,80,443 U:53,69,443"},
    {T | U, "[T:20-30,U:60-70],99", "T:21-22,99 U:69,99"},
    {T | U, "U:[60-70,],99", "U:69,99"},
    {T, "[ 20-30 , 80 ] , 5", "T:5,21-22,80"},
    {T, "[http*,22]", "T:22,80,8080"},
};

static void every_form_of_list_means_its_ports(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good_lists / sizeof good_lists[0]; i++) {
        own(free_ptr) struct port_set *set = calloc(1, sizeof *set);
        struct error err = {0};
        char text[256];
        assert_non_null(set);
        if (ports_parse("-p", good_lists[i].text, good_lists[i].protocols, &table, set, NULL, &err))
            fail_msg("%s: %s", good_lists[i].text, err.text);
        assert_string_equal(describe(set, text, sizeof text), good_lists[i].ports);
    }
}

#define PROTOCOLS "; there are T: (TCP), U: (UDP), S: (SCTP) and P: (IP protocol)"

static const struct {
    unsigned protocols;
    const char *text;
    const char *error;
} bad_lists[] = {
    {T, "", "-p: a port is missing at character 1"},
    {T, ",", "-p: a port is missing at character 1"},
    {T, "80,,443", "-p: a port is missing at character 4"},
    {T, "80, ,443", "-p: a port is missing at character 5"},
    {T, "T:", "-p: a port is missing at character 3"},
    {T, "T:,80", "-p: a port is missing at character 3"},
    {T, "65536", "-p: port 65536 is above 65535"},
    {T, "99999999999999999999", "-p: port 99999999999999999999 is above 65535"},
    {T, "1-65536", "-p: port 65536 is above 65535"},
    {P, "256", "-p: protocol number 256 is above 255"},
    {T | P, "P:1000", "-p: protocol number 1000 is above 255"},
    {T, "90-80", "-p: backwards range 90-80; did you mean 80-90?"},
    {T, "-0", "-p: backwards range 1-0; did you mean 0-1?"},
    {T, "1-2-3", "-p: '1-2-3' is not a range"},
    {T, "--", "-p: '--' is not a range"},
    {T, "X:80", "-p: unknown protocol 'X:'" PROTOCOLS},
    {T, "t:80", "-p: unknown protocol 't:'" PROTOCOLS},
    {T, "80,::", "-p: unknown protocol '::'" PROTOCOLS},
    {T, "nosuch", "-p: no port is called 'nosuch'"},
    {PORTS_BIT(PORTS_IP), "nosuch", "-p: no protocol is called 'nosuch'"},
    {T, "80x", "-p: no port is called '80x'"},
    {T, "tftp", "-p: no port is called 'tftp'"},
    {T, "htt?s", "-p: no port is called 'htt?s'"},
    {T, "0x50", "-p: no port is called '0x50'"},
    {T, "80;443", "-p: no port is called '80;443'"},
    {T, "80:90", "-p: no port is called '80:90'"},
    {T, "\xe2\x80\x93", "-p: no port is called '\xe2\x80\x93'"},
    {T, "80 443", "-p: a comma is missing at character 4"},
    {T, "80[443]", "-p: a comma is missing at character 3"},
    {T, "[80]443", "-p: a comma is missing at character 5"},
    {T, "[80", "-p: the '[' at character 1 is not closed"},
    {T, "22,[80,", "-p: the '[' at character 4 is not closed"},
    {T, "[80 443]", "-p: a comma is missing at character 5"},
    {T, "[1,[2]]", "-p: '[' inside brackets at character 4"},
    {T, "80]", "-p: ']' without '[' at character 3"},
    {T, "]", "-p: ']' without '[' at character 1"},
    {T, "[]", "-p: a port is missing at character 2"},
    {T, "[80]]", "-p: ']' without '[' at character 5"},
};

static void what_is_no_list_of_ports_is_refused_in_one_clear_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_lists / sizeof bad_lists[0]; i++) {
        own(free_ptr) struct port_set *set = calloc(1, sizeof *set);
        struct error err = {0};
        assert_non_null(set);
        assert_int_equal(
            ports_parse("-p", bad_lists[i].text, bad_lists[i].protocols, &table, set, NULL, &err), -EX_USAGE);
        assert_int_equal(err.status, EX_USAGE);
        assert_string_equal(err.text, bad_lists[i].error);
    }
}

/* What ports_select makes of the options, over the built-in table or the small one; NULL with *err filled. */
static struct port_set *select_ports(const struct ports_options *options,
                                     const struct service_table *services, unsigned *ret_dropped,
                                     struct error *err)
{
    struct port_set *set = calloc(1, sizeof *set);
    assert_non_null(set);
    if (ports_select(options, services, set, ret_dropped, err) == 0)
        return set;
    assert_int_equal(err->status, EX_USAGE);
    free(set);
    return NULL;
}

static void expect_counts(const struct ports_options *options, const size_t counts[PORTS_PROTOCOL_COUNT])
{
    struct error err;
    own(free_ptr) struct port_set *set = select_ports(options, services_builtin(), NULL, &err);
    assert_non_null(set);
    for (enum port_protocol protocol = 0; protocol < PORTS_PROTOCOL_COUNT; protocol++) {
        assert_int_equal(port_set_count(set, protocol), counts[protocol]);
        if (protocol != PORTS_IP)
            assert_false(port_set_has(set, protocol, 0));
    }
}

static void without_a_list_the_common_ports_are_scanned(void **state)
{
    (void)state;
    const struct service_list *sctp_list = &services_builtin()->lists[PORTS_SCTP];
    size_t sctp_named = 0;
    for (size_t i = 0; i < sctp_list->service_count; i++)
        sctp_named += i == 0 || sctp_list->services[i].port != sctp_list->services[i - 1].port;
    expect_counts(&(struct ports_options){.protocols = T | U}, (size_t[]){1000, 1000, 0, 0});
    expect_counts(&(struct ports_options){.protocols = T | S, .fast = true},
                  (size_t[]){100, 0, sctp_named, 0});
    expect_counts(&(struct ports_options){.protocols = S}, (size_t[]){0, 0, sctp_named, 0});
    expect_counts(&(struct ports_options){.protocols = P}, (size_t[]){0, 0, 0, 256});
    expect_counts(&(struct ports_options){.protocols = P, .fast = true}, (size_t[]){0, 0, 0, 149});
    expect_counts(&(struct ports_options){.protocols = T | U | S, .top_count = 7}, (size_t[]){7, 7, 7, 0});
    expect_counts(&(struct ports_options){.protocols = T, .top_count = 5000}, (size_t[]){5000, 0, 0, 0});
    expect_counts(&(struct ports_options){.protocols = T, .top_count = 65535}, (size_t[]){65535, 0, 0, 0});
}

static void the_most_common_are_counted_without_the_excluded(void **state)
{
    (void)state;
    static const struct {
        struct ports_options options;
        const char *ports;
    } cases[] = {
        {{.protocols = T, .top_count = 3}, "T:22,80,443"},
        {{.protocols = T, .top_count = 3, .excluded = "443,1-21"}, "T:22,80,8080"},
        {{.protocols = T | U, .top_count = 1, .excluded = "U:53"}, "T:80 U:161"},
        {{.protocols = T, .top_count = 6}, "T:21-22,53,80,443,8080"},
        {{.protocols = T, .spec = "20-30", .excluded = "[-],25"}, "T:20,23-24,26-30"},
        {{.protocols = T | U, .spec = "53", .excluded = "T:53"}, "U:53"},
        {{.protocols = S}, "S:80,2904"},
        {{.protocols = P, .fast = true}, "P:0-1,6,47"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        struct error err;
        own(free_ptr) struct port_set *set = select_ports(&cases[i].options, &table, NULL, &err);
        assert_non_null(set);
        assert_string_equal(describe(set, text, sizeof text), cases[i].ports);
    }
}

static void ports_of_protocols_not_scanned_are_dropped_and_told(void **state)
{
    (void)state;
    unsigned dropped = 0;
    struct ports_options options = {.protocols = T, .spec = "T:80,U:53,S:80"};
    char text[64];
    struct error err;
    own(free_ptr) struct port_set *set = select_ports(&options, &table, &dropped, &err);
    assert_non_null(set);
    assert_int_equal(dropped, U | S);
    assert_string_equal(describe(set, text, sizeof text), "T:80");
}

static void options_that_leave_nothing_or_contradict_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct ports_options options;
        const char *error;
    } cases[] = {
        {{.protocols = T, .spec = "U:53"}, "-p: 'U:53' selects no port to scan"},
        {{.protocols = T, .spec = "[100-200]"}, "-p: '[100-200]' selects no port to scan"},
        {{.protocols = T, .spec = "80", .excluded = "http"}, "--exclude-ports leaves no port to scan"},
        {{.protocols = T, .spec = "80", .excluded = "x"}, "--exclude-ports: no port is called 'x'"},
        {{.protocols = T, .spec = "80", .excluded = ""}, "--exclude-ports: a port is missing at character 1"},
        {{.protocols = T, .excluded = "0-"}, "--exclude-ports leaves no port to scan"},
        {{.protocols = T, .spec = "80", .fast = true},
         "only one of -p, -F and --top-ports can choose the ports"},
        {{.protocols = T, .fast = true, .top_count = 9},
         "only one of -p, -F and --top-ports can choose the ports"},
        {{.protocols = T, .top_count = 65536}, "--top-ports: 65536 is above 65535"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {0};
        assert_null(select_ports(&cases[i].options, &table, NULL, &err));
        assert_string_equal(err.text, cases[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_list_means_its_ports),
        cmocka_unit_test(what_is_no_list_of_ports_is_refused_in_one_clear_line),
        cmocka_unit_test(without_a_list_the_common_ports_are_scanned),
        cmocka_unit_test(the_most_common_are_counted_without_the_excluded),
        cmocka_unit_test(ports_of_protocols_not_scanned_are_dropped_and_told),
        cmocka_unit_test(options_that_leave_nothing_or_contradict_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
