/* Which options can be given together. The rules that need to know what this machine allows are in
 * scans.c. */
#include <string.h>

#include "cli/options/options.h"

/* Two things that cannot both be asked for. */
struct conflict {
    bool first, second;
    const char *sentence;
};

static bool has_scans(const struct options *options)
{
    return options->scan_count > 0 || options->scan_flags >= 0;
}

static bool chooses_ports(const struct options *options)
{
    return options->ports || options->fast || options->top_ports > 0;
}

static int check_conflicts(const struct options *options, struct error *err)
{
    const struct conflict conflicts[] = {
        {options->discovery_only, has_scans(options),
         "-sn scans no ports, so it cannot be given with a kind of scan"},
        {options->discovery_only, options->verify, "-sn scans no ports, so it cannot be given with --verify"},
        {options->discovery_only, chooses_ports(options),
         "-sn scans no ports, so it cannot be given with -p, -F or --top-ports"},
        {options->discovery_only, options->assume_up, "-sn and -Pn together leave nothing to do"},
        {options->assume_up, options->ping_count > 0,
         "-Pn asks no host whether it is up, so it cannot be given with -P options"},
        {options->ports, options->fast, "-p and -F cannot be given together"},
        {options->ports, options->top_ports > 0, "-p and --top-ports cannot be given together"},
        {options->fast, options->top_ports > 0, "-F and --top-ports cannot be given together"},
        {options->find_zombie, options->target_count > 0 || options->input_file,
         "--find-zombie names its hosts itself, so no other targets can be given with it"},
        {options->find_zombie, has_scans(options) || options->discovery_only,
         "--find-zombie scans no ports, so it cannot be given with -s options or -b"},
        {options->find_zombie, options->assume_up || options->ping_count > 0,
         "--find-zombie asks its hosts in a way of its own, so it cannot be given with -P options"},
        {options->find_zombie, options->fast || options->top_ports > 0,
         "--find-zombie asks one port, so it cannot be given with -F or --top-ports"},
        {options->find_zombie, options->store || options->source_pool || options->then,
         "--find-zombie cannot be given with --store, --source-pool or --then"},
        {options->no_names, options->all_names, "-n and -R cannot be given together"},
        {options->no_names, options->dns_servers,
         "-n looks up no names, so it cannot be given with --dns-servers"},
        {options->source_pool_foreign, !options->source_pool, "--source-pool-foreign needs --source-pool"},
        {options->privileged, options->unprivileged,
         "--privileged and --unprivileged cannot be given together"},
        {options->min_rate_pps > 0 && options->max_rate_pps > 0 &&
             options->min_rate_pps > options->max_rate_pps,
         true, "--min-rate is above --max-rate"},
        {options->min_rtt_timeout_ns > 0 && options->max_rtt_timeout_ns > 0 &&
             options->min_rtt_timeout_ns > options->max_rtt_timeout_ns,
         true, "--min-rtt-timeout is above --max-rtt-timeout"},
        {options->initial_rtt_timeout_ns > 0 && options->max_rtt_timeout_ns > 0 &&
             options->initial_rtt_timeout_ns > options->max_rtt_timeout_ns,
         true, "--initial-rtt-timeout is above --max-rtt-timeout"},
        {options->initial_rtt_timeout_ns > 0 && options->initial_rtt_timeout_ns < options->min_rtt_timeout_ns,
         true, "--initial-rtt-timeout is below --min-rtt-timeout"},
    };
    for (unsigned i = 0; i < sizeof conflicts / sizeof conflicts[0]; i++) {
        if (conflicts[i].first && conflicts[i].second)
            return error_set(err, EX_USAGE, "%s", conflicts[i].sentence);
    }
    return 0;
}

static int check_outputs(const struct options *options, struct error *err)
{
    for (unsigned i = 0; i < options->output_count; i++) {
        const struct option_output *output = &options->outputs[i];
        if (strcmp(output->letters, "oA") == 0 && strcmp(output->path, "-") == 0)
            return error_set(err, EX_USAGE, "-oA: several reports cannot all go to standard output");
        for (unsigned j = 0; j < i; j++) {
            if (strcmp(output->path, options->outputs[j].path) == 0 && strcmp(output->letters, "oA") != 0 &&
                strcmp(options->outputs[j].letters, "oA") != 0)
                return error_set(err, EX_USAGE, "-%s and -%s both write to '%s'", options->outputs[j].letters,
                                 output->letters, output->path);
        }
    }
    return 0;
}

int options_check(const struct options *options, struct error *err)
{
    if (options->target_count == 0 && !options->input_file && !options->find_zombie)
        return error_set(err, EX_USAGE, "no targets are given; see portolan --help");
    if (options->input_file && options->exclude_file && strcmp(options->input_file, "-") == 0 &&
        strcmp(options->exclude_file, "-") == 0)
        return error_set(err, EX_USAGE, "-iL and --excludefile cannot both read standard input");
    int r = check_conflicts(options, err);
    return r < 0 ? r : check_outputs(options, err);
}
