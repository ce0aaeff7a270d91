#include "plan/targets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Knows the first name it is asked for, and then fails. */
static int resolve_once(void *context, const char *name, struct addr *ret, size_t capacity, size_t *ret_count,
                        struct error *err)
{
    unsigned *calls = context;
    assert_true(capacity >= 1);
    if (++*calls > 1)
        return error_set(err, EX_TEMPFAIL, "no answer about %s", name);
    ret[0] = addr_v4(0xc6120001);
    *ret_count = 1;
    return 0;
}

/* A file in the working directory that holds these bytes. */
static void write_file(char path[static 32], const char *bytes, size_t len)
{
    snprintf(path, 32, "targets_read_test.XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

static void a_file_holds_targets_and_comments(void **state)
{
    (void)state;
    static const char bytes[] =
        "\xef\xbb\xbf# targets\r\n198.18.0.1 198.18.0.2\t# two\r\n\r\n198.18.1.0/24\n2001:db8::1";
    char path[32];
    struct targets targets = {0};
    struct error err = {0};
    write_file(path, bytes, sizeof bytes - 1);
    int status = targets_read(&targets, path, NULL, &err);
    unlink(path);
    assert_int_equal(status, 0);
    assert_int_equal(addr_set_normalize(&targets.set), 0);
    assert_int_equal(targets.set.addr_count, 2 + 256 + 1);
    assert_int_equal(targets.set.v4_count, 2);
    assert_int_equal(targets.set.v6_count, 1);
    targets_done(&targets);
}

static void an_error_in_a_file_names_the_file_and_the_line(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        int status;
        const char *error;
    } cases[] = {
        {"198.18.0.1\n198.18.0.2 198.18.0.300\n", 35, EX_DATAERR,
         ":2: target '198.18.0.300': octet 300 is above 255"},
        {"\n\nwww.example.net#", 18, EX_DATAERR,
         ":3: target 'www.example.net' is not an address, and names are not looked up here"},
        {"198.18.0.1\n1\0", 13, EX_DATAERR, ":2:2: byte 0x00 does not belong in a text file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[32];
        char expected[256];
        struct targets targets = {0};
        struct error err = {0};
        write_file(path, cases[i].bytes, cases[i].len);
        int status = targets_read(&targets, path, NULL, &err);
        unlink(path);
        snprintf(expected, sizeof expected, "%s%s", path, cases[i].error);
        assert_int_equal(status, -cases[i].status);
        assert_int_equal(err.status, cases[i].status);
        assert_string_equal(err.text, expected);
        targets_done(&targets);
    }
}

static void a_failing_resolver_keeps_its_exit_status_through_a_file(void **state)
{
    (void)state;
    unsigned calls = 0;
    struct target_resolver resolver = {.resolve = resolve_once, .context = &calls};
    char path[32];
    struct targets targets = {0};
    struct error err = {0};
    write_file(path, "one.example\ntwo.example\nthree.example\n", 38);
    int status = targets_read(&targets, path, &resolver, &err);
    unlink(path);
    assert_int_equal(status, -EX_TEMPFAIL);
    assert_int_equal(err.status, EX_TEMPFAIL);
    assert_int_equal(calls, 2);
    targets_done(&targets);
}

static void a_dash_is_the_standard_input(void **state)
{
    (void)state;
    char bytes[] = "198.18.0.1 198.18.0.x\n";
    FILE *before = stdin;
    stdin = fmemopen(bytes, sizeof bytes - 1, "r");
    assert_non_null(stdin);
    struct targets targets = {0};
    struct error err = {0};
    int status = targets_read(&targets, "-", NULL, &err);
    assert_int_equal(fclose(stdin), 0); /* it was left open: it is not ours */
    stdin = before;
    assert_int_equal(status, -EX_DATAERR);
    assert_string_equal(err.text,
                        "standard input:1: target '198.18.0.x' is not an address, and names are not looked "
                        "up here");
    targets_done(&targets);
}

static void a_missing_file_is_missing_input(void **state)
{
    (void)state;
    struct targets targets = {0};
    struct error err = {0};
    assert_int_equal(targets_read(&targets, "no/such/list", NULL, &err), -EX_NOINPUT);
    assert_string_equal(err.text, "cannot open no/such/list: No such file or directory");
    assert_int_equal(targets_read(&targets, "/", NULL, &err), -EX_NOINPUT);
    assert_string_equal(err.text, "cannot read /: Is a directory");
}

/* Reads so many scattered targets from a file, and says how much time of the processor that took. */
static double load_scattered(struct targets *targets, uint32_t count)
{
    char path[32];
    write_file(path, "", 0);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t address = i * UINT32_C(2654435761);
        fprintf(file, "%u.%u.%u.%u\n", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
    }
    fclose(file);
    struct error err = {0};
    clock_t start = clock();
    int status = targets_read(targets, path, NULL, &err);
    unlink(path);
    assert_int_equal(status, 0);
    assert_int_equal(addr_set_normalize(&targets->set), 0);
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}

/* Twenty times as many cost at most five times as much each; were the cost quadratic, it would be twenty
 * times. */
static void a_million_scattered_targets_load_about_as_fast_each_as_a_few(void **state)
{
    (void)state;
    struct targets few = {0}, many = {0};
    double few_s = load_scattered(&few, 50000);
    double many_s = load_scattered(&many, 1000000);
    assert_true(many_s < 20 * 5 * few_s);
    assert_int_equal(many.set.addr_count, 1000000); /* an odd factor: all are different */
    assert_in_range(many.set.v4_capacity * sizeof *many.set.v4, 1, 32 << 20);
    targets_done(&few);
    targets_done(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_holds_targets_and_comments),
        cmocka_unit_test(an_error_in_a_file_names_the_file_and_the_line),
        cmocka_unit_test(a_failing_resolver_keeps_its_exit_status_through_a_file),
        cmocka_unit_test(a_dash_is_the_standard_input),
        cmocka_unit_test(a_missing_file_is_missing_input),
        cmocka_unit_test(a_million_scattered_targets_load_about_as_fast_each_as_a_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
