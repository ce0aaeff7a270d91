#include "base/escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "base/rand.h"

static const enum escape_sink sinks[] = {ESCAPE_TEXT, ESCAPE_GREPABLE, ESCAPE_XML, ESCAPE_JSON};

#define SINK_COUNT (sizeof sinks / sizeof sinks[0])

static void assert_escaped(enum escape_sink sink, const char *text, const char *expected)
{
    own(free_ptr) char *escaped = escape_new(sink, text);
    assert_non_null(escaped);
    assert_string_equal(escaped, expected);
}

static unsigned hex_value(char digit)
{
    const char *found = strchr("0123456789abcdef", digit);
    assert_true(digit && found);
    return (unsigned)(found - "0123456789abcdef");
}

/* The raw bytes from the escaped form, as a reader of a report would get them back. */
static void unescape(char *text)
{
    char *out = text;
    while (*text) {
        if (*text != '\\') {
            *out++ = *text++;
            continue;
        }
        assert_int_equal(text[1], 'x');
        *out++ = (char)(hex_value(text[2]) << 4 | hex_value(text[3]));
        text += 4;
    }
    *out = '\0';
}

static void printable_ascii_stays_as_it_is_in_text(void **state)
{
    (void)state;
    assert_escaped(ESCAPE_TEXT, "Ab 09 ~!<>&\"'/(,)", "Ab 09 ~!<>&\"'/(,)");
}

static void every_other_byte_becomes_hex_in_text(void **state)
{
    (void)state;
    for (unsigned byte = 1; byte < 256; byte++) {
        char text[2] = {(char)byte, '\0'};
        char expected[8];
        if (byte >= 0x20 && byte < 0x7f && byte != '\\')
            snprintf(expected, sizeof expected, "%c", (char)byte);
        else
            snprintf(expected, sizeof expected, "\\x%02x", byte);
        assert_escaped(ESCAPE_TEXT, text, expected);
    }
}

static void the_backslash_is_escaped_in_every_sink(void **state)
{
    (void)state;
    for (size_t i = 0; i < SINK_COUNT; i++)
        assert_escaped(sinks[i], "\\x41", "\\x5cx41");
}

static void grepable_escapes_what_separates_its_fields(void **state)
{
    (void)state;
    assert_escaped(ESCAPE_GREPABLE, "x/open/tcp//ssh///, 1 (a)\t",
                   "x\\x2fopen\\x2ftcp\\x2f\\x2fssh\\x2f\\x2f\\x2f"
                   "\\x2c 1 \\x28a\\x29\\x09");
}

static void xml_keeps_utf8_without_control_and_direction_marks(void **state)
{
    (void)state;
    assert_escaped(ESCAPE_XML, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80<&>\"'",
                   "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80<&>\"'");
    assert_escaped(ESCAPE_XML, "\x1b[0m\t\r\n\x7f", "\\x1b[0m\\x09\\x0d\\x0a\\x7f");
    assert_escaped(ESCAPE_XML, "\xc2\x9b", "\\xc2\\x9b");          /* U+009B, CSI */
    assert_escaped(ESCAPE_XML, "\xe2\x80\xae", "\\xe2\\x80\\xae"); /* U+202E, right-to-left override */
    assert_escaped(ESCAPE_XML, "\xef\xbf\xbe\xef\xbf\xbf",
                   "\\xef\\xbf\\xbe\\xef\\xbf\\xbf"); /* U+FFFE, U+FFFF */
}

static void json_keeps_all_valid_utf8(void **state)
{
    (void)state;
    assert_escaped(ESCAPE_JSON, "\x1b\t\n\x7f\xc2\x9b\xe2\x80\xa8\xe2\x80\xae",
                   "\x1b\t\n\x7f\xc2\x9b\xe2\x80\xa8\xe2\x80\xae");
}

static void bytes_that_are_not_utf8_become_hex_one_by_one(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *escaped;
    } cases[] = {
        {"\x80", "\\x80"},                   /* continuation without a lead */
        {"\xc3", "\\xc3"},                   /* lead without its continuation */
        {"\xc3(", "\\xc3("},                 /* lead, then something else */
        {"\xc0\xaf", "\\xc0\\xaf"},          /* overlong '/' */
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"}, /* overlong '/' */
        {"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* surrogate U+D800 */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* U+110000 */
        {"\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"},
        {"\xe2\x82", "\\xe2\\x82"}, /* cut short */
        {"\xff\xfe", "\\xff\\xfe"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_escaped(ESCAPE_JSON, cases[i].text, cases[i].escaped);
        assert_escaped(ESCAPE_XML, cases[i].text, cases[i].escaped);
    }
}

static void the_raw_bytes_can_be_had_back_from_every_sink(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        struct rand rand = {.state = seed};
        char text[64];
        size_t len = (size_t)rand_below(&rand, sizeof text);
        for (size_t i = 0; i < len; i++) {
            char byte = (char)rand_next(&rand);
            text[i] = (char)(byte ? byte : 'x');
        }
        text[len] = '\0';
        for (size_t i = 0; i < SINK_COUNT; i++) {
            char escaped[ESCAPE_MAX(sizeof text)];
            escape_copy(sinks[i], text, escaped, sizeof escaped);
            unescape(escaped);
            if (strcmp(escaped, text) != 0)
                fail_msg("seed %u, sink %u", (unsigned)seed, (unsigned)sinks[i]);
        }
    }
}

static void text_that_does_not_fit_is_cut_between_escapes(void **state)
{
    (void)state;
    char text[8];
    assert_int_equal(escape_copy(ESCAPE_TEXT,
                                 "ab\x1b"
                                 "c",
                                 text, sizeof text),
                     7);
    assert_string_equal(text, "ab\\x1bc");
    assert_int_equal(escape_copy(ESCAPE_TEXT,
                                 "ab\x1b"
                                 "c",
                                 text, 7),
                     6);
    assert_string_equal(text, "ab\\x1b");
    assert_int_equal(escape_copy(ESCAPE_TEXT,
                                 "ab\x1b"
                                 "c",
                                 text, 6),
                     2);
    assert_string_equal(text, "ab");
    assert_int_equal(escape_copy(ESCAPE_TEXT, "ab", text, 1), 0);
    assert_string_equal(text, "");
}

static void writing_to_a_file_gives_the_same_as_copying(void **state)
{
    (void)state;
    const char *text = "a\x1b\xc3\xa4/\\";
    for (size_t i = 0; i < SINK_COUNT; i++) {
        char *written = NULL;
        size_t written_len = 0;
        FILE *file = open_memstream(&written, &written_len);
        assert_non_null(file);
        escape_write(sinks[i], text, file);
        assert_int_equal(fclose(file), 0);
        assert_escaped(sinks[i], text, written);
        free(written);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printable_ascii_stays_as_it_is_in_text),
        cmocka_unit_test(every_other_byte_becomes_hex_in_text),
        cmocka_unit_test(the_backslash_is_escaped_in_every_sink),
        cmocka_unit_test(grepable_escapes_what_separates_its_fields),
        cmocka_unit_test(xml_keeps_utf8_without_control_and_direction_marks),
        cmocka_unit_test(json_keeps_all_valid_utf8),
        cmocka_unit_test(bytes_that_are_not_utf8_become_hex_one_by_one),
        cmocka_unit_test(the_raw_bytes_can_be_had_back_from_every_sink),
        cmocka_unit_test(text_that_does_not_fit_is_cut_between_escapes),
        cmocka_unit_test(writing_to_a_file_gives_the_same_as_copying),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
