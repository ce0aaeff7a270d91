/* Looking for zombies among hosts of every kind: which are fit, which are not and why, and who is down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/idle/find.h"
#include "engine/idle/ipid.h"
#include "netio/sim/zombie.h"

#define HOSTS 32 /* 198.18.0.0 .. 198.18.0.31, or 2001:db8:: .. 2001:db8::1f, of which the first ones exist */

struct search {
    struct sim_zombie zombies[HOSTS];
    size_t zombie_count;
    uint64_t seed;
    bool ipv6;
    int64_t stop_at_ns; /* 0: never */

    enum ipid_class class[HOSTS]; /* IPID_CLASS_COUNT: nothing was said of it */
    double pps[HOSTS], loss[HOSTS];
    int64_t rtt_ns[HOSTS];
    bool up[HOSTS], down[HOSTS], done[HOSTS];
    bool ended, unfinished;
    int64_t took_ns;
};

static struct addr addr_at(bool ipv6, unsigned index)
{
    struct addr addr = addr_v4(0xc6120000 + index);
    bool ok = !ipv6 || addr_parse("2001:db8::", &addr);
    assert_true(ok);
    addr.bytes[ipv6 ? 15 : 3] = (uint8_t)index;
    return addr;
}

static unsigned index_of(const struct addr *host)
{
    return host->bytes[host->family == ADDR_V6 ? 15 : 3];
}

static void take_record(void *context, const struct record *record)
{
    struct search *search = context;
    assert_true(record_valid(record));
    unsigned i = index_of(&record->host);
    if (record->type == RECORD_HOST_UP) {
        search->up[i] = true;
    } else if (record->type == RECORD_HOST_DOWN) {
        search->down[i] = true;
    } else if (record->type == RECORD_HOST_DONE) {
        search->done[i] = true;
    } else if (record->type == RECORD_END) {
        search->ended = true;
        search->unfinished = record->flags & RECORD_UNFINISHED;
    } else if (record->type == RECORD_NOTE) {
        assert_int_equal(record->note, NOTE_ZOMBIE);
        search->class[i] = (enum ipid_class)record->value[0];
        search->pps[i] = (double)record->value[1] / 1e3;
        search->loss[i] = (double)record->value[2] / 1e6;
        search->rtt_ns[i] = (int64_t)record->value[3];
    }
}

static struct plan *make_plan(bool ipv6)
{
    struct addr_set targets = {0};
    struct error err;
    struct plan_options options = {.in_order = true, .shard_count = 1};
    struct port_set *ports = calloc(1, sizeof *ports);
    struct plan *plan = calloc(1, sizeof *plan);
    assert_true(ports && plan);
    assert_int_equal(addr_set_add(&targets, addr_at(ipv6, 0), addr_at(ipv6, HOSTS - 1)), 0);
    assert_int_equal(plan_init(plan, &targets, NULL, NULL, ports, &options, &err), 0);
    free(ports);
    return plan;
}

static void run(struct search *search)
{
    struct plan *plan = make_plan(search->ipv6);
    struct scanner *scanner;
    struct error err;
    for (size_t i = 0; i < HOSTS; i++)
        search->class[i] = IPID_CLASS_COUNT;
    for (size_t i = 0; i < search->zombie_count; i++)
        search->zombies[i].addr = addr_at(search->ipv6, (unsigned)i);
    struct sim_config sim = {.seed = search->seed,
                             .zombies = search->zombies,
                             .zombie_count = search->zombie_count,
                             .source4 = addr_v4(0xcb007101),
                             .source6 = addr_at(true, 0xff)};
    struct netio *io = sim_new(&sim);
    assert_non_null(io);
    struct engine_config config = {
        .plan = plan,
        .timing = {.min_rto_ns = 10 * MSEC,
                   .initial_rto_ns = SEC,
                   .max_rto_ns = 10 * SEC,
                   .default_rate_pps = 10000},
        .key = {.secret = {{search->seed, 7}}, .first_port = 61000, .port_count = 4096},
        .io = io,
        .emit = take_record,
        .context = search,
    };
    assert_int_equal(idle_find_new(&config, 80, &scanner, &err), 0);
    int64_t start_ns = io->ops->now(io);
    while (scanner->ops->turn(scanner, TIME_NEVER)) {
        assert_true(io->ops->now(io) - start_ns < 600 * SEC);
        if (search->stop_at_ns && io->ops->now(io) - start_ns >= search->stop_at_ns)
            scanner->ops->stop(scanner);
    }
    search->took_ns = io->ops->now(io) - start_ns;
    scanner->ops->free(scanner);
    io->ops->close(io);
    plan_done(plan);
    free(plan);
}

