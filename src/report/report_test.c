/* What golden files show only by chance: each test is one promise of a report. */
#include "report/remark.h"
#include "report/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/own.h"
#include "base/time.h"

#define HOST addr_v4(0xc6120001) /* 198.18.0.1 */

/* A report into memory. */
struct fixture {
    struct plan *plan;
    struct report_run run;
    const struct report_ops *ops;
    struct report *report;
    FILE *file;
    char *text;
    size_t len;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->plan = calloc(1, sizeof *fixture->plan);
    assert_non_null(fixture->plan);
    fixture->run = (struct report_run){.version = "0", .command_line = "portolan", .plan = fixture->plan};
    *state = fixture;
    return 0;
}

static void begin(struct fixture *fixture, const struct report_ops *ops)
{
    fixture->ops = ops;
    fixture->file = open_memstream(&fixture->text, &fixture->len);
    assert_non_null(fixture->file);
    fixture->report = ops->open(fixture->file, &fixture->run);
    assert_non_null(fixture->report);
}

/* What the file holds once its owner has flushed it. */
static const char *written(struct fixture *fixture)
{
    assert_int_equal(fflush(fixture->file), 0);
    return fixture->text;
}

static void finish(struct fixture *fixture)
{
    fixture->ops->close(fixture->report);
    fclose(fixture->file);
    free(fixture->text);
    fixture->text = NULL;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    free(fixture->plan);
    free(fixture);
    return 0;
}

static struct port_result port_of(uint16_t number, enum protocol protocol, enum port_state state)
{
    return (struct port_result){
        .port = number, .protocol = (uint8_t)protocol, .state = (uint8_t)state, .reason = REASON_SYN_ACK};
}

static struct host_result host_of(const struct port_result *ports, uint32_t port_count)
{
    return (struct host_result){
        .addr = HOST, .up = true, .reason = REASON_SYN_ACK, .ports = ports, .port_count = port_count};
}

static void tell_port(struct fixture *fixture, struct addr host, struct port_result port)
{
    fixture->ops->port(fixture->report, &host, &port);
}

static void the_list_shows_an_open_port_as_it_is_told(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, &report_list);
    tell_port(fixture, HOST, port_of(80, PROTOCOL_TCP, PORT_OPEN));
    assert_string_equal(written(fixture), "198.18.0.1:80\n");
    finish(fixture);
}

static void the_list_shows_open_ports_alone(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, &report_list);
    tell_port(fixture, HOST, port_of(80, PROTOCOL_TCP, PORT_CLOSED));
    tell_port(fixture, HOST, port_of(53, PROTOCOL_UDP, PORT_OPEN_FILTERED));
    tell_port(fixture, HOST, port_of(6, PROTOCOL_IP, PORT_OPEN)); /* no port at all */
    fflush(fixture->file);
    assert_int_equal(fixture->len, 0);
    finish(fixture);
}

static void the_list_puts_ipv6_in_brackets(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    begin(fixture, &report_list);
    tell_port(fixture, addr_v6(bytes, 0), port_of(443, PROTOCOL_TCP, PORT_OPEN));
    assert_string_equal(written(fixture), "[2001:db8::1]:443\n");
    finish(fixture);
}

static void every_report_has_written_a_host_when_it_returns(void **state)
{
    struct fixture *fixture = *state;
    struct port_result port = port_of(22, PROTOCOL_TCP, PORT_OPEN);
    struct host_result host = host_of(&port, 1);
    for (unsigned i = 0; i < report_table_len; i++) {
        if (report_table[i] == &report_list)
            continue; /* which writes ports, not hosts */
        begin(fixture, report_table[i]);
        fixture->ops->host(fixture->report, &host);
        assert_non_null(strstr(written(fixture), "198.18.0.1"));
        finish(fixture);
    }
}

