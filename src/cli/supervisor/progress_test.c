#include "cli/supervisor/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"

static void the_line_tells_rate_share_time_left_found_and_drops(void **state)
{
    (void)state;
    struct progress progress = {.start_ns = 5 * SEC, .found = 12};
    progress.values[PROGRESS_PROBES_SENT] = 250;
    progress.values[PROGRESS_PROBES_PLANNED] = 1000;
    progress.values[PROGRESS_RATE_PPS] = 12345;
    progress.values[PROGRESS_DROPS] = 3;
    progress.values[PROGRESS_HOSTS_DONE] = 7;
    progress.values[PROGRESS_HOSTS_UP] = 5;
    char text[PROGRESS_TEXT_MAX];
    progress_line(&progress, 25 * SEC, text);
    assert_string_equal(text, "12.3 kpps  25.0% done  0:01:00 left  found 12  drops 3");
    progress_status(&progress, 25 * SEC, text);
    assert_string_equal(
        text, "0:00:20 elapsed, 7 hosts completed (5 up), 25.0% done, 0:01:00 left, 12.3 kpps, found 12, "
              "drops 3");
}

static void before_anything_is_known_nothing_is_promised(void **state)
{
    (void)state;
    struct progress progress = {.start_ns = 0};
    char text[PROGRESS_TEXT_MAX];
    progress_line(&progress, SEC, text);
    assert_string_equal(text, "0 pps  0.0% done  ? left  found 0  drops 0");
}

static void numbers_beyond_all_sense_are_still_a_line(void **state)
{
    (void)state;
    struct progress progress = {.start_ns = 0, .found = UINT64_MAX};
    for (unsigned i = 0; i < PROGRESS_COUNT; i++)
        progress.values[i] = UINT64_MAX;
    char text[PROGRESS_TEXT_MAX];
    progress_line(&progress, INT64_MAX, text);
    assert_non_null(strstr(text, "100.0% done  0:00:00 left"));
    progress.values[PROGRESS_PROBES_SENT] = 1;
    progress_status(&progress, INT64_MAX, text);
    assert_non_null(strstr(text, "0.0% done"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_tells_rate_share_time_left_found_and_drops),
        cmocka_unit_test(before_anything_is_known_nothing_is_promised),
        cmocka_unit_test(numbers_beyond_all_sense_are_still_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
