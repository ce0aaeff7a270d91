#include "cli/options/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "cli/options/number.h"
#include "cli/options/option_table.h"

#define WORDS_MAX 32

/* A command line and what became of it; the options point into the copy. */
struct line {
    char copy[512];
    struct options options;
    struct error err;
};

/* Split at blanks and parse. True: accepted; the caller ends with options_done. */
static bool parse(struct line *line, const char *text)
{
    char *argv[WORDS_MAX + 1] = {line->copy};
    int argc = 1;
    size_t len = (size_t)snprintf(line->copy, sizeof line->copy, "%s", text);
    assert_true(len < sizeof line->copy);
    char *rest = line->copy;
    for (char *word = strtok_r(rest, " ", &rest); word && argc < WORDS_MAX; word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    if (options_parse(argc, argv, &line->options, &line->err) < 0)
        return false;
    if (options_check(&line->options, &line->err) == 0)
        return true;
    options_done(&line->options);
    return false;
}

static void must_parse(struct line *line, const char *text)
{
    if (!parse(line, text))
        fail_msg("'%s': %s", text, line->err.text);
}

static void techniques_can_share_a_dash(void **state)
{
    (void)state;
    const char *const spellings[] = {"-sS -sT host", "-sST host", "host -sTS"};
    for (unsigned i = 0; i < 3; i++) {
        struct line line;
        must_parse(&line, spellings[i]);
        assert_int_equal(line.options.scan_count, 2);
        assert_string_equal(line.options.scans[i == 2], "syn");
        assert_string_equal(line.options.scans[i != 2], "connect");
        assert_string_equal(line.options.targets[0], "host");
        options_done(&line.options);
    }
}

static void an_argument_may_be_glued_or_follow_or_stand_behind_an_equals_sign(void **state)
{
    (void)state;
    const char *const spellings[] = {"-p22,80 host", "-p 22,80 host", "host -p=22,80"};
    for (unsigned i = 0; i < 3; i++) {
        struct line line;
        must_parse(&line, spellings[i]);
        assert_string_equal(line.options.ports, "22,80");
        assert_int_equal(line.options.target_count, 1);
        options_done(&line.options);
    }
    struct line line;
    must_parse(&line, "--max-rate=2.5 --min-rate 1 -p- -iL - -oX=-");
    assert_true(line.options.max_rate_pps > 2.49 && line.options.max_rate_pps < 2.51);
    assert_true(line.options.min_rate_pps > 0.99 && line.options.min_rate_pps < 1.01);
    assert_string_equal(line.options.ports, "-");
    assert_string_equal(line.options.input_file, "-");
    assert_string_equal(line.options.outputs[0].letters, "oX");
    assert_string_equal(line.options.outputs[0].path, "-");
    options_done(&line.options);
}

static void a_confidence_is_a_chance_of_error_or_a_percentage(void **state)
{
    (void)state;
    const struct {
        const char *text;
        double risk;
    } lines[] = {{"--confidence 1e-4 h", 1e-4},
                 {"--confidence=1E-04 h", 1e-4},
                 {"--confidence 0.0001 h", 1e-4},
                 {"--confidence 99.99% h", 1e-4},
                 {"--confidence 90% h", 0.1},
                 {"--confidence 1e-12 h", 1e-12},
                 {"h", 0}};
    for (unsigned i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct line line;
        must_parse(&line, lines[i].text);
        assert_true(line.options.risk >= lines[i].risk * 0.999999 &&
                    line.options.risk <= lines[i].risk * 1.000001);
        options_done(&line.options);
    }
}

static void levels_count_up_or_are_named(void **state)
{
    (void)state;
    const struct {
        const char *text;
        unsigned verbosity, debugging;
    } lines[] = {{"-v h", 1, 0},      {"-vv h", 2, 0},      {"-v -v h", 2, 0},  {"-v3 h", 3, 0},
                 {"-nv h", 1, 0},     {"-d h", 1, 1},       {"-dd -v h", 2, 2}, {"-d4 h", 4, 4},
                 {"-v99999 h", 0, 0}, {"--verbose h", 1, 0}};
    for (unsigned i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct line line;
        if (!parse(&line, lines[i].text)) {
            assert_string_equal(lines[i].text, "-v99999 h");
            continue;
        }
        assert_int_equal(line.options.verbosity, lines[i].verbosity);
        assert_int_equal(line.options.debugging, lines[i].debugging);
        options_done(&line.options);
    }
}

static void pings_take_ports_only_in_the_same_word(void **state)
{
    (void)state;
    struct line line;
    must_parse(&line, "-PS443,80 -PA -PE 192.0.2.1");
    assert_int_equal(line.options.ping_count, 3);
    assert_string_equal(line.options.pings[0].technique, "ping-syn");
    assert_string_equal(line.options.pings[0].ports, "443,80");
    assert_string_equal(line.options.pings[1].technique, "ping-ack");
    assert_null(line.options.pings[1].ports);
    assert_string_equal(line.options.pings[2].technique, "echo");
    assert_int_equal(line.options.target_count, 1);
    options_done(&line.options);
}

static void templates_have_numbers_and_names(void **state)
{
    (void)state;
    const char *const spellings[] = {"-T4 h", "-T 4 h", "-T aggressive h", "-Taggressive h", "--timing=4 h"};
    for (unsigned i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        struct line line;
        must_parse(&line, spellings[i]);
        assert_int_equal(line.options.template_number, 4);
        options_done(&line.options);
    }
}

static void every_other_form_is_read(void **state)
{
    (void)state;
    struct line line;
    must_parse(
        &line,
        "--shard 2/16 --seed 0x10 --scanflags SYNfin -g53 --ttl 7 --data 0xdeadBEEF --scan-delay 250ms "
        "--host-timeout 1.5h -- -sS");
    assert_int_equal(line.options.shard_index, 1);
    assert_int_equal(line.options.shard_count, 16);
    assert_int_equal(line.options.seed, 16);
    assert_int_equal(line.options.scan_flags, 3);
    assert_int_equal(line.options.source_port, 53);
    assert_int_equal(line.options.ttl, 7);
    assert_int_equal(line.options.data_len, 4);
    assert_memory_equal(line.options.data, "\xde\xad\xbe\xef", 4);
    assert_int_equal(line.options.scan_delay_ns, 250 * MSEC);
    assert_int_equal(line.options.host_timeout_ns, 5400 * SEC);
    assert_string_equal(line.options.targets[0], "-sS");
    options_done(&line.options);
}

static void flags_are_named_in_any_order_or_given_as_a_number(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int flags;
    } rows[] = {
        {"--scanflags URGACKPSHRSTSYNFIN h", 0x3f},
        {"--scanflags ecefinCWR h", 0xc1},
        {"--scanflags all h", 0xff},
        {"--scanflags NONE h", 0},
        {"--scanflags 0x29 h", 0x29},
        {"--scanflags 255 h", 0xff},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct line line;
        must_parse(&line, rows[i].text);
        assert_int_equal(line.options.scan_flags, rows[i].flags);
        options_done(&line.options);
    }
}

