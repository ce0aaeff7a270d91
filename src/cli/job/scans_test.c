#include "cli/job/scans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/options/option_table.h"

static const struct scan_privilege with = {.raw = true, .why_not = "", .program = "./portolan"};
static const struct scan_privilege without = {.why_not = "nobody may", .program = "./portolan"};

static struct options scan_options(const char *first, const char *second)
{
    struct options options = {.scan_flags = -1};
    if (first) {
        options.scan_letters[options.scan_count] = first;
        options.scans[options.scan_count++] = option_find_letters(first)->detail;
    }
    if (second) {
        options.scan_letters[options.scan_count] = second;
        options.scans[options.scan_count++] = option_find_letters(second)->detail;
    }
    return options;
}

static void the_usual_scan_follows_from_privilege_alone(void **state)
{
    (void)state;
    struct options options = scan_options(NULL, NULL);
    struct scans scans;
    assert_int_equal(scans_choose(&options, &with, &scans, NULL), 0);
    assert_string_equal(scans.techniques[0]->name, "syn");
    assert_true(scans.raw);
    assert_int_equal(scans_choose(&options, &without, &scans, NULL), 0);
    assert_string_equal(scans.techniques[0]->name, "connect");
    assert_false(scans.raw);
}

static void discovery_alone_has_no_technique(void **state)
{
    (void)state;
    struct options options = scan_options(NULL, NULL);
    options.discovery_only = true;
    struct scans scans;
    assert_int_equal(scans_choose(&options, &with, &scans, NULL), 0);
    assert_int_equal(scans.count, 0);
}

static void a_raw_scan_without_privilege_says_how_to_grant_it(void **state)
{
    (void)state;
    struct options options = scan_options("sS", NULL);
    struct scans scans;
    struct error err;
    assert_int_equal(scans_choose(&options, &without, &scans, &err), -EX_NOPERM);
    assert_string_equal(err.text,
                        "-sS needs raw sockets, and nobody may; allow them with: sudo setcap cap_net_raw=ep "
                        "./portolan");
}

static void two_tcp_scans_are_one_too_many(void **state)
{
    (void)state;
    struct options options = scan_options("sS", "sT");
    struct scans scans;
    struct error err;
    assert_int_equal(scans_choose(&options, &with, &scans, &err), -EX_USAGE);
    assert_non_null(strstr(err.text, "-sS and -sT"));
}

static void scan_flags_change_the_technique_and_not_its_row(void **state)
{
    (void)state;
    struct options options = scan_options(NULL, NULL);
    options.scan_flags = 0x29;
    struct scans scans;
    assert_int_equal(scans_choose(&options, &with, &scans, NULL), 0);
    assert_string_equal(scans.techniques[0]->name, "syn");
    assert_int_equal(scans.techniques[0]->tcp_flags, 0x29);
    assert_int_equal(technique_find("syn")->tcp_flags, 0x02);
    struct report_scan reported[SCANS_MAX];
    assert_int_equal(scans_report(&scans, reported), 1);
    assert_string_equal(reported[0].flags, "FINPSHURG");
    assert_int_equal(scans_choose(&options, &without, &scans, NULL), -EX_NOPERM);
}

static void scan_flags_that_are_none_are_reported_as_that(void **state)
{
    (void)state;
    struct options options = scan_options(NULL, NULL);
    options.scan_flags = 0;
    struct scans scans;
    struct report_scan reported[SCANS_MAX];
    assert_int_equal(scans_choose(&options, &with, &scans, NULL), 0);
    assert_int_equal(scans_report(&scans, reported), 1);
    assert_string_equal(reported[0].flags, "NONE");
}

static void what_connections_cannot_carry_is_refused(void **state)
{
    (void)state;
    struct options options = scan_options("sT", NULL);
    struct scans scans;
    struct error err;
    options.source_port = 53;
    assert_int_equal(scans_choose(&options, &with, &scans, &err), -EX_USAGE);
    assert_non_null(strstr(err.text, "-g"));
}

static void a_udp_scan_needs_no_privilege(void **state)
{
    (void)state;
    struct options options = scan_options("sU", NULL);
    struct scans scans;
    assert_int_equal(scans_choose(&options, &without, &scans, NULL), 0);
    assert_string_equal(scans.techniques[0]->name, "udp");
    assert_false(scans.raw);
    assert_int_equal(scans_choose(&options, &with, &scans, NULL), 0);
    assert_true(scans.raw);
}

