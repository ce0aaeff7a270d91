#include "base/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"

static struct addr parsed(const char *text)
{
    struct addr addr = {0};
    if (!addr_parse(text, &addr))
        fail_msg("'%s' is not taken for an address", text);
    return addr;
}

static void assert_text(const struct addr *addr, const char *expected)
{
    char text[ADDR_TEXT_MAX];
    assert_string_equal(addr_format(addr, text), expected);
}

static void an_ipv4_address_is_four_decimal_parts(void **state)
{
    (void)state;
    struct addr addr = parsed("198.18.0.2");
    assert_int_equal(addr.family, ADDR_V4);
    assert_int_equal(addr_to_v4(&addr), 0xc6120002);
    assert_int_equal(addr_len(&addr), 4);
    assert_text(&addr, "198.18.0.2");

    struct addr made = addr_v4(0xc6120002);
    assert_true(addr_equal(&addr, &made));
}

/* RFC 5952 section 4: lower case, no leading zeros, the longest run of zeros shortened, the first of
 * equals. */
static void ipv6_text_is_in_the_recommended_form(void **state)
{
    (void)state;
    static const char *const forms[][2] = {
        {"2001:0DB8:0:0:0:0:0:0001", "2001:db8::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"::", "::"},
        {"::1", "::1"},
        {"::ffff:198.18.0.2", "::ffff:198.18.0.2"},
        {"ff02::1:ff00:42", "ff02::1:ff00:42"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct addr addr = parsed(forms[i][0]);
        assert_int_equal(addr.family, ADDR_V6);
        assert_int_equal(addr_len(&addr), 16);
        assert_text(&addr, forms[i][1]);
    }
}

static void what_is_no_address_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        " ",
                                        "1",
                                        "1.2.3",
                                        "1.2.3.4.5",
                                        "256.1.1.1",
                                        "1.2.3.4 ",
                                        " 1.2.3.4",
                                        "01.2.3.4",
                                        "0x1.2.3.4",
                                        "1.2.3.-4",
                                        "1.2.3.4/8",
                                        "1.2.3.4%1",
                                        ":",
                                        ":::",
                                        "1::2::3",
                                        "12345::",
                                        "g::",
                                        "1:2:3:4:5:6:7",
                                        "1:2:3:4:5:6:7:8:9",
                                        "fe80::1%",
                                        "fe80::1%0",
                                        "fe80::1%-1",
                                        "fe80::1%4294967296",
                                        "fe80::1% 1",
                                        "fe80::1%no-such-interface",
                                        "[::1]",
                                        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc",
                                        "host.example"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct addr addr = {.family = 77};
        if (addr_parse(texts[i], &addr))
            fail_msg("'%s' is taken for an address", texts[i]);
        assert_int_equal(addr.family, 77);
    }
}

static void a_zone_is_an_interface_name_or_a_number(void **state)
{
    (void)state;
    struct addr named = parsed("fe80::1%lo"); /* the loopback interface is number 1 on every Linux */
    struct addr numbered = parsed("fe80::1%1");
    assert_int_equal(named.scope, 1);
    assert_true(addr_equal(&named, &numbered));
    assert_text(&numbered, "fe80::1%lo");

    struct addr unknown = parsed("fe80::1%4294967295"); /* no interface has this number */
    assert_int_equal(unknown.scope, UINT32_MAX);
    assert_text(&unknown, "fe80::1%4294967295");
}

static void no_address_has_no_length_and_no_text(void **state)
{
    (void)state;
    struct addr none = {0};
    assert_int_equal(addr_len(&none), 0);
    assert_text(&none, "");
}

static void order_is_family_then_bytes_then_scope(void **state)
{
    (void)state;
    const struct addr in_order[] = {
        parsed("0.0.0.0"),         parsed("1.2.3.4"),   parsed("1.2.4.0"),
        parsed("255.255.255.255"), parsed("::"),        parsed("::1"),
        parsed("fe80::1"),         parsed("fe80::1%1"), parsed("fe80::1%70000"),
        parsed("ff02::1"),
    };
    const size_t count = sizeof in_order / sizeof in_order[0];
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            int order = addr_compare(&in_order[i], &in_order[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
            assert_int_equal(addr_equal(&in_order[i], &in_order[j]), i == j);
        }
    }
}

static struct addr random_addr(struct rand *rand)
{
    if (rand_below(rand, 2))
        return addr_v4((uint32_t)rand_next(rand));
    uint8_t bytes[16];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = rand_below(rand, 2) ? 0 : (uint8_t)rand_next(rand);
    /* Seldom: as root the kernel looks for a module for each name that no interface has. */
    return addr_v6(bytes, rand_below(rand, 32) ? 0 : 60000 + (uint32_t)rand_below(rand, 1000));
}

static void every_address_is_read_back_from_its_text(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct rand rand = {.state = seed};
        struct addr addr = random_addr(&rand);
        struct addr back = {0};
        char text[ADDR_TEXT_MAX];
        if (!addr_parse(addr_format(&addr, text), &back) || !addr_equal(&addr, &back))
            fail_msg("seed %ju: %s", (uintmax_t)seed, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ipv4_address_is_four_decimal_parts),
        cmocka_unit_test(ipv6_text_is_in_the_recommended_form),
        cmocka_unit_test(what_is_no_address_is_refused_and_changes_nothing),
        cmocka_unit_test(a_zone_is_an_interface_name_or_a_number),
        cmocka_unit_test(no_address_has_no_length_and_no_text),
        cmocka_unit_test(order_is_family_then_bytes_then_scope),
        cmocka_unit_test(every_address_is_read_back_from_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