static const struct {
    const char *text, *named;
} wrong_lines[] = {
    {"", "no targets"},
    {"--top-port 5 h", "--top-ports"},
    {"--maxrate 5 h", "--max-rate"},
    {"-top-ports 5 h", "--top-ports"},
    {"--frobnicate h", "'--frobnicate'"},
    {"-k h", "'-k'"},
    {"-s h", "'-s'"},
    {"-sSk h", "'-sSk'"},
    {"-Pnx h", "'-Pnx'"},
    {"-sS -sS h", "-sS is given twice"},
    {"-p1 -p2 h", "-p is given twice"},
    {"h -p", "-p needs an argument"},
    {"h --max-rate", "--max-rate needs an argument"},
    {"--reason=yes h", "--reason takes no argument"},
    {"--exclude= h", "--exclude: the TARGETS is empty"},
    {"\xe2\x80\x93sS h", "argument 1"},
    {"h -\xe2\x80\x94open", "argument 2"},
    {"-p \xe2\x88\x92 h", "dash of Unicode"},
    {"-sV h", "nmap -sV"},
    {"--script=x h", "--script"},
    {"-D h", "-D"},
    {"-T6 h", "-T: '6'"},
    {"--max-retries 16 h", "--max-retries: '16'"},
    {"--max-retries 1x h", "'1x'"},
    {"--max-rate 0 h", "--max-rate: '0'"},
    {"--max-rate -1 h", "'-1'"},
    {"--max-rate nan h", "'nan'"},
    {"--confidence 2 h", "--confidence: '2'"},
    {"--confidence 1e-13 h", "'1e-13'"},
    {"--confidence 1e h", "'1e'"},
    {"--confidence e-6 h", "'e-6'"},
    {"--confidence 1e-6x h", "'1e-6x'"},
    {"--confidence nan h", "'nan'"},
    {"--confidence -1e-6 h", "'-1e-6'"},
    {"--confidence 100% h", "'100%'"},
    {"--confidence 1e-6% h", "'1e-6%'"},
    {"--confidence % h", "'%'"},
    {"--confidence 99.99999999999999999999999999999999999% h", "--confidence"},
    {"--host-timeout 5d h", "--host-timeout: '5d'"},
    {"--scan-delay 1e3 h", "'1e3'"},
    {"--shard 3/2 h", "--shard: '3/2'"},
    {"--shard 0/2 h", "'0/2'"},
    {"--seed 18446744073709551616 h", "--seed"},
    {"-g 65536 h", "-g: '65536'"},
    {"--ttl 256 h", "--ttl: '256'"},
    {"--data abc h", "--data: 'abc'"},
    {"--data ab --data-length 3 h", "--data-length"},
    {"--scanflags SYNX h", "--scanflags: 'SYNX'"},
    {"--scanflags SYNAL h", "--scanflags: 'SYNAL'"},
    {"--scanflags 256 h", "--scanflags: '256'"},
    {"--top-ports 0 h", "--top-ports: '0'"},
    {"-oX -oN h", "-oX: '-oN'"},
    {"-oX a -oN a h", "'a'"},
    {"-oA - h", "-oA"},
    {"-v1x h", "-v: '1x'"},
    {"-sn -p1 h", "-sn"},
    {"-Pn -PE h", "-Pn"},
    {"-p1 -F h", "-F"},
    {"-n -R h", "-R"},
    {"--min-rate 5 --max-rate 4 h", "--min-rate"},
    {"--min-rtt-timeout 2s --max-rtt-timeout 1s h", "--min-rtt-timeout"},
};

