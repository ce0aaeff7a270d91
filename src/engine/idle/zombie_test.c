#include "engine/idle/zombie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"

#define CAPACITY 64

static struct zombie make(struct question questions[static CAPACITY], uint32_t addr)
{
    struct zombie zombie = {
        .addr = addr_v4(addr),
        .port = 80,
        .source = addr_v4(0xcb007101),
        .key = {.secret = {{1, 2}}, .first_port = 61000, .port_count = 16},
        .questions = questions,
        .capacity = CAPACITY,
    };
    const struct rtt_limits limits = {10 * MSEC, SEC, 10 * SEC};
    zombie_init(&zombie, &limits);
    return zombie;
}

/* The reset that answers a question, RFC 9293 section 3.10.7. */
static struct packet reset_to(const struct probe *question, uint16_t id)
{
    return (struct packet){
        .layer = LAYER_TCP,
        .src = question->dst,
        .dst = question->src,
        .ip_id = id,
        .tcp = {.source_port = question->port,
                .port = question->source_port,
                .seq = question->number,
                .flags = TCP_RST},
    };
}

static void an_answer_names_its_question_and_counts_once(void **state)
{
    (void)state;
    struct question questions[CAPACITY];
    struct zombie zombie = make(questions, 0xc6120009);
    struct probe first = zombie_ask(&zombie, 0), second = zombie_ask(&zombie, MSEC);
    struct packet answer = reset_to(&second, 77);
    assert_true(zombie_answer(&zombie, &answer, 6 * MSEC));
    assert_int_equal(zombie_question(&zombie, 1)->state, QUESTION_ANSWERED);
    assert_int_equal(zombie_question(&zombie, 1)->id, 77);
    assert_int_equal(zombie_question(&zombie, 0)->state, QUESTION_OPEN);
    assert_int_equal(zombie.rtt.srtt_ns, 5 * MSEC);
    assert_false(zombie_answer(&zombie, &answer, 7 * MSEC));
    assert_int_equal(zombie.rejected, 1);
    answer = reset_to(&first, 76);
    assert_true(zombie_answer(&zombie, &answer, 8 * MSEC));
    assert_int_equal(zombie.answered, 2);
}

static void what_does_not_carry_the_number_is_no_answer(void **state)
{
    (void)state;
    struct question questions[CAPACITY], others[CAPACITY];
    struct zombie zombie = make(questions, 0xc6120009), other = make(others, 0xc612000a);
    struct probe question = zombie_ask(&zombie, 0), elsewhere = zombie_ask(&other, 0);
    assert_int_not_equal(question.number, elsewhere.number);
    struct packet forged = reset_to(&question, 5);
    forged.tcp.seq++;
    assert_false(zombie_answer(&zombie, &forged, MSEC));
    forged = reset_to(&question, 5);
    forged.tcp.port++;
    assert_false(zombie_answer(&zombie, &forged, MSEC));
    assert_int_equal(zombie.rejected, 2);
    forged = reset_to(&question, 5);
    forged.src = other.addr;
    assert_false(zombie_answer(&zombie, &forged, MSEC));
    assert_int_equal(zombie.answered, 0);
}

static void questions_are_lost_after_a_time_and_may_be_answered_late(void **state)
{
    (void)state;
    struct question questions[CAPACITY];
    struct zombie zombie = make(questions, 0xc6120009);
    struct probe question = zombie_ask(&zombie, 0);
    assert_int_equal(zombie_due_ns(&zombie), SEC);
    zombie_time_out(&zombie, SEC - 1);
    assert_int_equal(zombie.lost_in_a_row, 0);
    zombie_time_out(&zombie, SEC);
    assert_int_equal(zombie_question(&zombie, 0)->state, QUESTION_LOST);
    assert_int_equal(zombie.lost_in_a_row, 1);
    assert_int_equal(zombie_due_ns(&zombie), TIME_NEVER);
    struct packet answer = reset_to(&question, 9);
    assert_true(zombie_answer(&zombie, &answer, 2 * SEC));
    assert_int_equal(zombie.lost_in_a_row, 0);
}

static void the_last_questions_are_remembered_in_a_ring(void **state)
{
    (void)state;
    struct question questions[CAPACITY];
    struct zombie zombie = make(questions, 0xc6120009);
    struct probe first = zombie_ask(&zombie, 0), last = first;
    for (unsigned i = 1; i <= CAPACITY; i++)
        last = zombie_ask(&zombie, i * MSEC);
    struct packet forgotten = reset_to(&first, 1), answer = reset_to(&last, 2);
    assert_false(zombie_answer(&zombie, &forgotten, SEC));
    assert_true(zombie_answer(&zombie, &answer, SEC));
    assert_int_equal(zombie_question(&zombie, CAPACITY)->id, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_names_its_question_and_counts_once),
        cmocka_unit_test(what_does_not_carry_the_number_is_no_answer),
        cmocka_unit_test(questions_are_lost_after_a_time_and_may_be_answered_late),
        cmocka_unit_test(the_last_questions_are_remembered_in_a_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