static void an_xml_comment_never_holds_two_hyphens(void **state)
{
    struct fixture *fixture = *state;
    fixture->run.command_line = "portolan --a ---- -- -";
    begin(fixture, &report_xml);
    const char *comment = strstr(written(fixture), "<!--");
    assert_non_null(comment);
    const char *hyphens = strstr(comment + 4, "--");
    assert_non_null(hyphens);
    assert_memory_equal(hyphens, "-->\n", 4);
    finish(fixture);
}

static void assert_latency(struct fixture *fixture, int64_t srtt_ns, const char *expected)
{
    struct host_result host = host_of(NULL, 0);
    host.srtt_ns = srtt_ns;
    begin(fixture, &report_normal);
    fixture->ops->host(fixture->report, &host);
    assert_non_null(strstr(written(fixture), expected));
    finish(fixture);
}

static void the_latency_has_two_significant_digits(void **state)
{
    assert_latency(*state, 424242, "Host is up (0.00042s latency).\n");
    assert_latency(*state, 18 * MSEC, "Host is up (0.018s latency).\n");
    assert_latency(*state, 1234 * MSEC, "Host is up (1.2s latency).\n");
    assert_latency(*state, 12 * SEC, "Host is up (12s latency).\n");
    assert_latency(*state, 1, "Host is up (0.000000001s latency).\n");
    assert_latency(*state, 0, "Host is up.\n");
}

static void the_normal_report_has_no_colours(void **state)
{
    struct fixture *fixture = *state;
    struct port_result port = port_of(22, PROTOCOL_TCP, PORT_OPEN);
    struct host_result host = host_of(&port, 1);
    fixture->run.color = true;
    begin(fixture, &report_interactive);
    fixture->ops->host(fixture->report, &host);
    assert_non_null(strstr(written(fixture), "\x1b[1;32mopen\x1b[0m"));
    finish(fixture);
    begin(fixture, &report_normal);
    fixture->ops->host(fixture->report, &host);
    assert_null(strchr(fixture->text, '\x1b'));
    finish(fixture);
}

static void found_ports_are_told_live_to_the_verbose_user_alone(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned verbosity = 0; verbosity < 2; verbosity++) {
        fixture->run.fold.verbosity = verbosity;
        begin(fixture, &report_interactive);
        tell_port(fixture, HOST, port_of(22, PROTOCOL_TCP, PORT_OPEN));
        const char *line = strstr(written(fixture), "Discovered open port 22/tcp on 198.18.0.1\n");
        assert_int_equal(line != NULL, verbosity);
        finish(fixture);
        begin(fixture, &report_normal);
        tell_port(fixture, HOST, port_of(22, PROTOCOL_TCP, PORT_OPEN));
        assert_null(strstr(written(fixture), "Discovered"));
        finish(fixture);
    }
}

static void a_late_answer_is_told_as_a_correction(void **state)
{
    struct fixture *fixture = *state;
    struct port_result late = port_of(22, PROTOCOL_TCP, PORT_OPEN);
    late.flags = RECORD_LATE;
    begin(fixture, &report_normal);
    tell_port(fixture, HOST, late);
    assert_non_null(strstr(written(fixture), "Late answer: 22/tcp on 198.18.0.1 is open (syn-ack)"));
    finish(fixture);
    begin(fixture, &report_json);
    tell_port(fixture, HOST, late);
    assert_non_null(strstr(written(fixture), "{\"type\":\"correction\","));
    assert_non_null(strstr(written(fixture), "\"late\":true"));
    finish(fixture);
}

static void json_tells_of_hosts_that_others_hide(void **state)
{
    struct fixture *fixture = *state;
    struct host_result host = {.addr = HOST, .reason = REASON_NO_RESPONSE};
    for (unsigned i = 0; i < report_table_len; i++) {
        begin(fixture, report_table[i]);
        fixture->ops->host(fixture->report, &host);
        bool told = strstr(written(fixture), "198.18.0.1") != NULL;
        assert_int_equal(told, report_table[i] == &report_json);
        finish(fixture);
    }
}

