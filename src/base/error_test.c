#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void an_error_keeps_the_sentence_and_returns_its_status_negated(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(error_set(&err, EX_NOINPUT, "cannot read '%s', line %d", "targets", 7), -EX_NOINPUT);
    assert_int_equal(err.status, EX_NOINPUT);
    assert_string_equal(err.text, "cannot read 'targets', line 7");
}

static void nobody_needs_to_take_the_sentence(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, EX_USAGE, "no such option '%s'", "-x"), -EX_USAGE);
}

static void a_sentence_too_long_is_cut(void **state)
{
    (void)state;
    struct error err = {0};
    error_set(&err, EX_USAGE, "%01000d", 0);
    assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_keeps_the_sentence_and_returns_its_status_negated),
        cmocka_unit_test(nobody_needs_to_take_the_sentence),
        cmocka_unit_test(a_sentence_too_long_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
