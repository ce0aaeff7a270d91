#include "netio/xdp/link_count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char text[] =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop\n"
    "    lo: 1000      10    0    0    0     0          0         0     1000      10    0    0\n"
    "  eth1: 2000      20    0    0    0     0          0         0     3000      31    0    0\n"
    " eth10:9999999999 40    0    0    0     0          0         0 99999999999 5000000000    0    0\n";

static void the_packets_sent_by_the_interface_are_found(void **state)
{
    (void)state;
    uint64_t sent = 0;
    size_t len = 0;
    assert_true(link_count_parse(text, "eth1", &len, &sent));
    assert_int_equal(sent, 31);
    assert_true(link_count_parse(text, "eth10", &len, &sent));
    assert_int_equal(sent, UINT64_C(5000000000));
}

static void a_name_is_the_whole_name(void **state)
{
    (void)state;
    uint64_t sent = 7;
    size_t len = 0;
    assert_false(link_count_parse(text, "eth", &len, &sent));
    assert_false(link_count_parse(text, "th1", &len, &sent));
    assert_int_equal(sent, 7);
}

static void a_line_that_is_cut_off_is_left_for_later(void **state)
{
    (void)state;
    uint64_t sent = 0;
    size_t len = 0;
    assert_false(link_count_parse("  lo: 1 2 3\n  eth1: 2000 20 0 0 0 0 0 0 3000 3", "eth1", &len, &sent));
    assert_int_equal(len, strlen("  lo: 1 2 3\n"));
}

static void what_the_kernel_says_can_be_read(void **state)
{
    (void)state;
    int fd = open("/proc/net/dev", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    uint64_t before = link_count_sent(fd, "lo");
    assert_true(link_count_sent(fd, "lo") >= before);
    assert_int_equal(link_count_sent(fd, "no-such-link"), 0);
    assert_int_equal(link_count_sent(-1, "lo"), 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_packets_sent_by_the_interface_are_found),
        cmocka_unit_test(a_name_is_the_whole_name),
        cmocka_unit_test(a_line_that_is_cut_off_is_left_for_later),
        cmocka_unit_test(what_the_kernel_says_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
