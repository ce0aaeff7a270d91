#include "render.h"

#include <stdlib.h>

#include "base/own.h"

struct sink {
    const struct report_ops *ops;
    struct report *report;
};

static void on_host(void *context, const struct host_result *host)
{
    const struct sink *sink = context;
    sink->ops->host(sink->report, host);
}

static void on_port(void *context, const struct addr *host, const struct port_result *port)
{
    const struct sink *sink = context;
    if (sink->ops->port)
        sink->ops->port(sink->report, host, port);
}

static bool make_plan(const struct rendering *rendering, struct plan *ret)
{
    own(free_ptr) struct port_set *ports = calloc(1, sizeof *ports);
    struct addr_set targets = {0};
    if (!ports)
        return false;
    rendering->choose(rendering->context, &targets, ports);
    const struct plan_options options = {.seed = 1, .shard_count = 1};
    return plan_init(ret, &targets, NULL, NULL, ports, &options, NULL) == 0;
}

static bool play(const struct rendering *rendering, const struct report_run *run, struct sink *sink)
{
    struct results_config config = {
        .plan = run->plan,
        .silent_state = {PORT_FILTERED, PORT_OPEN_FILTERED, PORT_FILTERED, PORT_OPEN_FILTERED},
        .context = sink,
        .host = on_host,
        .port = on_port,
    };
    for (size_t i = 0; i < run->scan_count; i++)
        config.scanned[run->scans[i].protocol] = true;
    struct results *results;
    if (results_new(&config, &results, NULL))
        return false;
    rendering->play(rendering->context, results);
    results_flush(results, rendering->end.end_ns);

    struct report_end end = rendering->end;
    end.hosts_up = results_totals(results)->hosts_up;
    end.hosts_down = results_totals(results)->hosts_down;
    end.hosts_total = end.hosts_up + end.hosts_down;
    results_free(results);
    return sink->ops->end(sink->report, &end);
}

static bool render_plan(const struct rendering *rendering, const struct plan *plan, FILE *file)
{
    struct report_run run = rendering->run;
    run.plan = plan;
    struct sink sink = {.ops = rendering->ops, .report = rendering->ops->open(file, &run)};
    bool complete = sink.report && play(rendering, &run, &sink);
    rendering->ops->close(sink.report);
    return complete && !ferror(file);
}

bool render(const struct rendering *rendering, FILE *file)
{
    struct plan *plan = calloc(1, sizeof *plan);
    bool complete = plan && make_plan(rendering, plan) && render_plan(rendering, plan, file);
    if (plan)
        plan_done(plan);
    free(plan);
    return complete;
}
