/* How sure a scan is of what it reports, and that the user can say how sure it must be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "scenario_support.h"

#define DROPPED 500

/* Half of the ports of a host behind a lossy path are firewalled. */
static struct scenario lossy_scan(const struct sim_host *host, double risk, uint64_t seed)
{
    struct scenario scenario = scan_of(host, 1, "198.18.0.2", "198.18.0.2", 2 * DROPPED);
    scenario.timing.max_retries = 13;
    scenario.timing.risk = risk;
    scenario.seed = seed;
    return scenario;
}

static void the_surer_it_must_be_the_more_it_asks(void **state)
{
    (void)state;
    static const double risks[] = {1e-2, 1e-4, 1e-6, 1e-8};
    const struct sim_port ports[] = {{IP_PROTO_TCP, 1, DROPPED, SIM_DROP, 0, 0, false}};
    struct sim_host host = host_with("198.18.0.2", ports, 1);
    host.loss_out = 0.2;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        uint64_t fewer = 0;
        for (unsigned i = 0; i < sizeof risks / sizeof risks[0]; i++) {
            struct scenario scenario = lossy_scan(&host, risks[i], seed);
            scenario_run(&scenario);
            uint64_t sent = scenario.progress[PROGRESS_PROBES_SENT];
            double doubt = (double)scenario.end[END_DOUBT] / 1e6;
            if (sent <= fewer || doubt > 2 * DROPPED * risks[i] + 1e-6)
                fail_msg("seed %llu, risk %g: %llu probes after %llu, %g ports in doubt",
                         (unsigned long long)seed, risks[i], (unsigned long long)sent,
                         (unsigned long long)fewer, doubt);
            fewer = sent;
            scenario_done(&scenario);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_surer_it_must_be_the_more_it_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
