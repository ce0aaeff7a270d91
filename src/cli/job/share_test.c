/* What each worker gets of a job, and what cannot be shared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "cli/job/share.h"
#include "technique/rows.h"

/* A job of ten hosts for some workers, with options that are to be filled in. */
struct fixture {
    struct options options;
    struct job job;
};

static struct fixture *fixture_new(unsigned workers)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct addr_set targets = {.v4 = NULL};
    struct error err;
    struct addr first, last;
    assert_non_null(fixture);
    assert_true(addr_parse("198.18.0.1", &first));
    assert_true(addr_parse("198.18.0.10", &last));
    assert_int_equal(addr_set_add(&targets, first, last), 0);
    struct plan_options plan_options = {.seed = 1, .shard_count = 1};
    struct port_set *ports = calloc(1, sizeof *ports);
    assert_non_null(ports);
    assert_int_equal(plan_init(&fixture->job.plan, &targets, NULL, NULL, ports, &plan_options, &err), 0);
    free(ports);
    fixture->options.workers = workers;
    fixture->job.options = &fixture->options;
    fixture->job.key = (struct token_key){.first_port = 61000, .port_count = 4535};
    fixture->job.timing = (struct timing){.max_rate_pps = 900, .min_rate_pps = 300, .default_rate_pps = 600};
    return fixture;
}

static void fixture_free(struct fixture *fixture)
{
    plan_done(&fixture->job.plan);
    free(fixture);
}

static unsigned count_of(const struct fixture *fixture)
{
    struct error err;
    unsigned count = 0;
    assert_int_equal(share_count(&fixture->job, &count, &err), 0);
    return count;
}

static void there_is_one_worker_unless_more_are_asked_for_and_never_more_than_hosts(void **state)
{
    (void)state;
    static const struct {
        unsigned wanted, expected;
    } cases[] = {{0, 1}, {1, 1}, {3, 3}, {16, 10}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *fixture = fixture_new(cases[i].wanted);
        assert_int_equal(count_of(fixture), cases[i].expected);
        fixture_free(fixture);
    }
}

/* All ports of ten hosts, with this technique; nobody says how many workers. */
static struct fixture *fixture_large(const struct technique *technique)
{
    struct fixture *fixture = fixture_new(0);
    fixture->job.scans.techniques[0] = technique;
    fixture->job.scans.count = 1;
    fixture->job.specs.count = 65535;
    fixture->job.timing.max_rate_pps = 0;
    return fixture;
}

static unsigned cores(void)
{
    cpu_set_t set;
    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    return CPU_COUNT(&set) < 10 ? (unsigned)CPU_COUNT(&set) : 10;
}

static void a_large_connect_scan_has_a_worker_a_core(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_large(&technique_connect);
    assert_int_equal(count_of(fixture), cores());
    fixture->job.specs.count = 3276; /* ten hosts make one worker's work, */
    assert_int_equal(count_of(fixture), 1);
    fixture->job.specs.count = 6554; /* and now two's */
    assert_int_equal(count_of(fixture), cores() < 2 ? 1 : 2);
    fixture_free(fixture);
}

static void what_sends_packets_or_is_slowed_down_has_one_worker(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_large(&technique_syn);
    assert_int_equal(count_of(fixture), 1);
    fixture->job.scans.techniques[0] = &technique_connect;
    fixture->job.timing.max_rate_pps = 1000;
    assert_int_equal(count_of(fixture), 1);
    fixture->job.timing.max_rate_pps = 0;
    fixture->job.timing.scan_delay_ns = 1;
    assert_int_equal(count_of(fixture), 1);
    fixture->job.timing.scan_delay_ns = 0;
    fixture->options.store = "file.db";
    assert_int_equal(count_of(fixture), 1);
    fixture_free(fixture);
}

static void refused(struct fixture *fixture, const char *what)
{
    struct error err = {.status = 0};
    unsigned count = 0;
    assert_int_equal(share_count(&fixture->job, &count, &err), -EX_USAGE);
    if (!strstr(err.text, what))
        fail_msg("'%s' does not name %s", err.text, what);
    fixture->options.workers = 1;
    assert_int_equal(count_of(fixture), 1);
    fixture_free(fixture);
}

static void what_one_process_must_do_is_not_shared(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new(2);
    fixture->options.store = "file.db";
    refused(fixture, "--store");
    fixture = fixture_new(2);
    fixture->options.source_port = 53;
    refused(fixture, "-g");
    fixture = fixture_new(2);
    fixture->options.backend = "kernel";
    refused(fixture, "--backend");
    fixture = fixture_new(2);
    fixture->job.scans.idle = true;
    refused(fixture, "-sI");
}

/* Every host is one worker's, and every source port one's at most. */
static void the_shares_are_apart_and_together_the_whole(void **state)
{
    (void)state;
    unsigned hosts[10] = {0};
    uint32_t next_port = 61000;
    for (unsigned number = 0; number < 3; number++) {
        struct fixture *fixture = fixture_new(3);
        struct job *job = &fixture->job;
        job->worker_count = 3;
        share_take(job, number);
        for (uint64_t i = 0; i < job->plan.host_count; i++) {
            struct addr host = plan_host_at(&job->plan, i);
            hosts[addr_to_v4(&host) - UINT32_C(0xc6120001)]++;
        }
        assert_int_equal(job->key.first_port, next_port);
        next_port += job->key.port_count;
        assert_true(next_port <= 61000 + 4535);
        assert_true(job->timing.max_rate_pps > 299 && job->timing.max_rate_pps < 301);
        assert_true(job->timing.min_rate_pps > 99 && job->timing.min_rate_pps < 101);
        assert_true(job->timing.default_rate_pps > 199 && job->timing.default_rate_pps < 201);
        fixture_free(fixture);
    }
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(hosts[i], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_connect_scan_has_a_worker_a_core),
        cmocka_unit_test(what_sends_packets_or_is_slowed_down_has_one_worker),
        cmocka_unit_test(there_is_one_worker_unless_more_are_asked_for_and_never_more_than_hosts),
        cmocka_unit_test(what_one_process_must_do_is_not_shared),
        cmocka_unit_test(the_shares_are_apart_and_together_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