static void what_is_wrong_is_named_in_one_line(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof wrong_lines / sizeof wrong_lines[0]; i++) {
        struct line line = {.err = {.status = 0}};
        if (parse(&line, wrong_lines[i].text))
            fail_msg("'%s' was accepted", wrong_lines[i].text);
        assert_int_equal(line.err.status, EX_USAGE);
        if (!strstr(line.err.text, wrong_lines[i].named))
            fail_msg("'%s': '%s' does not name '%s'", wrong_lines[i].text, line.err.text,
                     wrong_lines[i].named);
        assert_null(strchr(line.err.text, '\n'));
    }
}

static void no_option_hides_another_and_each_has_help(void **state)
{
    (void)state;
    for (unsigned i = 0; i < option_table_len; i++) {
        const struct option *option = &option_table[i];
        assert_true(option->name || option->letters);
        assert_non_null(option->set);
        assert_true(strlen(option->help) > 2);
        assert_true(option->help[strlen(option->help) - 1] != '.');
        assert_int_equal(option->metavar != NULL,
                         option->argument == ARGUMENT_REQUIRED || option->argument == ARGUMENT_GLUED);
        if (option->name)
            assert_ptr_equal(option_find(option->name), option);
        if (option->letters)
            assert_ptr_equal(option_find_letters(option->letters), option);
    }
}

static void numbers_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    uint64_t number = 7;
    assert_true(number_read("18446744073709551615", 0, UINT64_MAX, &number));
    assert_true(number == UINT64_MAX);
    const char *const wrong[] = {
        "", " 1", "1 ", "+1", "-1", "0x", "0xg", "1e3", "18446744073709551616", "\xd9\xa1"};
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(number_read(wrong[i], 0, UINT64_MAX, &number));
    assert_true(number == UINT64_MAX);

    int64_t time_ns = 7;
    assert_true(number_read_duration("0.5", 0, SEC, &time_ns));
    assert_int_equal(time_ns, 500 * MSEC);
    const char *const wrong_times[] = {"", ".", "s", "1d", "1 s", "1ms2", "1.2.3s", "inf", "2s", "0x1s"};
    for (unsigned i = 0; i < sizeof wrong_times / sizeof wrong_times[0]; i++)
        assert_false(number_read_duration(wrong_times[i], 0, SEC, &time_ns));
    assert_int_equal(time_ns, 500 * MSEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(techniques_can_share_a_dash),
        cmocka_unit_test(an_argument_may_be_glued_or_follow_or_stand_behind_an_equals_sign),
        cmocka_unit_test(a_confidence_is_a_chance_of_error_or_a_percentage),
        cmocka_unit_test(levels_count_up_or_are_named),
        cmocka_unit_test(pings_take_ports_only_in_the_same_word),
        cmocka_unit_test(templates_have_numbers_and_names),
        cmocka_unit_test(every_other_form_is_read),
        cmocka_unit_test(flags_are_named_in_any_order_or_given_as_a_number),
        cmocka_unit_test(what_is_wrong_is_named_in_one_line),
        cmocka_unit_test(no_option_hides_another_and_each_has_help),
        cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
