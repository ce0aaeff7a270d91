/* The hosts file. */
#include "resolve/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void load_text(const char *text, struct hosts *ret)
{
    char path[] = "/tmp/hosts_test_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    hosts_load(path, ret);
    unlink(path);
}

static const char *find(const struct hosts *hosts, const char *address)
{
    struct addr addr;
    assert_true(addr_parse(address, &addr));
    return hosts_find(hosts, &addr);
}

static void the_first_name_of_the_first_line_with_an_address_is_its_name(void **state)
{
    (void)state;
    struct hosts hosts;
    load_text("# a comment\n"
              "127.0.0.1\tlocalhost loopback # home\n"
              "  198.18.0.9   nine.example nine\n"
              "::1 ip6-localhost\r\n"
              "198.18.0.9 other.example\n"
              "127.0.0.1 machine\n",
              &hosts);
    assert_string_equal(find(&hosts, "127.0.0.1"), "localhost");
    assert_string_equal(find(&hosts, "198.18.0.9"), "nine.example");
    assert_string_equal(find(&hosts, "::1"), "ip6-localhost");
    assert_null(find(&hosts, "198.18.0.1"));
    assert_int_equal(hosts.count, 3);
    hosts_done(&hosts);
}

static void lines_that_make_no_sense_are_skipped(void **state)
{
    (void)state;
    struct hosts hosts;
    char text[1000];
    snprintf(text, sizeof text,
             "198.18.0.1\nnonsense name\n\n#198.18.0.2 two\n198.18.0.3 %0300d\n198.18.0.4 four", 0);
    load_text(text, &hosts);
    assert_int_equal(hosts.count, 1);
    assert_string_equal(find(&hosts, "198.18.0.4"), "four");
    hosts_done(&hosts);
}

static void a_file_that_is_not_there_is_empty(void **state)
{
    (void)state;
    struct hosts hosts;
    hosts_load("/nonexistent/hosts", &hosts);
    assert_null(find(&hosts, "127.0.0.1"));
    hosts_done(&hosts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_name_of_the_first_line_with_an_address_is_its_name),
        cmocka_unit_test(lines_that_make_no_sense_are_skipped),
        cmocka_unit_test(a_file_that_is_not_there_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