static void the_clock_may_be_set_back_during_a_run(void **state)
{
    struct fixture *fixture = *state;
    struct report_end end = {.end_ns = 1 * SEC};
    fixture->run.start_ns = 2 * SEC;
    begin(fixture, &report_interactive);
    assert_true(fixture->ops->end(fixture->report, &end));
    assert_non_null(strstr(written(fixture), "scanned in 0.00 seconds"));
    finish(fixture);
}

static void one_host_that_seems_down_gives_a_hint(void **state)
{
    struct fixture *fixture = *state;
    struct report_end end = {.hosts_down = 1, .hosts_total = 1};
    begin(fixture, &report_interactive);
    assert_true(fixture->ops->end(fixture->report, &end));
    assert_non_null(strstr(written(fixture), "try -Pn"));
    finish(fixture);
    end.interrupted = "interrupted by SIGINT";
    begin(fixture, &report_interactive);
    assert_true(fixture->ops->end(fixture->report, &end));
    assert_null(strstr(written(fixture), "try -Pn"));
    finish(fixture);
}

static void *no_memory(size_t size)
{
    (void)size;
    return NULL;
}

static void json_says_when_memory_ran_out(void **state)
{
    struct fixture *fixture = *state;
    struct report_end end = {.hosts_total = 1};
    struct host_result host = host_of(NULL, 0);
    begin(fixture, &report_json);
    json_set_alloc_funcs(no_memory, free);
    fixture->ops->host(fixture->report, &host);
    json_set_alloc_funcs(malloc, free);
    assert_false(fixture->ops->end(fixture->report, &end));
    finish(fixture);
}

static void each_report_can_be_closed_as_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < report_table_len; i++)
        report_table[i]->close(NULL);
}

#define WITH_REPORT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static void assert_remark(struct fixture *fixture, const char *scan, uint32_t open, uint32_t closed,
                          const char *words)
{
    const struct report_scan scans[] = {{.type = scan, .protocol = PROTOCOL_TCP}};
    struct port_result ports[40];
    uint32_t count = 0;
    for (; count < open; count++)
        ports[count] = port_of((uint16_t)(count + 1), PROTOCOL_TCP, PORT_OPEN);
    for (; count < open + closed; count++)
        ports[count] = port_of((uint16_t)(count + 1), PROTOCOL_TCP, PORT_CLOSED);
    for (uint32_t i = 0; i < count; i++)
        ports[i].reason = REASON_RESET;
    fixture->run.scans = scans;
    fixture->run.scan_count = 1;
    struct host_result host = {.addr = HOST, .up = true, .ports = ports, .port_count = count};
    begin(fixture, &report_normal);
    fixture->ops->host(fixture->report, &host);
    fflush(fixture->file);
    if (words)
        assert_non_null(strstr(written(fixture), words));
    else
        assert_null(strstr(written(fixture), "reset"));
    finish(fixture);
}

/* A service, and a closed port whose reset a box on the way may have sent. */
static void tell_host_with_foreign_reset(struct fixture *fixture)
{
    struct port_result ports[] = {
        {.protocol = PROTOCOL_TCP, .port = 22, .state = PORT_OPEN, .reason = REASON_SYN_ACK, .ttl = 57},
        {.protocol = PROTOCOL_TCP, .port = 23, .state = PORT_CLOSED, .reason = REASON_RESET, .ttl = 61},
    };
    ports[1].foreign = true;
    struct host_result host = host_of(ports, 2);
    host.own_ttl = 57;
    fixture->run.show_reason = true;
    fixture->ops->host(fixture->report, &host);
}

