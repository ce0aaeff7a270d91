#include "cli/job/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cli/job/share.h"
#include "cli/job/source_ports.h"
#include "cli/options/number.h"
#include "cli/options/timing.h"
#include "plan/ports.h"

#define ROUTE_CHECK_MAX 256
#define FTP_PORT        21
#define ZOMBIE_PORT     80

/* getrandom of so few bytes neither fails nor stops halfway (getrandom(2)). */
static void fill_random(void *memory, size_t len)
{
    ssize_t got = getrandom(memory, len, 0);
    (void)got;
}

static char *join_words(int argc, char *const argv[])
{
    size_t len = 1;
    for (int i = 0; i < argc; i++)
        len += strlen(argv[i]) + 1;
    char *line = malloc(len);
    if (!line)
        return NULL;
    char *end = line;
    for (int i = 0; i < argc; i++) {
        if (i > 0)
            *end++ = ' ';
        end = stpcpy(end, argv[i]);
    }
    *end = '\0';
    return line;
}

static int read_services(struct job *job, struct error *err)
{
    job->services = services_builtin();
    if (!job->options->service_file)
        return 0;
    int r = services_read(job->options->service_file, &job->own_services, err);
    if (r == 0)
        job->services = job->own_services;
    return r;
}

static int read_targets(struct job *job, struct names *names, struct targets *excluded, struct error *err)
{
    const struct options *options = job->options;
    struct target_resolver for_targets = names_for_targets(names);
    struct target_resolver for_excluded = names_for_excluded(names);
    int r = 0;
    if (options->exclude)
        r = targets_add_list(excluded, options->exclude, &for_excluded, err);
    if (r == 0 && options->exclude_file)
        r = targets_read(excluded, options->exclude_file, &for_excluded, err);
    if (r == 0 && job->session)
        return session_targets(job->session, &job->targets, err);
    if (options->find_zombie && r == 0)
        r = targets_add_list(&job->targets, options->find_zombie, &for_targets, err);
    for (size_t i = 0; i < options->target_count && r == 0; i++)
        r = targets_add(&job->targets, options->targets[i], &for_targets, err);
    if (r == 0 && options->input_file)
        r = targets_read(&job->targets, options->input_file, &for_targets, err);
    return r;
}

static int select_ports(struct job *job, struct port_set *ports, struct error *err)
{
    struct ports_options options = {
        .spec = job->options->ports,
        .excluded = job->options->exclude_ports,
        .fast = job->options->fast,
        .top_count = job->options->top_ports,
    };
    for (unsigned i = 0; i < job->scans.count; i++)
        options.protocols |= PORTS_BIT(job->scans.techniques[i]->protocol);
    if (options.protocols == 0)
        return 0;
    return ports_select(&options, job->services, ports, &job->dropped_ports, err);
}

/* The kernel's routes as -e and -S change them, which shows whether these can be right. */
static int load_routes(struct job *job, struct error *err)
{
    const struct options *options = job->options;
    struct route_options route_options = {.interface = ""};
    if (options->interface && strlen(options->interface) >= sizeof route_options.interface)
        return error_set(err, EX_UNAVAILABLE, "-e: there is no interface '%s'", options->interface);
    if (options->interface)
        memcpy(route_options.interface, options->interface, strlen(options->interface) + 1);
    if (options->source && !addr_parse(options->source, &route_options.source))
        return error_set(err, EX_USAGE, "-S: '%s' is not an address", options->source);
    int r = route_table_load(&job->routes, &route_options, err);
    if (r == 0 && options->source && !route_is_local(&job->routes, &route_options.source))
        r = error_set(err, EX_UNAVAILABLE, "-S: '%s' is not an address of this machine", options->source);
    return r;
}

/* --source-pool: the language of targets without names. */
static int read_pool(struct job *job, struct error *err)
{
    const struct options *options = job->options;
    struct targets members = {.excluded = true};
    if (!options->source_pool)
        return 0;
    if (!job->scans.raw)
        return error_set(err, EX_USAGE,
                         "--source-pool needs raw sockets: connections leave from one address");
    int r = targets_add_list(&members, options->source_pool, NULL, err);
    if (r == 0 && addr_set_normalize(&members.set) == -ENOMEM)
        r = error_set(err, EX_OSERR, "out of memory");
    if (r == 0)
        r = source_pool_make(&members.set, &job->routes, options->source_pool_foreign, &job->pool, err);
    targets_done(&members);
    return r;
}

