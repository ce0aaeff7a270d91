#include "plan/targets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Names that the tests' resolver knows. */
static int resolve(void *context, const char *name, struct addr *ret, size_t capacity, size_t *ret_count,
                   struct error *err)
{
    static const char *const both[] = {"2001:db8::80", "198.18.0.80", "198.18.0.81", "2001:db8::81"};
    size_t count = 0;
    ++*(unsigned *)context;
    assert_true(capacity >= 4);
    if (strcmp(name, "broken.example") == 0)
        return error_set(err, EX_TEMPFAIL, "the resolver has gone");
    if (strcmp(name, "both.example") == 0 || strcmp(name, "same.example.") == 0)
        for (; count < 4; count++)
            assert_true(addr_parse(both[count], &ret[count]));
    if (strcmp(name, "six_only.example") == 0)
        assert_true(addr_parse("2001:db8::6", &ret[count++]));
    *ret_count = count;
    return 0;
}

static struct target_resolver resolver_with(unsigned *calls, enum addr_family prefer, bool all)
{
    return (struct target_resolver){.resolve = resolve, .context = calls, .prefer = prefer, .all = all};
}

/* The set's ranges as text, "first-last first-last ...". */
static const char *describe(struct addr_set *set, char *text, size_t capacity)
{
    size_t len = 0;
    text[0] = '\0';
    assert_int_equal(addr_set_normalize(set), 0);
    for (size_t i = 0; i < set->v4_count + set->v6_count; i++) {
        char first_text[ADDR_TEXT_MAX];
        char last_text[ADDR_TEXT_MAX];
        struct addr first;
        struct addr last;
        if (i < set->v4_count) {
            first = addr_v4(set->v4[i].first);
            last = addr_v4(set->v4[i].last);
        } else {
            first = addr_v6(set->v6[i - set->v4_count].first, set->v6[i - set->v4_count].scope);
            last = addr_v6(set->v6[i - set->v4_count].last, set->v6[i - set->v4_count].scope);
        }
        len += (size_t)snprintf(text + len, capacity - len, "%s%s", i ? " " : "",
                                addr_format(&first, first_text));
        if (!addr_equal(&first, &last))
            len += (size_t)snprintf(text + len, capacity - len, "-%s", addr_format(&last, last_text));
        assert_true(len < capacity);
    }
    return text;
}

static const struct {
    const char *text;
    const char *ranges;
} good_targets[] = {
    {"198.18.0.1", "198.18.0.1"},
    {"198.18.0.0/24", "198.18.0.0-198.18.0.255"},
    {"198.18.0.77/24", "198.18.0.0-198.18.0.255"},
    {"198.18.5.6/15", "198.18.0.0-198.19.255.255"},
    {"198.18.0.9/32", "198.18.0.9"},
    {"198.18.0.9/31", "198.18.0.8-198.18.0.9"},
    {"1.2.3.4/0", "0.0.0.0-255.255.255.255"},
    {"198.18.0-3.1,5-9", "198.18.0.1 198.18.0.5-198.18.0.9 198.18.1.1 198.18.1.5-198.18.1.9 198.18.2.1 "
                         "198.18.2.5-198.18.2.9 198.18.3.1 198.18.3.5-198.18.3.9"},
    {"198.18.1-2.*", "198.18.1.0-198.18.2.255"},
    {"198.18.1-2.-", "198.18.1.0-198.18.2.255"},
    {"198.18.0.254-", "198.18.0.254-198.18.0.255"},
    {"198.18.0.-2", "198.18.0.0-198.18.0.2"},
    {"198.18.0.2,2,1-3,3", "198.18.0.1-198.18.0.3"},
    {"198.18,19.0,255.0-255",
     "198.18.0.0-198.18.0.255 198.18.255.0-198.19.0.255 198.19.255.0-198.19.255.255"},
    {"*.*.*.*", "0.0.0.0-255.255.255.255"},
    {"198.18.0,3.7/23", "198.18.0.0-198.18.3.255"},
    {"198.18.0.1,130/25", "198.18.0.0-198.18.0.255"},
    {"2001:db8::1", "2001:db8::1"},
    {"2001:DB8::ffff/112", "2001:db8::-2001:db8::ffff"},
    {"2001:db8::1/128", "2001:db8::1"},
    {"2001:db8::1/66", "2001:db8::-2001:db8::3fff:ffff:ffff:ffff"},
    {"::ffff:198.18.0.1", "::ffff:198.18.0.1"},
    {"fe80::1%lo", "fe80::1%lo"},
    {"fe80::1%lo/127", "fe80::%lo-fe80::1%lo"},
    {"fe80::1%1", "fe80::1%lo"},
};