static void a_reset_from_a_box_on_the_way_is_marked_at_its_port(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        const struct report_ops *ops;
        const char *says;
    } formats[] = {
        {&report_normal, "reset ttl 61 (not the host's 57)"},
        {&report_normal, "Not with the host's own TTL: tcp ports 23\n"},
        {&report_normal, "Resets or errors about 1 port have another TTL"},
        {&report_json, "\"port\":23,"},
        {&report_json, "\"foreign_ttl\":true"},
        {&report_json, "\"own_ttl\":57,\"foreign_ttl\":[{\"protocol\":\"tcp\",\"ports\":\"23\"}]"},
        {&report_xml, "<script id=\"portolan-foreign-ttl\" output=\"TTL 61 is not"},
        {&report_xml, "<script id=\"portolan-foreign-ttl-tcp\" output=\"23\"/></hostscript>"},
        {&report_xml, "<hostscript><script id=\"portolan-remark\" output=\"Resets or errors about 1 port"},
        {&report_grepable, "22/open/tcp/////, 23/closed/tcp/////\n"},
    };
    for (unsigned i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        begin(fixture, formats[i].ops);
        tell_host_with_foreign_reset(fixture);
        if (!strstr(written(fixture), formats[i].says))
            fail_msg("%s: no '%s' in\n%s", formats[i].ops->name, formats[i].says, fixture->text);
        finish(fixture);
    }
}

static void ports_that_were_not_asked_often_enough_are_named_in_every_format(void **state)
{
    struct fixture *fixture = *state;
    const struct port_result ports[] = {
        {.protocol = PROTOCOL_TCP, .port = 22, .state = PORT_OPEN, .reason = REASON_SYN_ACK},
        {.protocol = PROTOCOL_TCP,
         .port = 23,
         .state = PORT_FILTERED,
         .reason = REASON_NO_RESPONSE,
         .tries = 2},
        {.protocol = PROTOCOL_TCP,
         .port = 24,
         .state = PORT_FILTERED,
         .reason = REASON_NO_RESPONSE,
         .tries = 2},
        {.protocol = PROTOCOL_UDP,
         .port = 9,
         .state = PORT_OPEN_FILTERED,
         .reason = REASON_NO_RESPONSE,
         .tries = 2},
    };
    const struct {
        const struct report_ops *ops;
        const char *says;
    } formats[] = {
        {&report_normal, "(--max-retries; 2 made): silent tcp ports 23-24\n"},
        {&report_normal, "(--max-retries; 2 made): silent udp ports 9\n"},
        {&report_json, "\"capped\":true,\"capped_ports\":[{\"protocol\":\"tcp\",\"ports\":\"23-24\"},"
                       "{\"protocol\":\"udp\",\"ports\":\"9\"}]"},
        {&report_xml, "<script id=\"portolan-not-certain-tcp\" output=\"23-24\"/>"},
        {&report_xml, "<script id=\"portolan-not-certain-udp\" output=\"9\"/></hostscript>"},
    };
    for (unsigned i = 0; i < 2 * sizeof formats / sizeof formats[0]; i++) {
        struct host_result host = host_of(ports, 4);
        host.capped = i % 2 == 0;
        begin(fixture, formats[i / 2].ops);
        fixture->ops->host(fixture->report, &host);
        assert_true(!strstr(written(fixture), formats[i / 2].says) == !host.capped);
        finish(fixture);
    }
}

static void a_host_for_whom_somebody_else_speaks_is_marked_in_every_format(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        const struct report_ops *ops;
        bool all;
        const char *says;
    } formats[] = {
        {&report_normal, true, "Nearly every port answers as if it were open"},
        {&report_normal, false, "answer with a closed window"},
        {&report_json, true, "\"confidence\":\"low\""},
        {&report_json, false, "\"confidence\":\"low\""},
        {&report_xml, true, "<script id=\"portolan-remark\" output=\"Nearly every port"},
        {&report_xml, false, "<script id=\"portolan-remark\" output=\"Open ports of this host answer"},
        {&report_grepable, true, "22/open/tcp/////\tConfidence: low\n"},
        {&report_grepable, false, "22/open/tcp/////\tConfidence: low\n"},
    };
    const struct port_result port = port_of(22, PROTOCOL_TCP, PORT_OPEN);
    for (unsigned i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct host_result host = host_of(&port, 1);
        host.answers_all = formats[i].all;
        host.proxied = !formats[i].all;
        begin(fixture, formats[i].ops);
        fixture->ops->host(fixture->report, &host);
        if (!strstr(written(fixture), formats[i].says))
            fail_msg("%s: no '%s' in\n%s", formats[i].ops->name, formats[i].says, fixture->text);
        finish(fixture);
    }
}

