/* Of a build with sanitizers, in which the sandbox is off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sandbox/sandbox.h"

static void a_build_with_sanitizers_has_no_sandbox_and_says_so(void **state)
{
    (void)state;
    struct sandbox_state possible = sandbox_possible();
    char text[SANDBOX_TEXT_MAX];
    sandbox_describe(&possible, text);
    assert_int_equal(possible.calls, SANDBOX_SANITIZERS);
    assert_int_equal(possible.files, SANDBOX_SANITIZERS);
    assert_non_null(strstr(text, "built with sanitizers"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_build_with_sanitizers_has_no_sandbox_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
