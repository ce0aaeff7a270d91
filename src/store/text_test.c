#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/text.h"

/* Two addresses in a store that was made on a machine with other interfaces. */
static void an_interface_that_is_not_here_has_a_scope_of_its_own(void **state)
{
    (void)state;
    struct addr one, same, other;
    assert_true(text_addr("fe80::1%pt-gone", &one));
    assert_true(text_addr("fe80::1%pt-gone", &same));
    assert_true(text_addr("fe80::1%pt-lost", &other));
    assert_true(one.scope >= TEXT_SCOPE_MISSING && other.scope >= TEXT_SCOPE_MISSING);
    assert_true(addr_equal(&one, &same));
    assert_false(addr_equal(&one, &other));
}

static void the_address_is_read_as_it_is_without_its_interface(void **state)
{
    (void)state;
    struct addr bound, bare;
    assert_true(text_addr("fe80::12:1%pt-gone", &bound));
    assert_true(text_addr("fe80::12:1", &bare));
    assert_memory_equal(bound.bytes, bare.bytes, sizeof bare.bytes);
    assert_int_equal(bare.scope, 0);
}

static void what_is_here_keeps_its_index(void **state)
{
    (void)state;
    struct addr addr;
    assert_true(text_addr("fe80::1%7", &addr));
    assert_int_equal(addr.scope, 7);
}

static void only_a_link_local_address_may_name_what_is_not_here(void **state)
{
    (void)state;
    struct addr addr = {.scope = 5};
    assert_false(text_addr("2001:db8::1%pt-gone", &addr));
    assert_false(text_addr("198.18.0.1%pt-gone", &addr));
    assert_false(text_addr("fe80::1%", &addr));
    assert_false(text_addr("fe80::1%an-interface-has-no-such-name", &addr));
    assert_false(text_addr("%pt-gone", &addr));
    assert_int_equal(addr.scope, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interface_that_is_not_here_has_a_scope_of_its_own),
        cmocka_unit_test(the_address_is_read_as_it_is_without_its_interface),
        cmocka_unit_test(what_is_here_keeps_its_index),
        cmocka_unit_test(only_a_link_local_address_may_name_what_is_not_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
