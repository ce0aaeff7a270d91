#include "engine/idle/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/time.h"

#define QUESTIONS 64

struct fixture {
    struct zombie zombie;
    struct question questions[QUESTIONS];
    struct timeline timeline;
};

/* Questions that left one millisecond apart, all answered at once, and nothing else was sent. */
static struct fixture *begin(unsigned count, uint32_t first_id)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->zombie = (struct zombie){.capacity = QUESTIONS,
                                      .scale = {.mask = UINT16_MAX, .step = 1},
                                      .next_serial = count,
                                      .oldest_open = count};
    fixture->zombie.questions = fixture->questions;
    for (unsigned i = 0; i < count; i++)
        fixture->questions[i] = (struct question){
            .sent_ns = i * MSEC, .id = (first_id + i) & UINT16_MAX, .state = QUESTION_ANSWERED};
    return fixture;
}

/* From this question on the zombie has sent so many more packets. */
static void send_more(struct fixture *fixture, unsigned from, uint32_t packets)
{
    for (unsigned i = from; i < fixture->zombie.next_serial; i++)
        fixture->questions[i].id = (fixture->questions[i].id + packets) & UINT16_MAX;
}

static unsigned count_between(struct fixture *fixture, int64_t from_ms, int64_t to_ms)
{
    struct timeline_count count;
    timeline_read(&fixture->timeline, &fixture->zombie, 0);
    assert_true(timeline_count(&fixture->timeline, from_ms * MSEC, to_ms * MSEC, &count));
    return count.packets;
}

static void packets_show_where_they_were_sent_and_questions_do_not(void **state)
{
    (void)state;
    struct fixture *fixture = begin(40, 65530); /* the ID wraps */
    send_more(fixture, 20, 7);
    assert_int_equal(count_between(fixture, 5, 15), 0);
    assert_int_equal(count_between(fixture, 15, 25), 7);
    assert_int_equal(count_between(fixture, 19, 20), 7);
    assert_int_equal(count_between(fixture, 21, 30), 0);
    free(fixture);
}

static void questions_that_overtake_each_other_are_no_packets(void **state)
{
    (void)state;
    struct fixture *fixture = begin(40, 100);
    fixture->questions[10].id = 111;
    fixture->questions[11].id = 110;
    send_more(fixture, 30, 3);
    assert_int_equal(count_between(fixture, 5, 20), 0);
    assert_int_equal(count_between(fixture, 20, 35), 3);
    free(fixture);
}

static void lost_questions_are_counted_apart(void **state)
{
    (void)state;
    struct timeline_count count;
    struct fixture *fixture = begin(40, 100);
    fixture->questions[10].state = fixture->questions[11].state = QUESTION_LOST;
    timeline_read(&fixture->timeline, &fixture->zombie, 0);
    assert_true(timeline_count(&fixture->timeline, 10 * MSEC, 11 * MSEC, &count));
    assert_int_equal(count.lost, 2);
    assert_int_equal(count.span_ns, 3 * MSEC);
    assert_int_equal(count.packets, 2); /* their answers, as far as anybody knows */
    free(fixture);
}

static void what_lies_across_a_jump_is_not_known(void **state)
{
    (void)state;
    struct timeline_count count;
    struct fixture *fixture = begin(40, 100);
    send_more(fixture, 20, 20000);
    assert_int_equal(count_between(fixture, 5, 15), 0);
    assert_int_equal(fixture->timeline.jumps, 1);
    assert_int_equal(count_between(fixture, 25, 35), 0);
    assert_int_equal(fixture->timeline.jumps, 0); /* it was counted before */
    assert_false(timeline_count(&fixture->timeline, 15 * MSEC, 25 * MSEC, &count));
    free(fixture);
}

static void what_is_still_open_or_was_never_asked_is_not_known(void **state)
{
    (void)state;
    struct timeline_count count;
    struct fixture *fixture = begin(40, 100);
    fixture->zombie.oldest_open = 30;
    timeline_read(&fixture->timeline, &fixture->zombie, 10);
    assert_true(timeline_count(&fixture->timeline, 15 * MSEC, 25 * MSEC, &count));
    assert_false(timeline_count(&fixture->timeline, 5 * MSEC, 25 * MSEC, &count));
    assert_false(timeline_count(&fixture->timeline, 15 * MSEC, 30 * MSEC, &count));
    free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_show_where_they_were_sent_and_questions_do_not),
        cmocka_unit_test(questions_that_overtake_each_other_are_no_packets),
        cmocka_unit_test(lost_questions_are_counted_apart),
        cmocka_unit_test(what_lies_across_a_jump_is_not_known),
        cmocka_unit_test(what_is_still_open_or_was_never_asked_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