static int make_plan(struct job *job, struct targets *excluded, struct addr_set *broadcasts,
                     struct error *err)
{
    struct plan_options options = {
        .seed = job->options->seed,
        .in_order = job->options->in_order,
        .allow_special = job->options->allow_special,
        .shard_index = job->options->shard_index,
        .shard_count = job->options->shard_count,
    };
    if (job->session) {
        options.seed = job->session->scan.plan->options.seed;
        options.allow_special = true; /* what is special was left out when the scan began */
    } else if (!job->options->seed_given) {
        fill_random(&options.seed, sizeof options.seed);
    }
    struct port_set *ports = calloc(1, sizeof *ports);
    if (!ports)
        return error_set(err, EX_OSERR, "out of memory");
    int r = select_ports(job, ports, err);
    if (r == 0 && job->session) /* the plan stays as it is; the engine passes over them */
        r = session_exclude(job->session, &excluded->set, err);
    if (r == 0)
        r = plan_init(&job->plan, &job->targets.set, &excluded->set, broadcasts, ports, &options, err);
    free(ports);
    return r;
}

/* A few hosts none of which can be reached: better said before anything is opened. */
static int check_routes(const struct job *job, struct error *err)
{
    struct route route = {.kind = ROUTE_NONE};
    if (job->scans.bounces)
        return 0; /* whether the FTP server can be reached is seen at once, and the targets need not be */
    if (job->plan.host_count > ROUTE_CHECK_MAX)
        return 0;
    for (uint64_t i = 0; i < job->plan.host_count && route.kind == ROUTE_NONE; i++) {
        struct addr host = plan_host_at(&job->plan, i);
        route_find(&job->routes, &host, &route);
    }
    if (route.kind != ROUTE_NONE)
        return 0;
    char text[ADDR_TEXT_MAX];
    struct addr first = addr_set_at(&job->plan.targets, 0);
    if (addr_is_link_local(&first) && !first.scope)
        return error_set(err, EX_UNAVAILABLE,
                         "%s may be on any link: name its interface after a %%, or with -e",
                         addr_format(&first, text));
    return error_set(err, EX_UNAVAILABLE, "there is no route to %s%s: %s", addr_format(&first, text),
                     job->plan.host_count > 1 ? " and the other targets" : "", strerror(route.error));
}

static int read_relay(struct job *job, const struct target_resolver *resolver, struct error *err)
{
    static const struct via_rule rule = {.spelled = "-b", .with_login = true, .port = FTP_PORT};
    int r = via_read(job->options->via, &rule, resolver, &job->via, err);
    if (r == 0 && !job->via.user[0])
        memcpy(job->via.user, "anonymous", sizeof "anonymous");
    if (r == 0 && !job->via.password[0])
        memcpy(job->via.password, "-wwwuser@", sizeof "-wwwuser@");
    return r;
}

/* Of --find-zombie: -p names the one port that is asked. */
static int read_zombie_port(struct job *job, struct error *err)
{
    uint64_t port = ZOMBIE_PORT;
    const char *text = job->options->ports;
    if (text && !number_read(text, 1, UINT16_MAX, &port))
        return error_set(err, EX_USAGE, "-p: --find-zombie asks one port from 1 to 65535, not '%s'", text);
    job->via.port = (uint16_t)port;
    return 0;
}

/* The host through which others are scanned. */
static int read_via(struct job *job, struct names *names, struct error *err)
{
    static const struct via_rule zombie = {.spelled = "-sI", .port = ZOMBIE_PORT};
    struct target_resolver resolver = names_for_targets(names);
    if (job->scans.bounces)
        return read_relay(job, &resolver, err);
    if (job->scans.finds_zombie)
        return read_zombie_port(job, err);
    return job->scans.idle ? via_read(job->options->via, &zombie, &resolver, &job->via, err) : 0;
}

