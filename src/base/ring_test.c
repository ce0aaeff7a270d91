#include "base/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void what_goes_in_comes_out_in_order_and_a_full_ring_refuses(void **state)
{
    (void)state;
    struct ring writer;
    assert_int_equal(ring_open(4, sizeof(uint64_t), &writer), 0);
    struct ring reader = writer;

    uint64_t out = 0;
    assert_false(ring_pop(&reader, &out));
    for (uint64_t round = 0; round < 10; round++) {
        for (uint64_t i = 0; i < 4; i++)
            assert_true(ring_push(&writer, &(uint64_t){round * 4 + i}));
        assert_false(ring_push(&writer, &(uint64_t){99}));
        for (uint64_t i = 0; i < 4; i++) {
            assert_true(ring_pop(&reader, &out));
            assert_int_equal(out, round * 4 + i);
        }
        assert_false(ring_pop(&reader, &out));
    }
    assert_false(reader.broken || writer.broken);
    ring_close(&writer);
}

static void nothing_is_lost_between_two_processes(void **state)
{
    (void)state;
    struct ring ring;
    const uint64_t count = 100000;
    assert_int_equal(ring_open(64, sizeof(uint64_t), &ring), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        for (uint64_t i = 0; i < count; i++) {
            while (!ring_push(&ring, &i))
                usleep(10);
        }
        _exit(0);
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t out = UINT64_MAX;
        while (!ring_pop(&ring, &out))
            usleep(10);
        assert_int_equal(out, i);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    ring_close(&ring);
}

static void a_position_that_cannot_be_true_breaks_the_ring(void **state)
{
    (void)state;
    struct ring writer;
    assert_int_equal(ring_open(4, sizeof(uint64_t), &writer), 0);
    struct ring reader = writer;
    for (uint64_t i = 0; i < 4; i++)
        assert_true(ring_push(&writer, &i));

    uint64_t out = 7; /* four slots are announced to a reader that has already read five */
    struct ring behind = {.memory = writer.memory, .capacity = 4, .slot_len = sizeof out, .position = 5};
    assert_false(ring_pop(&behind, &out));
    assert_true(behind.broken);
    assert_int_equal(out, 7);
    assert_true(ring_pop(&reader, &out));
    ring_close(&writer);
}

static void a_reader_ahead_of_the_writer_breaks_the_ring(void **state)
{
    (void)state;
    struct ring writer;
    assert_int_equal(ring_open(4, sizeof(uint64_t), &writer), 0);
    struct ring reader = writer;
    uint64_t out = 0;
    assert_true(ring_push(&writer, &(uint64_t){1}));
    assert_true(ring_pop(&reader, &out));

    struct ring restarted = {
        .memory = writer.memory, .capacity = 4, .slot_len = sizeof out}; /* has written 0 */
    assert_false(ring_push(&restarted, &(uint64_t){2}));
    assert_true(restarted.broken);
    assert_false(ring_pop(&reader, &out));
    assert_int_equal(out, 1);
    ring_close(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out_in_order_and_a_full_ring_refuses),
        cmocka_unit_test(nothing_is_lost_between_two_processes),
        cmocka_unit_test(a_position_that_cannot_be_true_breaks_the_ring),
        cmocka_unit_test(a_reader_ahead_of_the_writer_breaks_the_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