static void every_form_of_target_means_its_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good_targets / sizeof good_targets[0]; i++) {
        struct targets targets = {0};
        struct error err = {0};
        char text[512];
        if (targets_add(&targets, good_targets[i].text, NULL, &err))
            fail_msg("%s: %s", good_targets[i].text, err.text);
        assert_string_equal(describe(&targets.set, text, sizeof text), good_targets[i].ranges);
        targets_done(&targets);
    }
}

static void a_network_takes_one_range_however_large(void **state)
{
    (void)state;
    static const char *const texts[] = {"10.0.0.0/8", "10.*.*.*", "10.1.2.3/8", "0.0.0.0/0", "2001:db8::/96"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct targets targets = {0};
        assert_int_equal(targets_add(&targets, texts[i], NULL, NULL), 0);
        assert_int_equal(targets.set.v4_count + targets.set.v6_count, 1);
        assert_in_range(targets.set.v4_capacity + targets.set.v6_capacity, 1, 16);
        targets_done(&targets);
    }
}

/* A long label, a long name, a long target: too long to write out. */
#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16

static const struct {
    const char *text;
    const char *error;
} bad_targets[] = {
    {"", "empty target"},
    {"198.18.0.300", "target '198.18.0.300': octet 300 is above 255"},
    {"198.18.0.99999999999999999999",
     "target '198.18.0.99999999999999999999': octet 99999999999999999999 is above 255"},
    {"198.18.0.1-256", "target '198.18.0.1-256': octet 256 is above 255"},
    {"198.18.0.9-1", "target '198.18.0.9-1': backwards range 9-1; did you mean 1-9?"},
    {"198.18..1", "target '198.18..1': empty octet"},
    {"198.18.0.", "target '198.18.0.': empty octet"},
    {".198.18.0", "target '.198.18.0': empty octet"},
    {"198.18.0.1,,2", "target '198.18.0.1,,2': empty octet"},
    {"198.18.0.1,", "target '198.18.0.1,': empty octet"},
    {"/24", "target '/24': empty octet"},
    {"198.18.0.1-2-3", "target '198.18.0.1-2-3': '2-3' is not an octet"},
    {"198.18.0.1*", "target '198.18.0.1*': '1*' is not an octet"},
    {"198.18.0.01", "target '198.18.0.01': octet 01 has a leading zero"},
    {"198.18.0", "target '198.18.0': an IPv4 address has 4 octets, not 3"},
    {"3323068417", "target '3323068417': octet 3323068417 is above 255"},
    {"198.18.0.1.1", "target '198.18.0.1.1': an IPv4 address has 4 octets, not 5"},
    {"198.18.0.1,198.18.0.2", "target '198.18.0.1,198.18.0.2': an IPv4 address has 4 octets, not 7"},
    {"198.18.0.0/33", "target '198.18.0.0/33': prefix length 33 is above 32"},
    {"198.18.0.0/", "target '198.18.0.0/': the prefix length is missing"},
    {"198.18.0.0/24x", "target '198.18.0.0/24x': prefix length '24x' is not a number"},
    {"198.18.0.0/255.255.255.0",
     "target '198.18.0.0/255.255.255.0': prefix length '255.255.255.0' is not a number"},
    {"198.18.0.0/-1", "target '198.18.0.0/-1': prefix length '-1' is not a number"},
    {"198.18.0.0/24/24", "target '198.18.0.0/24/24': prefix length '24/24' is not a number"},
    {"198.18.0.0/4294967320", "target '198.18.0.0/4294967320': prefix length 4294967320 is above 128"},
    {"*.*.*.1,3", "target '*.*.*.1,3': too scattered, it takes more than 16777216 ranges of addresses"},
    {"2001:db8::/64",
     "target '2001:db8::/64': 2^64 addresses are too many to scan; the shortest IPv6 prefix is /66"},
    {"2001:db8::/65",
     "target '2001:db8::/65': 2^63 addresses are too many to scan; the shortest IPv6 prefix is /66"},
    {"::/0", "target '::/0': 2^128 addresses are too many to scan; the shortest IPv6 prefix is /66"},
    {"2001:db8::/129", "target '2001:db8::/129': prefix length 129 is above 128"},
    {"2001:db8:::1", "target '2001:db8:::1' is not an IPv6 address"},
    {"2001:db8::g", "target '2001:db8::g' is not an IPv6 address"},
    {"2001:db8::1-5", "target '2001:db8::1-5' is not an IPv6 address"},
    {"[2001:db8::1]", "target '[2001:db8::1]': an IPv6 address is written without brackets"},
    {"fe80::1%nosuchif0", "target 'fe80::1%nosuchif0': there is no interface 'nosuchif0'"},
    {"fe80::1%", "target 'fe80::1%': there is no interface ''"},
    {"2001:db8::1%lo", "target '2001:db8::1%lo': only a link-local address has a zone"},
    {"198.18.0.1:80", "target '198.18.0.1:80' is not an IPv6 address; ports go to -p"},
    {"www.example.net:80", "target 'www.example.net:80' is not an IPv6 address; ports go to -p"},
    {"http://www.example.net/", "target 'http://www.example.net/' is a URL; give the host alone"},
    {"www.example.net/x", "target 'www.example.net/x': prefix length 'x' is not a number"},
    {"www.example.net/129", "target 'www.example.net/129': prefix length 129 is above 128"},
    {"www.exa mple.net", "target 'www.exa mple.net' is neither an address nor a host name"},
    {"*.example.net", "target '*.example.net' is neither an address nor a host name"},
    {"198.18.0.1,www.example.net",
     "target '198.18.0.1,www.example.net' is neither an address nor a host name"},
    {"\xc3\xa9.example", "target '\xc3\xa9.example' is neither an address nor a host name"},
    {"\xe2\x80\x93p",
     "target '\xe2\x80\x93p' is neither an address nor a host name"}, /* a dash of typography */
    {"a\x1b[2J", "target 'a\x1b[2J' is neither an address nor a host name"},
    {"198.18.0.1x5.7", "target '198.18.0.1x5.7' is not a host name: its last part is a number"},
    {"www..net", "target 'www..net' is not a host name: its parts have 1 to 63 characters and no hyphen "
                 "at either end"},
    {"-www.net", "target '-www.net' is not a host name: its parts have 1 to 63 characters and no hyphen "
                 "at either end"},
    {"www-.net", "target 'www-.net' is not a host name: its parts have 1 to 63 characters and no hyphen "
                 "at either end"},
    {A64 ".net", "target '" A64
                 ".net' is not a host name: its parts have 1 to 63 characters and no hyphen at either end"},
    {A64 A64 A64 A64, "target '" A16 A16 "aaaaaaaa...' is not a host name: longer than 253 bytes"},
    {"www.example.net", "target 'www.example.net' is not an address, and names are not looked up here"},
};

