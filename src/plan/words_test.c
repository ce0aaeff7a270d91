#include "plan/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A reader over bytes in memory. The stream reads in small pieces, so words cross the buffer's end. */
static void open_bytes(struct words *words, const char *bytes, size_t len)
{
    *words = (struct words){.path = "list", .line = 1, .column = 1, .owns_file = true};
    words->file = fmemopen((void *)(uintptr_t)bytes, len, "r");
    assert_non_null(words->file);
}

static void expect_word(struct words *words, const char *text, uint64_t line, uint64_t column)
{
    struct word word;
    struct error err;
    assert_int_equal(words_next(words, &word, &err), 1);
    assert_string_equal(word.text, text);
    assert_int_equal(word.len, strlen(text));
    assert_int_equal(word.line, line);
    assert_int_equal(word.column, column);
}

static void expect_end(struct words *words)
{
    struct word word;
    struct error err;
    assert_int_equal(words_next(words, &word, &err), 0);
    assert_int_equal(words_next(words, &word, &err), 0);
    words_close(words);
}

static void words_are_separated_by_blanks_and_line_ends(void **state)
{
    (void)state;
    static const char text[] = "one  two\tthree\n\n  four\r\nfive\f\vsix";
    struct words words;
    open_bytes(&words, text, sizeof text - 1);
    expect_word(&words, "one", 1, 1);
    expect_word(&words, "two", 1, 6);
    expect_word(&words, "three", 1, 10);
    expect_word(&words, "four", 3, 3);
    expect_word(&words, "five", 4, 1);
    expect_word(&words, "six", 4, 7);
    expect_end(&words);
}

static void a_comment_ends_with_its_line(void **state)
{
    (void)state;
    static const char text[] = "# all of it \xc3\xa9\none#two three\n#\n#last";
    struct words words;
    open_bytes(&words, text, sizeof text - 1);
    expect_word(&words, "one", 2, 1);
    expect_end(&words);
}

static void a_comment_may_be_longer_than_any_buffer(void **state)
{
    (void)state;
    size_t len = 5 * sizeof((struct words *)0)->buffer;
    char *text = malloc(len + 8);
    assert_non_null(text);
    memset(text, '#', len);
    memcpy(text + len, "\nafter", 7);
    struct words words;
    open_bytes(&words, text, len + 6);
    expect_word(&words, "after", 2, 1);
    expect_end(&words);
    free(text);
}

static void a_word_may_cross_the_end_of_the_buffer(void **state)
{
    (void)state;
    size_t buffer_len = sizeof((struct words *)0)->buffer;
    char *text = malloc(buffer_len + 5);
    assert_non_null(text);
    memset(text, ' ', buffer_len);
    memcpy(text + buffer_len - 3, "abcdef ", 8);
    struct words words;
    open_bytes(&words, text, buffer_len + 4);
    expect_word(&words, "abcdef", 1, buffer_len - 2);
    expect_end(&words);
    free(text);
}

static void a_word_of_1024_bytes_is_taken_and_one_of_1025_is_refused(void **state)
{
    (void)state;
    char text[1 + 1024 + 1 + 1025];
    memset(text, 'a', sizeof text);
    text[0] = '\n';
    text[1025] = '\n';
    struct words words;
    struct word word;
    struct error err;
    open_bytes(&words, text, sizeof text);
    assert_int_equal(words_next(&words, &word, &err), 1);
    assert_int_equal(word.len, 1024);
    assert_int_equal(words_next(&words, &word, &err), -EX_DATAERR);
    assert_string_equal(err.text, "list:3: entry longer than 1024 bytes, starting "
                                  "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'");
    words_close(&words);
}

static void bytes_that_are_not_text_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *error;
    } cases[] = {
        {"one\n tw\0o", 9, "list:2:4: byte 0x00 does not belong in a text file"},
        {"\n\n\0", 3, "list:3:1: byte 0x00 does not belong in a text file"},
        {"# comment \x01", 11, "list:1:11: byte 0x01 does not belong in a text file"},
        {"\x7f"
         "ELF",
         4, "list:1:1: byte 0x7f does not belong in a text file"},
        {"\x1b[2J", 4, "list:1:1: byte 0x1b does not belong in a text file"},
        {"\xff\xfe"
         "1\0",
         4, "list:1:4: byte 0x00 does not belong in a text file"}, /* UTF-16 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct words words;
        struct word word;
        struct error err;
        int status;
        open_bytes(&words, cases[i].bytes, cases[i].len);
        do
            status = words_next(&words, &word, &err);
        while (status > 0);
        assert_int_equal(status, -EX_DATAERR);
        assert_int_equal(err.status, EX_DATAERR);
        assert_string_equal(err.text, cases[i].error);
        words_close(&words);
    }
}

static void a_byte_order_mark_is_passed_over(void **state)
{
    (void)state;
    char path[] = "words_test.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "\xef\xbb\xbfone\r\n", 8), 8);
    close(fd);
    struct words words;
    struct error err;
    int status = words_open(&words, path, false, &err);
    unlink(path);
    assert_int_equal(status, 0);
    expect_word(&words, "one", 1, 1);
    expect_end(&words);
}

static void an_empty_file_has_no_words(void **state)
{
    (void)state;
    struct words words;
    struct error err;
    assert_int_equal(words_open(&words, "/dev/null", false, &err), 0);
    expect_end(&words);
}

static void what_cannot_be_read_is_named(void **state)
{
    (void)state;
    struct words words;
    struct error err;
    assert_int_equal(words_open(&words, "no/such/list", false, &err), -EX_NOINPUT);
    assert_string_equal(err.text, "cannot open no/such/list: No such file or directory");
    assert_int_equal(words_open(&words, "/", false, &err), -EX_NOINPUT);
    assert_int_equal(err.status, EX_NOINPUT);
    assert_string_equal(err.text, "cannot read /: Is a directory");
    assert_int_equal(words_open(&words, "-", false, &err), -EX_NOINPUT);
    assert_string_equal(err.text, "cannot open -: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_separated_by_blanks_and_line_ends),
        cmocka_unit_test(a_comment_ends_with_its_line),
        cmocka_unit_test(a_comment_may_be_longer_than_any_buffer),
        cmocka_unit_test(a_word_may_cross_the_end_of_the_buffer),
        cmocka_unit_test(a_word_of_1024_bytes_is_taken_and_one_of_1025_is_refused),
        cmocka_unit_test(bytes_that_are_not_text_are_refused_with_their_place),
        cmocka_unit_test(a_byte_order_mark_is_passed_over),
        cmocka_unit_test(an_empty_file_has_no_words),
        cmocka_unit_test(what_cannot_be_read_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