static void what_a_store_does_not_keep_is_said_to_be_unknown(void **state)
{
    struct fixture *fixture = *state;
    const struct report_end end = {.account_unknown = true};
    begin(fixture, &report_normal);
    fixture->ops->end(fixture->report, &end);
    assert_non_null(strstr(written(fixture), "Limited hosts: not known | Ports in doubt: not known"));
    finish(fixture);
    begin(fixture, &report_json);
    fixture->ops->end(fixture->report, &end);
    assert_null(strstr(written(fixture), "ports_in_doubt"));
    finish(fixture);
}

static void the_last_line_says_which_risk_was_accepted(void **state)
{
    struct fixture *fixture = *state;
    const struct report_end end = {.doubt = 0.25};
    const struct {
        const struct report_ops *ops;
        const char *says;
    } formats[] = {
        {&report_normal, "Ports in doubt: 0.25 | Risk accepted: 0.001\n"},
        {&report_xml, "Ports in doubt: 0.25 | Risk accepted: 0.001\" elapsed"},
        {&report_json, "\"ports_in_doubt\":0.25,\"risk_accepted\":0.001,"},
    };
    fixture->run.risk = 0.001;
    for (unsigned i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        begin(fixture, formats[i].ops);
        formats[i].ops->end(fixture->report, &end);
        if (!strstr(written(fixture), formats[i].says))
            fail_msg("%s: no '%s' in\n%s", formats[i].ops->name, formats[i].says, fixture->text);
        finish(fixture);
    }
}

static void a_host_that_answers_all_ports_alike_is_remarked_on(void **state)
{
    struct fixture *fixture = *state;
    assert_remark(fixture, "fin", 0, 20, "Every port that answered was reset");
    assert_remark(fixture, "window", 0, 20, "No reset had a window");
    assert_remark(fixture, "window", 20, 0, "Every reset had a window");
    assert_remark(fixture, "window", 19, 3, "More ports look open than closed");
    assert_remark(fixture, "window", 3, 19, NULL);
    assert_remark(fixture, "syn", 0, 3, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_REPORT(the_list_shows_an_open_port_as_it_is_told),
        WITH_REPORT(the_list_shows_open_ports_alone),
        WITH_REPORT(the_list_puts_ipv6_in_brackets),
        WITH_REPORT(every_report_has_written_a_host_when_it_returns),
        WITH_REPORT(an_xml_comment_never_holds_two_hyphens),
        WITH_REPORT(the_latency_has_two_significant_digits),
        WITH_REPORT(the_normal_report_has_no_colours),
        WITH_REPORT(found_ports_are_told_live_to_the_verbose_user_alone),
        WITH_REPORT(a_late_answer_is_told_as_a_correction),
        WITH_REPORT(json_tells_of_hosts_that_others_hide),
        WITH_REPORT(the_clock_may_be_set_back_during_a_run),
        WITH_REPORT(one_host_that_seems_down_gives_a_hint),
        WITH_REPORT(json_says_when_memory_ran_out),
        WITH_REPORT(a_host_that_answers_all_ports_alike_is_remarked_on),
        WITH_REPORT(a_reset_from_a_box_on_the_way_is_marked_at_its_port),
        WITH_REPORT(ports_that_were_not_asked_often_enough_are_named_in_every_format),
        WITH_REPORT(a_host_for_whom_somebody_else_speaks_is_marked_in_every_format),
        WITH_REPORT(what_a_store_does_not_keep_is_said_to_be_unknown),
        WITH_REPORT(the_last_line_says_which_risk_was_accepted),
        cmocka_unit_test(each_report_can_be_closed_as_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