static void what_is_no_target_is_refused_in_one_clear_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_targets / sizeof bad_targets[0]; i++) {
        struct targets targets = {0};
        struct error err = {0};
        assert_int_equal(targets_add(&targets, bad_targets[i].text, NULL, &err), -EX_USAGE);
        assert_int_equal(err.status, EX_USAGE);
        assert_string_equal(err.text, bad_targets[i].error);
        assert_int_equal(targets.set.v4_count + targets.set.v6_count, 0);
        targets_done(&targets);
    }
}

static void a_target_longer_than_1024_bytes_is_refused(void **state)
{
    (void)state;
    char text[1026];
    memset(text, '1', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct targets targets = {0};
    struct error err;
    assert_int_equal(targets_add(&targets, text, NULL, &err), -EX_USAGE);
    assert_string_equal(err.text,
                        "target longer than 1024 bytes, starting '1111111111111111111111111111111111111111'");
    assert_int_equal(targets_add_list(&targets, text, NULL, &err), -EX_USAGE);
    assert_string_equal(err.text,
                        "target longer than 1024 bytes, starting '1111111111111111111111111111111111111111'");
}

static void targets_cannot_take_all_memory(void **state)
{
    (void)state;
    struct targets targets = {.ranges_max = 1000};
    struct error err;
    for (unsigned i = 0; i < 20; i++) /* the same addresses over and over are no harm */
        assert_int_equal(targets_add(&targets, "198.18.*.1", NULL, NULL), 0);
    assert_int_equal(targets_add(&targets, "198.18.*.3", NULL, NULL), 0);
    int error = 0;
    for (unsigned i = 0; i < 3 && !error; i++)
        error = targets_add(&targets, "198.19.*.1", NULL, &err);
    assert_int_equal(error, -EX_USAGE);
    assert_string_equal(err.text,
                        "target '198.19.*.1': too scattered, with those before it more than 500 ranges");
    targets_done(&targets);
}

/* Spread out, they would be three million ranges, made and sorted only to be refused. */
static void a_target_is_refused_for_its_ranges_before_it_is_spread_out(void **state)
{
    (void)state;
    struct targets targets = {.ranges_max = 1000};
    struct error err;
    assert_int_equal(targets_add_list(&targets, "198-.45-.2-.81,://", NULL, &err), -EX_USAGE);
    assert_string_equal(err.text,
                        "target '198-.45-.2-.81': too scattered, it takes more than 500 ranges of addresses");
    assert_int_equal(targets.set.v4_capacity, 0);
    targets_done(&targets);
}

static void networks_of_any_size_may_be_excluded(void **state)
{
    (void)state;
    struct targets targets = {.excluded = true};
    assert_int_equal(targets_add(&targets, "::/0", NULL, NULL), 0);
    assert_int_equal(targets_add(&targets, "fe80::/10", NULL, NULL), 0);
    assert_int_equal(targets.set.v6_count, 2);
    targets_done(&targets);
}

static void a_name_gives_one_address_of_the_preferred_family(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum addr_family prefer;
        const char *ranges;
    } cases[] = {
        {"both.example", ADDR_V4, "198.18.0.80"},
        {"both.example", ADDR_V6, "2001:db8::80"},
        {"both.example", ADDR_NONE, "2001:db8::80"},
        {"six_only.example", ADDR_V4, "2001:db8::6"},
        {"both.example/28", ADDR_V4, "198.18.0.80-198.18.0.95"},
        {"both.example/124", ADDR_V6, "2001:db8::80-2001:db8::8f"},
        {"same.example.", ADDR_V4, "198.18.0.80"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned calls = 0;
        struct target_resolver resolver = resolver_with(&calls, cases[i].prefer, false);
        struct targets targets = {0};
        char text[256];
        assert_int_equal(targets_add(&targets, cases[i].text, &resolver, NULL), 0);
        assert_int_equal(calls, 1);
        assert_string_equal(describe(&targets.set, text, sizeof text), cases[i].ranges);
        assert_int_equal(targets.name_count, 1);
        targets_done(&targets);
    }
}

static void all_addresses_of_a_name_are_taken_on_request(void **state)
{
    (void)state;
    unsigned calls = 0;
    struct target_resolver resolver = resolver_with(&calls, ADDR_V4, true);
    struct targets targets = {0};
    char text[256];
    assert_int_equal(targets_add(&targets, "both.example", &resolver, NULL), 0);
    assert_string_equal(describe(&targets.set, text, sizeof text),
                        "198.18.0.80-198.18.0.81 2001:db8::80-2001:db8::81");
    assert_int_equal(targets.name_count, 4);
    targets_done(&targets);
}

static void an_address_remembers_the_first_name_it_was_called_by(void **state)
{
    (void)state;
    unsigned calls = 0;
    struct target_resolver resolver = resolver_with(&calls, ADDR_V4, false);
    struct targets targets = {0};
    assert_int_equal(targets_add(&targets, "six_only.example", &resolver, NULL), 0);
    assert_int_equal(targets_add(&targets, "both.example/30", &resolver, NULL), 0);
    struct addr addr = addr_v4(0xc6120050);
    assert_string_equal(targets_name(&targets, &addr), "both.example");
    assert_int_equal(targets_add(&targets, "same.example.", &resolver, NULL), 0);
    assert_string_equal(targets_name(&targets, &addr), "both.example");
    addr = addr_v4(0xc6120051);
    assert_null(targets_name(&targets, &addr));
    assert_true(addr_parse("2001:db8::6", &addr));
    assert_string_equal(targets_name(&targets, &addr), "six_only.example");
    targets_done(&targets);
}

static void a_name_without_addresses_is_counted_and_passed_over(void **state)
{
    (void)state;
    unsigned calls = 0;
    struct target_resolver resolver = resolver_with(&calls, ADDR_V4, false);
    struct targets targets = {0};
    assert_int_equal(targets_add(&targets, "nowhere.example", &resolver, NULL), 0);
    assert_int_equal(targets.unresolved_count, 1);
    assert_int_equal(targets.set.v4_count, 0);
    targets_done(&targets);
}

static void failures_around_a_name_are_passed_on(void **state)
{
    (void)state;
    unsigned calls = 0;
    struct target_resolver resolver = resolver_with(&calls, ADDR_V4, false);
    struct targets targets = {0};
    struct error err;
    assert_int_equal(targets_add(&targets, "broken.example", &resolver, &err), -EX_TEMPFAIL);
    assert_string_equal(err.text, "the resolver has gone");
    assert_int_equal(targets_add(&targets, "both.example/64", &resolver, &err), -EX_USAGE);
    assert_string_equal(err.text, "target 'both.example/64': prefix length 64 is above 32");
    targets_done(&targets);
}

static void a_list_is_split_at_commas_but_not_within_octets(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *ranges;
    } cases[] = {
        {"198.18.0.1,198.18.0.3", "198.18.0.1 198.18.0.3"},
        {"198.18.0.1,5-9", "198.18.0.1 198.18.0.5-198.18.0.9"},
        {"198.18.0,2.1/32", "198.18.0.1 198.18.2.1"},
        {"198.18.0.0/24,2001:db8::/126,198.18.1.0", "198.18.0.0-198.18.1.0 2001:db8::-2001:db8::3"},
        {"198.18.0.7", "198.18.0.7"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct targets targets = {0};
        char text[256];
        assert_int_equal(targets_add_list(&targets, cases[i].text, NULL, NULL), 0);
        assert_string_equal(describe(&targets.set, text, sizeof text), cases[i].ranges);
        targets_done(&targets);
    }
    struct targets targets = {0};
    struct error err;
    assert_int_equal(targets_add_list(&targets, "198.18.0.1,", NULL, &err), -EX_USAGE);
    assert_int_equal(targets_add_list(&targets, "198.18.0.1,198.18.0.256", NULL, &err), -EX_USAGE);
    assert_string_equal(err.text, "target '198.18.0.256': octet 256 is above 255");
    targets_done(&targets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_target_means_its_addresses),
        cmocka_unit_test(a_network_takes_one_range_however_large),
        cmocka_unit_test(what_is_no_target_is_refused_in_one_clear_line),
        cmocka_unit_test(a_target_longer_than_1024_bytes_is_refused),
        cmocka_unit_test(targets_cannot_take_all_memory),
        cmocka_unit_test(a_target_is_refused_for_its_ranges_before_it_is_spread_out),
        cmocka_unit_test(networks_of_any_size_may_be_excluded),
        cmocka_unit_test(a_name_gives_one_address_of_the_preferred_family),
        cmocka_unit_test(all_addresses_of_a_name_are_taken_on_request),
        cmocka_unit_test(an_address_remembers_the_first_name_it_was_called_by),
        cmocka_unit_test(a_name_without_addresses_is_counted_and_passed_over),
        cmocka_unit_test(failures_around_a_name_are_passed_on),
        cmocka_unit_test(a_list_is_split_at_commas_but_not_within_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
