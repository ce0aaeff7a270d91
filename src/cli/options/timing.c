#include "cli/options/timing.h"

#include "base/time.h"

#define MINUTE (60 * SEC)

/* The wait for an answer follows each host's round trips between these bounds (RFC 6298); the rates are where
 * a scan begins: answers that keep up raise them. Retries are the most there are: silence ends earlier, as
 * soon as it is certain. T0 to T2 space the probes to one host, so their rate over all hosts follows from
 * that. */
static const struct timing templates[] = {
    /* T0, paranoid */
    {.min_rto_ns = 100 * MSEC,
     .prompt_rto_ns = 100 * MSEC,
     .initial_rto_ns = 5 * MINUTE,
     .max_rto_ns = 5 * MINUTE,
     .max_retries = 30,
     .scan_delay_ns = 5 * MINUTE,
     .default_rate_pps = 100,
     .share_left = 0.1},
    /* T1, sneaky */
    {.min_rto_ns = 100 * MSEC,
     .prompt_rto_ns = 100 * MSEC,
     .initial_rto_ns = 15 * SEC,
     .max_rto_ns = 15 * SEC,
     .max_retries = 30,
     .scan_delay_ns = 15 * SEC,
     .default_rate_pps = 1000,
     .share_left = 0.1},
    /* T2, polite */
    {.min_rto_ns = 100 * MSEC,
     .prompt_rto_ns = 100 * MSEC,
     .initial_rto_ns = 1 * SEC,
     .max_rto_ns = 10 * SEC,
     .max_retries = 30,
     .scan_delay_ns = 400 * MSEC,
     .default_rate_pps = 10000,
     .share_left = 0.1},
    /* T3, normal */
    {.min_rto_ns = 10 * MSEC,
     .initial_rto_ns = 1 * SEC,
     .max_rto_ns = 10 * SEC,
     .max_retries = 30,
     .default_rate_pps = 10000,
     .share_left = 0.1},
    /* T4, aggressive */
    {.min_rto_ns = 10 * MSEC,
     .initial_rto_ns = 500 * MSEC,
     .max_rto_ns = 1250 * MSEC,
     .max_retries = 30,
     .default_rate_pps = 20000,
     .share_left = 0.1},
    /* T5, insane */
    {.min_rto_ns = 10 * MSEC,
     .initial_rto_ns = 250 * MSEC,
     .max_rto_ns = 300 * MSEC,
     .max_retries = 15,
     .host_timeout_ns = 15 * MINUTE,
     .default_rate_pps = 100000,
     .share_left = 0},
};

static void set_round_trips(struct timing *timing, const struct options *options)
{
    if (options->min_rtt_timeout_ns > 0)
        timing->min_rto_ns = timing->prompt_rto_ns = options->min_rtt_timeout_ns;
    if (options->max_rtt_timeout_ns > 0)
        timing->max_rto_ns = options->max_rtt_timeout_ns;
    if (options->initial_rtt_timeout_ns > 0)
        timing->initial_rto_ns = options->initial_rtt_timeout_ns;

    bool max_given = options->max_rtt_timeout_ns > 0;
    if (max_given && timing->min_rto_ns > timing->max_rto_ns)
        timing->min_rto_ns = timing->max_rto_ns;
    if (timing->prompt_rto_ns > timing->min_rto_ns)
        timing->prompt_rto_ns = timing->min_rto_ns;
    if (max_given && timing->initial_rto_ns > timing->max_rto_ns)
        timing->initial_rto_ns = timing->max_rto_ns;
    if (timing->initial_rto_ns < timing->min_rto_ns)
        timing->initial_rto_ns = timing->min_rto_ns;
    if (timing->max_rto_ns < timing->initial_rto_ns)
        timing->max_rto_ns = timing->initial_rto_ns;
}

struct timing timing_from(const struct options *options)
{
    struct timing timing = templates[options->template_number];
    set_round_trips(&timing, options);
    if (options->max_retries != OPTION_UNSET)
        timing.max_retries = options->max_retries;
    if (options->scan_delay_ns >= 0)
        timing.scan_delay_ns = options->scan_delay_ns;
    if (options->host_timeout_ns >= 0)
        timing.host_timeout_ns = options->host_timeout_ns;
    timing.risk = options->risk > 0 ? options->risk : TIMING_RISK_USUAL;
    timing.min_rate_pps = options->min_rate_pps;
    timing.max_rate_pps = options->max_rate_pps;
    return timing;
}
