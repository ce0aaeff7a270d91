#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/rand.h"
#include "store/batch.h"

#define SEEDS 200

static void put_row(struct batch *batch, int64_t first, int64_t second)
{
    batch_row(batch, STORE_BLOCK_UNVOID);
    batch_int(batch, first);
    batch_int(batch, second);
}

static int64_t next_number(const struct batch *batch, size_t *at)
{
    struct batch_value value = {.kind = BATCH_NULL};
    assert_true(batch_next_value(batch, at, &value));
    assert_int_equal(value.kind, BATCH_INT);
    return value.number;
}

/* The second number of each row counts them, so that the order in which they were put shows. */
static void rows_are_sorted_by_their_first_number_and_else_stay_in_their_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rand rand = {.state = seed};
        struct batch batch = {.bytes = NULL};
        size_t put = rand_below(&rand, 300);
        for (size_t i = 0; i < put; i++)
            put_row(&batch, (int64_t)rand_below(&rand, 40) - 20, (int64_t)i);
        struct batch_place *places = batch_sort(&batch);
        assert_non_null(places);
        assert_int_equal(batch.row_count, put);
        int64_t before[2] = {INT64_MIN, -1};
        for (size_t i = 0; i < put; i++) {
            enum store_statement statement = STORE_STATEMENT_COUNT;
            size_t at = places[i].at;
            assert_true(batch_next_row(&batch, &at, &statement));
            int64_t row[2] = {next_number(&batch, &at), next_number(&batch, &at)};
            if (row[0] < before[0] || (row[0] == before[0] && row[1] <= before[1]))
                fail_msg("seed %u", (unsigned)seed);
            before[0] = row[0];
            before[1] = row[1];
        }
        free(places);
        batch_done(&batch);
    }
}

static void rows_of_one_table_are_together(void **state)
{
    (void)state;
    static const enum store_statement put[] = {STORE_HOST, STORE_FOLDED, STORE_PORT,   STORE_HOST_UNFOLD,
                                               STORE_HOST, STORE_PORT,   STORE_FOLDED, STORE_DOWN};
    static const enum store_statement sorted[] = {STORE_HOST,   STORE_HOST,        STORE_PORT,   STORE_PORT,
                                                  STORE_FOLDED, STORE_HOST_UNFOLD, STORE_FOLDED, STORE_DOWN};
    struct batch batch = {.bytes = NULL};
    for (unsigned i = 0; i < sizeof put / sizeof put[0]; i++) {
        batch_row(&batch, put[i]);
        batch_int(&batch, 5);
    }
    struct batch_place *places = batch_sort(&batch);
    assert_non_null(places);
    for (unsigned i = 0; i < sizeof sorted / sizeof sorted[0]; i++)
        assert_int_equal(places[i].statement, sorted[i]);
    free(places);
    batch_done(&batch);
}

static void rows_of_one_batch_go_behind_those_of_another(void **state)
{
    (void)state;
    struct batch batch = {.bytes = NULL};
    struct batch more = {.bytes = NULL};
    enum store_statement statement = STORE_STATEMENT_COUNT;
    size_t at = 0;
    put_row(&batch, 1, 0);
    batch_append(&batch, &more);
    put_row(&more, 2, 0);
    put_row(&more, 3, 0);
    batch_append(&batch, &more);
    assert_int_equal(batch.row_count, 3);
    for (int64_t number = 1; batch_next_row(&batch, &at, &statement); number++) {
        assert_int_equal(next_number(&batch, &at), number);
        assert_int_equal(next_number(&batch, &at), 0);
    }
    assert_int_equal(at, batch.len);
    batch_done(&batch);
    batch_done(&more);
}

/* So many that the memory grows under them, more than once. */
static void numbers_of_every_length_come_back_as_they_were(void **state)
{
    (void)state;
    struct batch batch = {.bytes = NULL};
    enum store_statement statement = STORE_STATEMENT_COUNT;
    size_t at = 0;
    for (unsigned shift = 0; shift < 64; shift++) {
        for (int64_t more = -70; more <= 70; more++)
            put_row(&batch, (int64_t)((UINT64_C(1) << shift) + (uint64_t)more), more);
    }
    for (unsigned shift = 0; shift < 64; shift++) {
        for (int64_t more = -70; more <= 70; more++) {
            assert_true(batch_next_row(&batch, &at, &statement));
            assert_true(next_number(&batch, &at) == (int64_t)((UINT64_C(1) << shift) + (uint64_t)more));
            assert_true(next_number(&batch, &at) == more);
        }
    }
    assert_int_equal(at, batch.len);
    batch_done(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted_by_their_first_number_and_else_stay_in_their_order),
        cmocka_unit_test(rows_of_one_table_are_together),
        cmocka_unit_test(rows_of_one_batch_go_behind_those_of_another),
        cmocka_unit_test(numbers_of_every_length_come_back_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