static int fill_job(struct job *job, struct names *names, struct error *err)
{
    struct targets excluded = {.excluded = true};
    struct addr_set broadcasts = {.v4 = NULL};
    int r = load_routes(job, err);
    if (r == 0)
        r = read_pool(job, err);
    if (r == 0 && route_broadcasts(&job->routes, &broadcasts) < 0)
        r = error_set(err, EX_OSERR, "out of memory");
    if (r == 0)
        r = read_services(job, err);
    if (r == 0)
        r = read_via(job, names, err);
    bool asks_no_targets = job->scans.bounces || job->scans.idle || job->scans.finds_zombie;
    if (r == 0 && (!asks_no_targets || job->options->ping_count > 0))
        r = specs_of_discovery(job->options, job->scans.raw, job->services, &job->discovery, err);
    if (r == 0)
        r = read_targets(job, names, &excluded, err);
    if (r == 0 && job->targets.set.v4_count + job->targets.set.v6_count == 0 && names->failure.status != 0)
        r = error_set(err, names->failure.status, "%s", names->failure.text);
    if (r == 0)
        r = make_plan(job, &excluded, &broadcasts, err);
    if (r == 0)
        r = check_routes(job, err);
    if (r == 0)
        r = specs_of_scans(&job->scans, &job->plan.ports, job->services, job->options->in_order, &job->specs,
                           err);
    addr_set_done(&broadcasts);
    targets_done(&excluded);
    return r;
}

static void choose_key(struct job *job)
{
    fill_random(&job->key.secret, sizeof job->key.secret);
    if (job->options->source_port > 0) {
        job->key.first_port = (uint16_t)job->options->source_port;
        job->key.port_count = 1;
    } else {
        source_ports_choose(&job->key.first_port, &job->key.port_count);
    }
}

int job_new(const struct options *options, struct session *session, const struct scan_privilege *privilege,
            struct names *names, struct job **ret, struct error *err)
{
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        return error_set(err, EX_OSERR, "out of memory");
    job->options = options;
    job->session = session;
    job->timing = timing_from(options);
    choose_key(job);
    job->command_line = join_words(options->argc, options->argv);
    int r = job->command_line ? 0 : error_set(err, EX_OSERR, "out of memory");
    if (r == 0)
        r = scans_choose(options, privilege, &job->scans, err);
    if (r == 0)
        r = fill_job(job, names, err);
    if (r == 0)
        r = share_count(job, &job->worker_count, err);
    if (r == 0 && !job->scans.raw && options->source_port <= 0)
        source_ports_few(job->worker_count, &job->key.first_port, &job->key.port_count);
    if (r < 0) {
        job_free(job);
        return r;
    }
    job->report_scan_count = scans_report(&job->scans, job->report_scans);
    *ret = job;
    return 0;
}

void job_free(struct job *job)
{
    if (!job)
        return;
    route_table_done(&job->routes);
    source_pool_done(&job->pool);
    services_free(job->own_services);
    targets_done(&job->targets);
    plan_done(&job->plan);
    specs_done(&job->specs);
    specs_done(&job->discovery);
    free(job->command_line);
    free(job);
}

struct results_config job_results_config(const struct job *job)
{
    struct results_config config = {.plan = &job->plan};
    for (unsigned i = 0; i < job->scans.count; i++) {
        const struct technique *technique = job->scans.techniques[i];
        config.scanned[technique->protocol] = true;
        config.silent_state[technique->protocol] = technique->silent_state;
    }
    return config;
}

static const char *service_of(void *context, enum protocol protocol, uint16_t port)
{
    const struct job *job = context;
    return services_name(job->services, (enum port_protocol)protocol, port);
}

struct report_run job_report_run(struct job *job, int64_t start_ns, bool color)
{
    const struct options *options = job->options;
    bool ip_protocols = job->scans.count > 0 && job->scans.techniques[0]->protocol == PROTOCOL_IP;
    return (struct report_run){
        .version = PORTOLAN_VERSION,
        .command_line = job->command_line,
        .start_ns = start_ns,
        .plan = &job->plan,
        .scans = job->report_scans,
        .scan_count = job->report_scan_count,
        .idle = job->scans.idle,
        .risk = job->timing.risk,
        .show_reason = options->reason || options->verify || options->verbosity >= 2,
        .color = color,
        .discovery_only = options->discovery_only || options->find_zombie,
        .finds_zombie = options->find_zombie,
        .fold = {.verbosity = options->verbosity,
                 .debugging = options->debugging,
                 .open_only = options->open_only,
                 .ip_protocols = ip_protocols},
        .service = service_of,
        .service_context = job,
    };
}
