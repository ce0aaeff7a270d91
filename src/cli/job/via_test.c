#include "cli/job/via.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct via_rule bounce = {.spelled = "-b", .with_login = true, .port = 21};
static const struct via_rule idle = {.spelled = "-sI", .port = 80};

/* Knows ftp.example, which has an address of each family. */
static int resolve(void *context, const char *name, struct addr *ret, size_t capacity, size_t *ret_count,
                   struct error *err)
{
    (void)context;
    (void)err;
    assert_true(capacity >= 2);
    *ret_count = strcmp(name, "ftp.example") == 0 ? 2 : 0;
    assert_true(addr_parse("2001:db8::7", &ret[0]) && addr_parse("198.18.0.7", &ret[1]));
    return 0;
}

static const struct target_resolver resolver = {.resolve = resolve, .prefer = ADDR_V4};

static struct via accepted(const char *text, const struct via_rule *rule)
{
    struct via via = {.port = 0};
    struct error err = {.status = 0};
    if (via_read(text, rule, &resolver, &via, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return via;
}

static void expect(const char *text, const char *host, uint16_t port, const char *user, const char *password)
{
    char found[ADDR_TEXT_MAX];
    struct via via = accepted(text, &bounce);
    assert_string_equal(addr_format(&via.addr, found), host);
    assert_int_equal(via.port, port);
    assert_string_equal(via.user, user);
    assert_string_equal(via.password, password);
}

static void host_port_user_and_password_are_told_apart(void **state)
{
    (void)state;
    expect("198.18.0.2", "198.18.0.2", 21, "", "");
    expect("198.18.0.2:2121", "198.18.0.2", 2121, "", "");
    expect("joe@198.18.0.2", "198.18.0.2", 21, "joe", "");
    expect("joe:se:cr@et@198.18.0.2:990", "198.18.0.2", 990, "joe", "se:cr@et");
    expect("joe:@ftp.example", "198.18.0.7", 21, "joe", "");
}

static void an_ipv6_address_with_a_port_stands_in_brackets(void **state)
{
    (void)state;
    expect("2001:db8::2", "2001:db8::2", 21, "", "");
    expect("[2001:db8::2]", "2001:db8::2", 21, "", "");
    expect("joe:x@[2001:db8::2]:2121", "2001:db8::2", 2121, "joe", "x");
}

static void a_name_is_resolved_to_the_family_preferred(void **state)
{
    (void)state;
    struct target_resolver prefers_v6 = {.resolve = resolve, .prefer = ADDR_V6};
    struct via via;
    expect("ftp.example:21", "198.18.0.7", 21, "", "");
    assert_int_equal(via_read("ftp.example", &bounce, &prefers_v6, &via, NULL), 0);
    assert_int_equal(via.addr.family, ADDR_V6);
}

static void what_is_no_such_host_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "@198.18.0.2",
                                        ":pw@198.18.0.2",
                                        "198.18.0.2:",
                                        "198.18.0.2:0",
                                        "198.18.0.2:65536",
                                        "198.18.0.2:21x",
                                        "[198.18.0.2]",
                                        "[2001:db8::2",
                                        "[2001:db8::2]21",
                                        "joe@",
                                        "a/b",
                                        "198.18.0.0/24",
                                        "jo\r\ne@198.18.0.2",
                                        "joe:\n@198.18.0.2"};
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct via via;
        struct error err = {.status = 0};
        if (via_read(wrong[i], &bounce, &resolver, &via, &err) != -EX_USAGE)
            fail_msg("'%s' was accepted", wrong[i]);
        assert_non_null(strstr(err.text, "-b"));
    }
}

static void a_name_without_address_is_unavailable(void **state)
{
    (void)state;
    struct via via;
    struct error err;
    assert_int_equal(via_read("nobody.example", &bounce, &resolver, &via, &err), -EX_UNAVAILABLE);
    assert_string_equal(err.text, "-b: 'nobody.example' has no address");
}

static void a_login_is_refused_where_there_is_none(void **state)
{
    (void)state;
    struct via via;
    assert_int_equal(accepted("198.18.0.2", &idle).port, 80);
    assert_int_equal(via_read("joe@198.18.0.2", &idle, &resolver, &via, NULL), -EX_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_port_user_and_password_are_told_apart),
        cmocka_unit_test(an_ipv6_address_with_a_port_stands_in_brackets),
        cmocka_unit_test(a_name_is_resolved_to_the_family_preferred),
        cmocka_unit_test(what_is_no_such_host_is_refused),
        cmocka_unit_test(a_name_without_address_is_unavailable),
        cmocka_unit_test(a_login_is_refused_where_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