static void every_host_is_told_for_what_it_is(void **state)
{
    (void)state;
    static const struct {
        struct sim_zombie zombie;
        enum ipid_class class;
    } kinds[] = {
        {{.ipid = SIM_IPID_COUNTER, .rtt_ns = MSEC}, IPID_INCREMENTAL},
        {{.ipid = SIM_IPID_BY_TWO, .rtt_ns = 50 * MSEC, .first_id = 65530}, IPID_BY_TWO},
        {{.ipid = SIM_IPID_SWAPPED, .rtt_ns = 5 * MSEC, .first_id = 0xff0}, IPID_SWAPPED},
        {{.ipid = SIM_IPID_COUNTER, .rtt_ns = MSEC, .background_pps = 2000}, IPID_BUSY},
        {{.ipid = SIM_IPID_RANDOM, .rtt_ns = MSEC}, IPID_RANDOM},
        {{.ipid = SIM_IPID_ZERO, .rtt_ns = 200 * MSEC}, IPID_ZERO},
        {{.ipid = SIM_IPID_CONSTANT, .rtt_ns = MSEC}, IPID_CONSTANT},
    };
    const unsigned count = sizeof kinds / sizeof kinds[0];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct search search = {.seed = seed, .zombie_count = count};
        for (unsigned i = 0; i < count; i++)
            search.zombies[i] = kinds[i].zombie;
        run(&search);
        assert_true(search.ended && !search.unfinished);
        for (unsigned i = 0; i < HOSTS; i++) {
            assert_int_equal(search.up[i], i < count);
            assert_int_equal(search.down[i], i >= count);
            assert_int_equal(search.done[i], i < count);
            if (search.class[i] != (i < count ? kinds[i].class : IPID_CLASS_COUNT))
                fail_msg("seed %u: host %u has class %d", (unsigned)seed, i, search.class[i]);
        }
        assert_true(search.took_ns < 10 * SEC);
    }
}

static void over_ipv6_only_hosts_that_send_fragment_headers_are_fit(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct search search = {.seed = seed, .ipv6 = true, .zombie_count = 3};
        search.zombies[0] = (struct sim_zombie){.rtt_ns = MSEC, .sends_fragment_ids = true};
        search.zombies[1] = (struct sim_zombie){.rtt_ns = MSEC};
        search.zombies[2] =
            (struct sim_zombie){.rtt_ns = MSEC, .sends_fragment_ids = true, .ipid = SIM_IPID_RANDOM};
        run(&search);
        assert_true(search.ended && !search.unfinished);
        assert_int_equal(search.class[0], IPID_INCREMENTAL);
        assert_int_equal(search.class[1], IPID_ABSENT);
        assert_int_equal(search.class[2], IPID_RANDOM);
        assert_true(search.up[0] && search.up[1] && search.up[2] && search.down[3]);
    }
}

static void traffic_loss_and_distance_are_measured(void **state)
{
    (void)state;
    struct search search = {.seed = 1, .zombie_count = 3};
    search.zombies[0] = (struct sim_zombie){.rtt_ns = 30 * MSEC, .background_pps = 100};
    search.zombies[1] = (struct sim_zombie){.rtt_ns = MSEC, .loss = 0.15};
    search.zombies[2] = (struct sim_zombie){.rtt_ns = MSEC};
    run(&search);
    assert_true(search.pps[0] > 40 && search.pps[0] < 200);
    assert_true(search.rtt_ns[0] >= 30 * MSEC && search.rtt_ns[0] < 31 * MSEC);
    assert_true(search.loss[1] > 0.05);
    assert_true(search.pps[2] < 1e-9 && search.loss[2] < 1e-9);
}

static void a_host_that_loses_its_first_question_is_not_down(void **state)
{
    (void)state;
    unsigned down = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct search search = {.seed = seed, .zombie_count = 1};
        search.zombies[0] = (struct sim_zombie){.rtt_ns = MSEC, .loss = 0.1};
        run(&search);
        down += search.down[0];
    }
    assert_true(down <= 1); /* each of three questions is lost with a chance of 0.19 */
}

static void answers_that_prove_nothing_make_no_zombie(void **state)
{
    (void)state;
    struct search search = {.seed = 1, .zombie_count = 1};
    search.zombies[0] = (struct sim_zombie){.rtt_ns = MSEC, .forgeries = 3};
    run(&search);
    assert_int_equal(search.class[0], IPID_INCREMENTAL);
    search.zombies[0].loss = 1;
    run(&search);
    assert_true(search.down[0]);
}

static void a_search_that_is_stopped_ends_at_once(void **state)
{
    (void)state;
    struct search search = {.seed = 1, .zombie_count = 1, .stop_at_ns = 100 * MSEC};
    search.zombies[0] = (struct sim_zombie){.rtt_ns = MSEC};
    run(&search);
    assert_true(search.ended && search.unfinished);
    assert_true(search.took_ns < SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_host_is_told_for_what_it_is),
        cmocka_unit_test(over_ipv6_only_hosts_that_send_fragment_headers_are_fit),
        cmocka_unit_test(traffic_loss_and_distance_are_measured),
        cmocka_unit_test(a_host_that_loses_its_first_question_is_not_down),
        cmocka_unit_test(answers_that_prove_nothing_make_no_zombie),
        cmocka_unit_test(a_search_that_is_stopped_ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
