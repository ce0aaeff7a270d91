#include "netio/live/softnet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void the_second_column_of_every_cpu_is_added(void **state)
{
    (void)state;
    static const char text[] = "00012f4b 00000003 00000000\n00011c41 0000000a 00000001\n";
    uint64_t sum = 0;
    assert_int_equal(softnet_parse(text, &sum), strlen(text));
    assert_int_equal(sum, 13);
}

static void a_line_that_is_cut_off_is_left_for_later(void **state)
{
    (void)state;
    uint64_t sum = 0;
    assert_int_equal(softnet_parse("00000001 00000002 0\n00000001 0000", &sum), 20);
    assert_int_equal(sum, 2);
}

static void lines_that_do_not_look_right_count_nothing(void **state)
{
    (void)state;
    uint64_t sum = 0;
    softnet_parse("\n00000001\nnothing\n", &sum);
    assert_int_equal(sum, 0);
}

static void the_kernels_file_can_be_read_again_and_again(void **state)
{
    (void)state;
    int fd = open("/proc/net/softnet_stat", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    uint64_t first = softnet_dropped(fd);
    assert_true(softnet_dropped(fd) >= first);
    close(fd);
    assert_int_equal(softnet_dropped(-1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_column_of_every_cpu_is_added),
        cmocka_unit_test(a_line_that_is_cut_off_is_left_for_later),
        cmocka_unit_test(lines_that_do_not_look_right_count_nothing),
        cmocka_unit_test(the_kernels_file_can_be_read_again_and_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