static void a_udp_scan_goes_with_any_tcp_scan(void **state)
{
    (void)state;
    struct options connecting = scan_options("sT", "sU"), raw = scan_options("sU", "sS");
    struct scans scans;
    assert_int_equal(scans_choose(&connecting, &without, &scans, NULL), 0);
    assert_int_equal(scans.count, 2);
    assert_int_equal(scans_choose(&connecting, &with, &scans, NULL), 0);
    assert_false(scans.raw);
    assert_int_equal(scans_choose(&raw, &with, &scans, NULL), 0);
    assert_true(scans.raw);
    assert_int_equal(scans_choose(&raw, &without, &scans, NULL), -EX_NOPERM);
}

static void a_bounce_scan_stands_alone_and_needs_no_privilege(void **state)
{
    (void)state;
    struct options alone = scan_options("b", NULL), with_udp = scan_options("b", "sU");
    struct scans scans;
    struct error err;
    assert_int_equal(scans_choose(&alone, &without, &scans, NULL), 0);
    assert_int_equal(scans_choose(&alone, &with, &scans, NULL), 0);
    assert_true(scans.bounces && !scans.raw);
    assert_int_equal(scans_choose(&with_udp, &with, &scans, &err), -EX_USAGE);
}

static void discovery_before_a_bounce_scan_connects(void **state)
{
    (void)state;
    struct options bounce = scan_options("b", NULL);
    struct scans scans;
    struct error err;
    bounce.ping_count = 1;
    bounce.pings[0] = (struct option_ping){.technique = "echo", .option = option_find_letters("PE")};
    assert_int_equal(scans_choose(&bounce, &without, &scans, &err), 0);
    bounce.pings[0] = (struct option_ping){.technique = "ping-ack", .option = option_find_letters("PA")};
    assert_int_equal(scans_choose(&bounce, &with, &scans, &err), -EX_USAGE);
    assert_non_null(strstr(err.text, "-PA"));
}

static void an_idle_scan_stands_alone_and_needs_privilege(void **state)
{
    (void)state;
    struct options alone = scan_options("sI", NULL), with_udp = scan_options("sI", "sU");
    struct options after_syn = scan_options("sS", "sI"), flags = scan_options("sI", NULL);
    struct scans scans;
    struct error err;
    assert_int_equal(scans_choose(&alone, &without, &scans, NULL), -EX_NOPERM);
    assert_int_equal(scans_choose(&alone, &with, &scans, NULL), 0);
    assert_true(scans.idle && scans.raw);
    assert_int_equal(scans_choose(&with_udp, &with, &scans, &err), -EX_USAGE);
    assert_non_null(strstr(err.text, "an idle scan stands alone"));
    assert_int_equal(scans_choose(&after_syn, &with, &scans, &err), -EX_USAGE);
    assert_non_null(strstr(err.text, "an idle scan stands alone"));
    flags.scan_flags = 2;
    assert_int_equal(scans_choose(&flags, &with, &scans, &err), -EX_USAGE);
}

static void data_goes_into_every_packet_of_ours(void **state)
{
    (void)state;
    uint8_t bytes[] = {1, 2, 3};
    struct options packets = scan_options("sS", "sU"), connecting = scan_options("sT", NULL);
    packets.data = connecting.data = bytes;
    packets.data_len = connecting.data_len = sizeof bytes;
    struct scans scans;
    struct error err;
    assert_int_equal(scans_choose(&packets, &with, &scans, NULL), 0);
    for (unsigned i = 0; i < scans.count; i++) {
        assert_ptr_equal(scans.techniques[i]->data->bytes, bytes);
        assert_int_equal(scans.techniques[i]->data->len, sizeof bytes);
    }
    assert_null(technique_find("udp")->data);
    assert_int_equal(scans_choose(&connecting, &with, &scans, &err), -EX_USAGE);
    assert_non_null(strstr(err.text, "--data"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_scan_follows_from_privilege_alone),
        cmocka_unit_test(discovery_alone_has_no_technique),
        cmocka_unit_test(a_raw_scan_without_privilege_says_how_to_grant_it),
        cmocka_unit_test(two_tcp_scans_are_one_too_many),
        cmocka_unit_test(scan_flags_change_the_technique_and_not_its_row),
        cmocka_unit_test(scan_flags_that_are_none_are_reported_as_that),
        cmocka_unit_test(what_connections_cannot_carry_is_refused),
        cmocka_unit_test(a_udp_scan_needs_no_privilege),
        cmocka_unit_test(a_udp_scan_goes_with_any_tcp_scan),
        cmocka_unit_test(a_bounce_scan_stands_alone_and_needs_no_privilege),
        cmocka_unit_test(discovery_before_a_bounce_scan_connects),
        cmocka_unit_test(an_idle_scan_stands_alone_and_needs_privilege),
        cmocka_unit_test(data_goes_into_every_packet_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
