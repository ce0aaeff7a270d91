#include "engine/idle/search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/time.h"

#define DENSITY 0.01

static struct search *begin(void)
{
    struct search *search = calloc(1, sizeof *search);
    assert_non_null(search);
    search_init(search, (struct lag_span){.from_ns = -MSEC, .to_ns = 500 * MSEC}, 4 * MSEC);
    return search;
}

static struct search_block *add(struct search *search, uint32_t group)
{
    struct search_block *block = &search->blocks[search_add(search, group, 8)];
    block->shots = 1;
    return block;
}

/* What a block says of all spans that touch this stretch, and of the others. */
static void say(const struct search *search, struct search_block *block, int64_t from_ms, int64_t to_ms,
                float there, float elsewhere)
{
    for (unsigned i = 0; i < search->span_count; i++) {
        struct lag_span lag = search->spans[i].lag;
        bool touches = lag.from_ns < to_ms * MSEC && from_ms * MSEC < lag.to_ns;
        block->by_chance[i] += touches ? there : elsewhere;
        block->foretold[i] = block->by_chance[i];
    }
}

static void spans_cover_every_lag_in_the_order_of_their_ends(void **state)
{
    (void)state;
    struct search *search = begin();
    for (int64_t lag_ns = -MSEC; lag_ns < 500 * MSEC; lag_ns += MSEC / 2) {
        unsigned holding[SEARCH_WIDTHS] = {0};
        for (unsigned i = 0; i < search->span_count; i++) {
            struct lag_span lag = search->spans[i].lag;
            holding[search->spans[i].width] += lag.from_ns <= lag_ns && lag_ns < lag.to_ns;
        }
        for (unsigned width = 0; width < SEARCH_WIDTHS; width++)
            assert_true(holding[width] > 0);
    }
    for (unsigned i = 1; i < search->span_count; i++)
        assert_true(search->spans[i - 1].lag.to_ns <= search->spans[i].lag.to_ns);
    free(search);
}

static void a_lag_that_several_blocks_show_is_guessed(void **state)
{
    (void)state;
    struct search *search = begin();
    struct lag_span lag;
    for (uint32_t group = 0; group < 4; group++) {
        struct search_block *block = add(search, group);
        say(search, block, 100, 101, 6, -9);
        say(search, block, 200 + 40 * group, 201 + 40 * group, 15, 0); /* by chance, each elsewhere */
    }
    assert_true(search_guess(search, DENSITY, &lag));
    assert_true(lag.from_ns <= 100 * MSEC && 101 * MSEC <= lag.to_ns);
    assert_true(lag.to_ns - lag.from_ns <= 20 * MSEC);
    free(search);
}

static void one_block_that_shows_at_many_lags_says_nothing(void **state)
{
    (void)state;
    struct search *search = begin();
    struct lag_span lag;
    struct search_block *block = add(search, 0);
    for (int64_t at_ms = 50; at_ms < 500; at_ms += 50)
        say(search, block, at_ms, at_ms + 1, 12, 0);
    assert_false(search_guess(search, DENSITY, &lag));
    free(search);
}

static unsigned narrow_span(const struct search *search, int64_t at_ms)
{
    unsigned i = 0;
    while (search->spans[i].width != 0 || search->spans[i].lag.from_ns < at_ms * MSEC)
        i++;
    return i;
}

/* The same shows at both lags: three blocks are open in each. But what shows besides was foretold at one of
 * them. */
static void a_lag_that_foretells_what_shows_beats_one_at_which_it_comes_by_chance(void **state)
{
    (void)state;
    static const struct evidence_chances shows = {.some = 0.5, .none = 0.01};
    static const struct evidence_chances silent = {.some = 0.01, .none = 0.5};
    struct search *search = begin();
    struct lag_span lag;
    unsigned right = narrow_span(search, 100), wrong = narrow_span(search, 300);
    for (uint32_t group = 0; group < 6; group++) {
        struct search_block *block = add(search, group);
        for (unsigned shot = 0; shot < 16; shot++) {
            bool neighbor = shot % 2;
            struct evidence_chances counted = group < 3 || neighbor ? shows : silent;
            search_count(search, block, right, counted, 0.5, neighbor ? 0.9 : 0.1);
            search_count(search, block, wrong, counted, 0.5, 0.5);
        }
    }
    assert_true(search->explained[right] > search->explained[wrong]);
    assert_true(search_open(&search->blocks[0], right, DENSITY) > 0.99);
    assert_true(search_open(&search->blocks[5], right, DENSITY) < 0.01);
    assert_true(search_guess(search, DENSITY, &lag));
    assert_true(lag.from_ns == search->spans[right].lag.from_ns);
    free(search);
}

static void nothing_at_all_is_no_lag(void **state)
{
    (void)state;
    struct search *search = begin();
    struct lag_span lag;
    say(search, add(search, 0), 0, 500, -12, -12);
    assert_false(search_guess(search, DENSITY, &lag));
    assert_true(search_anywhere(search, &search->blocks[0]) < -11);
    free(search);
}

static void a_block_that_shows_at_one_lag_is_not_ruled_out(void **state)
{
    (void)state;
    struct search *search = begin();
    struct search_block *block = add(search, 0);
    say(search, block, 300, 301, 3, -20);
    assert_true(search_anywhere(search, block) > -9);
    assert_true(search_at(search, block, (struct lag_span){.from_ns = 300 * MSEC, .to_ns = 302 * MSEC}) > 2);
    assert_true(search_at(search, block, (struct lag_span){.from_ns = 10 * MSEC, .to_ns = 12 * MSEC}) < -19);
    free(search);
}

static void a_way_that_varies_more_is_guessed_wider(void **state)
{
    (void)state;
    struct search *search = begin();
    struct lag_span lag;
    for (uint32_t group = 0; group < 4; group++) {
        struct search_block *block = add(search, group);
        for (unsigned i = 0; i < search->span_count; i++) {
            struct lag_span span = search->spans[i].lag;
            bool whole = span.from_ns <= 100 * MSEC && 112 * MSEC <= span.to_ns;
            bool part = span.from_ns < 107 * MSEC && 105 * MSEC < span.to_ns;
            block->foretold[i] = whole ? 12 : part ? 7 : -9;
        }
    }
    assert_true(search_guess(search, DENSITY, &lag));
    assert_true(lag.from_ns <= 100 * MSEC && 112 * MSEC <= lag.to_ns);
    free(search);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_cover_every_lag_in_the_order_of_their_ends),
        cmocka_unit_test(a_lag_that_several_blocks_show_is_guessed),
        cmocka_unit_test(one_block_that_shows_at_many_lags_says_nothing),
        cmocka_unit_test(a_lag_that_foretells_what_shows_beats_one_at_which_it_comes_by_chance),
        cmocka_unit_test(nothing_at_all_is_no_lag),
        cmocka_unit_test(a_block_that_shows_at_one_lag_is_not_ruled_out),
        cmocka_unit_test(a_way_that_varies_more_is_guessed_wider),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
