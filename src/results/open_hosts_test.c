/* Hosts are found by their position as long as they are open, and by nothing else. */
#include "results/open_hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"

#define POSITIONS 1500u
#define STEPS     20000u

/* Positions far apart, some of which agree in their low half. */
static uint64_t position_of(uint32_t number)
{
    return number % 3 ? number : ((uint64_t)number << 32) + number / 7;
}

/* What must be so of a table, of which it is known who is in it. */
static void check(const struct open_hosts *table, struct open_host *const hosts[static POSITIONS])
{
    uint32_t seen = 0;
    for (uint32_t number = 0; number < POSITIONS; number++)
        assert_ptr_equal(open_hosts_find(table, position_of(number)), hosts[number]);
    for (uint32_t place = 0; place < table->place_count; place++)
        seen += open_hosts_at(table, place) != NULL;
    assert_int_equal(seen, table->count);
}

static void add_or_remove(struct open_hosts *table, struct open_host **host, uint64_t position)
{
    if (*host) {
        open_hosts_remove(table, *host);
        *host = NULL;
    } else {
        *host = open_hosts_add(table, position);
        assert_non_null(*host);
        assert_int_equal((*host)->position, position);
        assert_false((*host)->touched);
        (*host)->touched = true;
    }
}

static void who_is_open_is_found_and_nobody_else(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct open_host *hosts[POSITIONS] = {NULL};
        struct open_hosts table = {.slots = NULL};
        struct rand rand = {.state = seed};
        print_message("seed %llu\n", (unsigned long long)seed);
        for (uint32_t step = 0; step < STEPS; step++) {
            uint32_t number = (uint32_t)(rand_next(&rand) % POSITIONS);
            add_or_remove(&table, &hosts[number], position_of(number));
            if (step % (STEPS / 8) == 0)
                check(&table, hosts);
        }
        check(&table, hosts);
        open_hosts_done(&table);
    }
}

static void a_host_stays_where_it_is_while_others_come_and_go(void **state)
{
    (void)state;
    struct open_hosts table = {.slots = NULL};
    struct open_host *host = open_hosts_add(&table, 7);
    assert_non_null(host);
    host->ttl = 64;
    for (uint64_t position = 8; position < POSITIONS; position++)
        assert_non_null(open_hosts_add(&table, position));
    for (uint64_t position = 8; position < POSITIONS; position++)
        open_hosts_remove(&table, open_hosts_find(&table, position));
    assert_ptr_equal(open_hosts_find(&table, 7), host);
    assert_int_equal(host->ttl, 64);
    open_hosts_done(&table);
}

static void places_are_used_again(void **state)
{
    (void)state;
    struct open_hosts table = {.slots = NULL};
    for (uint64_t position = 0; position < POSITIONS; position++) {
        struct open_host *host = open_hosts_add(&table, position);
        assert_non_null(host);
        if (position % 10)
            open_hosts_remove(&table, host);
    }
    assert_int_equal(table.count, POSITIONS / 10);
    assert_true(table.place_count <= POSITIONS / 10 + 1);
    open_hosts_done(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_open_is_found_and_nobody_else),
        cmocka_unit_test(a_host_stays_where_it_is_while_others_come_and_go),
        cmocka_unit_test(places_are_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
