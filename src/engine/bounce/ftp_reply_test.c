#include "engine/bounce/ftp_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"

/* Read one whole text that ends with a reply; nothing may be left over. */
static struct ftp_reply read_reply(const char *text)
{
    struct ftp_reader reader = {.len = 0};
    struct ftp_reply reply = {.code = 0};
    struct reader in = reader_over((const uint8_t *)text, strlen(text));
    assert_int_equal(ftp_read(&reader, &in, &reply), FTP_REPLY);
    assert_int_equal(reader_left(&in), 0);
    return reply;
}

static enum ftp_progress progress_of(const char *text)
{
    struct ftp_reader reader = {.len = 0};
    struct ftp_reply reply;
    struct reader in = reader_over((const uint8_t *)text, strlen(text));
    return ftp_read(&reader, &in, &reply);
}

static void a_reply_is_a_code_and_text(void **state)
{
    (void)state;
    struct ftp_reply reply = read_reply("425 Can't open data connection.\r\n");
    assert_int_equal(reply.code, 425);
    assert_string_equal(reply.text, "425 Can't open data connection. ");
}

/* RFC 959 section 4.2: the example there, an intermediate line that begins with a number included. */
static void several_lines_end_with_the_code_and_a_blank(void **state)
{
    (void)state;
    struct ftp_reply reply = read_reply("123-First line\r\n"
                                        "Second line\r\n"
                                        "  234 A line beginning with numbers\r\n"
                                        "123-one more\r\n"
                                        "456 not the code\r\n"
                                        "1234 nor this\r\n"
                                        "123 The last line\r\n");
    assert_int_equal(reply.code, 123);
    assert_non_null(strstr(reply.text, "123 The last line"));
}

static void lf_alone_empty_lines_and_a_bare_code_will_do(void **state)
{
    (void)state;
    assert_int_equal(read_reply("\r\n\n220\n").code, 220);
    assert_int_equal(read_reply("220-\n\n220\r\n").code, 220);
}

static void one_reply_is_read_at_a_time(void **state)
{
    (void)state;
    static const char text[] = "150 here\r\n226 done\r\n";
    struct ftp_reader reader = {.len = 0};
    struct ftp_reply reply;
    struct reader in = reader_over((const uint8_t *)text, strlen(text));
    assert_int_equal(ftp_read(&reader, &in, &reply), FTP_REPLY);
    assert_int_equal(reply.code, 150);
    assert_int_equal(ftp_read(&reader, &in, &reply), FTP_REPLY);
    assert_int_equal(reply.code, 226);
    assert_string_equal(reply.text, "226 done ");
    assert_int_equal(ftp_read(&reader, &in, &reply), FTP_MORE);
}

static void where_the_bytes_are_split_does_not_matter(void **state)
{
    (void)state;
    static const char text[] = "220-Hello\r\n 220 not yet\r\n\r\n220 Now\r\n331 More\r\n";
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rand rand = {.state = seed};
        struct ftp_reader reader = {.len = 0};
        struct ftp_reply reply;
        unsigned codes[2] = {0, 0}, count = 0;
        for (size_t at = 0; at < strlen(text);) {
            size_t len = 1 + rand_below(&rand, strlen(text) - at);
            struct reader in = reader_over((const uint8_t *)text + at, len);
            while (ftp_read(&reader, &in, &reply) == FTP_REPLY) {
                if (count == 2)
                    fail_msg("seed %llu: a third reply", (unsigned long long)seed);
                codes[count++] = reply.code;
            }
            at += len;
        }
        if (codes[0] != 220 || codes[1] != 331)
            fail_msg("seed %llu: %u, %u", (unsigned long long)seed, codes[0], codes[1]);
    }
}

static void what_is_no_reply_is_broken_and_stays_so(void **state)
{
    (void)state;
    assert_int_equal(progress_of("SSH-2.0-OpenSSH_9.2\r\n"), FTP_BROKEN);
    assert_int_equal(progress_of("HTTP/1.1 400 Bad Request\r\n"), FTP_BROKEN);
    assert_int_equal(progress_of("22 short\r\n"), FTP_BROKEN);
    assert_int_equal(progress_of("2200 long\r\n"), FTP_BROKEN);
    assert_int_equal(progress_of("620 protected\r\n"), FTP_BROKEN);
    assert_int_equal(progress_of("020 zero\r\n"), FTP_BROKEN);
    assert_int_equal(progress_of("+OK\r\n220 too late\r\n"), FTP_BROKEN);
}

static void a_reply_without_end_is_broken_at_its_limit(void **state)
{
    (void)state;
    static const char *const pieces[] = {"220-and so on\n", "x"};
    for (unsigned i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct ftp_reader reader = {.len = 0};
        struct ftp_reply reply;
        enum ftp_progress progress = FTP_MORE;
        size_t taken = 0;
        while (progress == FTP_MORE && taken < 2 * FTP_REPLY_MAX) {
            struct reader in = reader_over((const uint8_t *)pieces[i], strlen(pieces[i]));
            progress = ftp_read(&reader, &in, &reply);
            taken += strlen(pieces[i]);
        }
        assert_int_equal(progress, FTP_BROKEN);
        assert_in_range(taken, FTP_REPLY_MAX, FTP_REPLY_MAX + 100);
    }
}

static void text_is_cut_and_made_printable(void **state)
{
    (void)state;
    char line[1000];
    snprintf(line, sizeof line, "530 \x1b[2J\xff%0900d\r\n", 0);
    struct ftp_reply reply = read_reply(line);
    assert_int_equal(strlen(reply.text), FTP_TEXT_MAX - 1);
    assert_memory_equal(reply.text, "530 ?[2J?000", 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_is_a_code_and_text),
        cmocka_unit_test(several_lines_end_with_the_code_and_a_blank),
        cmocka_unit_test(lf_alone_empty_lines_and_a_bare_code_will_do),
        cmocka_unit_test(one_reply_is_read_at_a_time),
        cmocka_unit_test(where_the_bytes_are_split_does_not_matter),
        cmocka_unit_test(what_is_no_reply_is_broken_and_stays_so),
        cmocka_unit_test(a_reply_without_end_is_broken_at_its_limit),
        cmocka_unit_test(text_is_cut_and_made_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
