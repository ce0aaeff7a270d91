/* One target after the other: they share the zombie's counter. */
#include "engine/idle/idle.h"

#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"
#include "engine/emit.h"
#include "engine/found_hosts.h"
#include "engine/idle/internal.h"
#include "engine/idle/qualify.h"
#include "technique/rows.h"

#define PROGRESS_PERIOD_NS (200 * MSEC)
#define NEIGHBOR_TRIES     3
#define SILENT_TARGETS     3 /* in a row that ended because the zombie was silent: then the scan ends */
#define NEIGHBOR_WAIT_NS   (400 * MSEC)

static struct idle *idle_of(struct scanner *scanner)
{
    return (struct idle *)scanner; /* the scanner is the first member */
}

/* ----- targets
 * ------------------------------------------------------------------------------------------------------- */

static void end_scan(struct idle *idle, uint8_t flags)
{
    struct record record = record_new(&idle->config, idle->now_ns, RECORD_END, NULL);
    if (idle->target.family != ADDR_NONE)
        idle_target_end(idle, RECORD_UNFINISHED);
    if (idle->unsent)
        idle_note(idle, NOTE_SEND_ERRORS, NULL, (uint64_t)idle->last_unsent_error, idle->unsent);
    idle_report_progress(idle);
    record.flags = flags;
    idle->config.emit(idle->config.context, &record);
    idle->over = true;
}

/* Find the station of a host on an attached network: then go on. Our question for it shows the host our
 * address. */
static void reach(struct idle *idle, const struct addr *host)
{
    bool ask =
        idle->io->ops->reach(idle->io, host) == REACH_LINK && idle->io->ops->can(idle->io, REQUEST_NEIGHBOR);
    idle->phase = IDLE_REACH;
    idle->neighbor = *host;
    idle->neighbor_known = !ask;
    idle->neighbor_asked = 0;
    idle->wake_ns = idle->now_ns;
}

/* Of targets that follow one another some may be luckier; but a zombie that has gone has gone. */
static void next_target(struct idle *idle)
{
    if (idle->silent_targets >= SILENT_TARGETS) {
        end_scan(idle, RECORD_UNFINISHED);
        return;
    }
    idle->next_host = found_hosts_next(idle->config.found, idle->config.plan, idle->next_host);
    if (idle->next_host == idle->config.plan->host_count) {
        end_scan(idle, 0);
        return;
    }
    idle->target = plan_host_at(idle->config.plan, idle->next_host++);
    idle->target_began_ns = idle->now_ns;
    idle_report_up(idle);
    enum reach way = idle->io->ops->reach(idle->io, &idle->target);
    idle->phase = IDLE_REACH;
    if (idle->target.family != idle->zombie.addr.family)
        idle_target_stop(idle, IDLE_OTHER_FAMILY);
    else if (way == REACH_LOCAL || addr_equal(&idle->target, &idle->zombie.addr))
        idle_target_stop(idle, IDLE_OWN_ADDRESS);
    else if (way == REACH_NONE)
        idle_target_stop(idle, IDLE_NO_ROUTE);
    else
        reach(idle, &idle->target);
}

/* ----- the zombie
 * ---------------------------------------------------------------------------------------------------- */

static void begin_qualifying(struct idle *idle)
{
    struct probe hints[QUALIFY_HINTS_MAX];
    idle->phase = IDLE_QUALIFY;
    idle->wake_ns = idle->now_ns;
    idle_send(idle, hints, qualify_hints(&idle->zombie, hints));
}

static void judge_zombie(struct idle *idle)
{
    struct qualification found = qualify_judge(&idle->zombie);
    idle_note(idle, NOTE_ZOMBIE, &idle->zombie.addr, found.class, (uint64_t)(found.pps * 1000));
    if (!ipid_class_fits(found.class)) {
        end_scan(idle, RECORD_UNFINISHED);
        return;
    }
    double packets = found.pps * (double)found.span_ns / (double)SEC;
    background_note(&idle->background, idle->now_ns, packets, found.span_ns);
    idle->qualified = true;
}

static void run_qualifying(struct idle *idle)
{
    if (idle->now_ns < idle->wake_ns)
        return;
    if (qualify_asks_more(&idle->zombie)) {
        idle_ask(idle, 1);
        idle->wake_ns = idle->now_ns + QUALIFY_GAP_NS;
    } else if (zombie_due_ns(&idle->zombie) != TIME_NEVER) {
        idle->wake_ns = zombie_due_ns(&idle->zombie);
    } else {
        judge_zombie(idle);
    }
}

/* ----- stations
 * ------------------------------------------------------------------------------------------------------ */

/* The station is known, or does not answer. */
static void reached(struct idle *idle)
{
    bool is_target = idle->target.family != ADDR_NONE;
    if (idle->neighbor_known && is_target) {
        idle_target_begin(idle);
        idle_target_run(idle);
    } else if (idle->neighbor_known) {
        begin_qualifying(idle);
    } else if (is_target) {
        idle_target_stop(idle, IDLE_NO_STATION);
    } else {
        idle_note(idle, NOTE_ZOMBIE, &idle->zombie.addr, IPID_SILENT, 0);
        end_scan(idle, RECORD_UNFINISHED);
    }
}

static void run_reach(struct idle *idle)
{
    if (idle->neighbor_known || (idle->neighbor_asked == NEIGHBOR_TRIES && idle->wake_ns <= idle->now_ns)) {
        reached(idle);
    } else if (idle->wake_ns <= idle->now_ns) {
        struct probe probe = {.technique = &technique_neighbor, .dst = idle->neighbor};
        if (idle->neighbor_asked++ == 0 && idle->target.family != ADDR_NONE)
            idle_note(idle, NOTE_IDLE_SEEN, &idle->target, 0, 0);
        idle->wake_ns = idle->now_ns + NEIGHBOR_WAIT_NS;
        idle_send(idle, &probe, 1);
    }
}

/* ----- events
 * -------------------------------------------------------------------------------------------------------- */

static void on_packet(void *context, int64_t time_ns, const struct packet *packet)
{
    struct idle *idle = context;
    bool neighbor = packet->layer == LAYER_ARP || (packet->layer == LAYER_ICMP6 && packet->icmp.is_neighbor);
    if (neighbor && addr_equal(&packet->src, &idle->neighbor))
        idle->neighbor_known = true;
    else
        zombie_answer(&idle->zombie, packet, time_ns);
}

static void on_connected(void *context, const struct connect_event *event)
{
    (void)context;
    (void)event;
}

/* A question that did not leave is not answered, and a SYN is one of several: both are taken for lost. */
static void on_unsent(void *context, const struct order *order, const struct probe *probe, int error)
{
    struct idle *idle = context;
    (void)order;
    (void)probe;
    idle->unsent++;
    idle->last_unsent_error = error;
}

/* Answers that we lost ourselves are missing like those the network lost. */
static void on_dropped(void *context, int64_t from_ns, int64_t to_ns, uint64_t count)
{
    (void)context;
    (void)from_ns;
    (void)to_ns;
    (void)count;
}

/* ----- the scanner
 * --------------------------------------------------------------------------------------------------- */

static void run_phase(struct idle *idle)
{
    if (idle->target.family == ADDR_NONE && idle->qualified)
        next_target(idle);
    if (idle->over)
        return;
    switch ((enum idle_phase)idle->phase) {
    case IDLE_REACH:
        run_reach(idle);
        break;
    case IDLE_QUALIFY:
        run_qualifying(idle);
        break;
    case IDLE_NAME:
    case IDLE_PORTS:
        idle_target_run(idle);
        break;
    }
}

static int64_t wake_ns(const struct idle *idle)
{
    bool in_windows = idle->phase == IDLE_NAME || idle->phase == IDLE_PORTS;
    if (idle->target.family == ADDR_NONE && idle->qualified)
        return idle->now_ns;
    int64_t wake = in_windows ? idle_target_wake_ns(idle) : idle->wake_ns;
    int64_t due_ns = zombie_due_ns(&idle->zombie);
    if (due_ns < wake)
        wake = due_ns;
    return idle->next_progress_ns < wake ? idle->next_progress_ns : wake;
}

static bool idle_turn(struct scanner *scanner, int64_t until_ns)
{
    struct idle *idle = idle_of(scanner);
    if (idle->over)
        return false;
    idle->now_ns = idle->io->ops->now(idle->io);
    if (idle->stopping) {
        end_scan(idle, RECORD_UNFINISHED);
        return false;
    }
    if (idle->now_ns >= idle->next_progress_ns) {
        idle_report_progress(idle);
        idle->next_progress_ns = idle->now_ns + PROGRESS_PERIOD_NS;
    }
    zombie_time_out(&idle->zombie, idle->now_ns);
    run_phase(idle);
    if (idle->over)
        return false;
    int64_t wake = wake_ns(idle);
    idle->io->ops->work(idle->io, NULL, wake < until_ns ? wake : until_ns);
    return true;
}

static void idle_stop(struct scanner *scanner)
{
    idle_of(scanner)->stopping = true;
}

static void idle_free(struct scanner *scanner)
{
    struct idle *idle = idle_of(scanner);
    port_groups_done(&idle->groups);
    free(idle);
}

/* Spoofed SYNs go no faster than the user lets packets go to one host. */
static double rate_pps(const struct timing *timing)
{
    double rate = timing->default_rate_pps;
    if (timing->min_rate_pps > rate)
        rate = timing->min_rate_pps;
    if (timing->max_rate_pps > 0 && timing->max_rate_pps < rate)
        rate = timing->max_rate_pps;
    double most = timing->scan_delay_ns ? (double)SEC / (double)timing->scan_delay_ns : rate;
    return most < rate ? most : rate;
}

static int check_way(const struct engine_config *config, const struct addr *zombie, struct error *err)
{
    char text[ADDR_TEXT_MAX];
    enum reach way = config->io->ops->reach(config->io, zombie);
    if (way == REACH_LOCAL)
        return error_set(err, EX_USAGE, "-sI: %s is this machine, which is no third party",
                         addr_format(zombie, text));
    if (way == REACH_NONE)
        return error_set(err, EX_UNAVAILABLE, "-sI: there is no route to %s", addr_format(zombie, text));
    return 0;
}

int idle_new(const struct engine_config *config, const struct idle_options *options, struct scanner **ret,
             struct error *err)
{
    static const struct scanner_ops ops = {.turn = idle_turn, .stop = idle_stop, .free = idle_free};
    static const struct netio_events events = {
        .packet = on_packet, .connected = on_connected, .unsent = on_unsent, .dropped = on_dropped};
    int r = check_way(config, &options->zombie, err);
    if (r < 0)
        return r;
    struct idle *idle = calloc(1, sizeof *idle);
    if (!idle || port_groups_init(&idle->groups, config->spec_count, config->timing.risk) < 0) {
        free(idle);
        return error_set(err, EX_OSERR, "not enough memory for the idle scan");
    }
    idle->scanner.ops = &ops;
    idle->config = *config;
    idle->io = config->io;
    idle->io->events = &events;
    idle->io->context = idle;
    idle->now_ns = idle->io->ops->now(idle->io);
    idle->rand.state = siphash_words(&config->key.secret, (uint64_t[]){UINT64_MAX}, 1);
    idle->rtt_limits = (struct rtt_limits){config->timing.min_rto_ns, config->timing.initial_rto_ns,
                                           config->timing.max_rto_ns};
    idle->zombie.addr = options->zombie;
    idle->zombie.port = options->zombie_port;
    idle->zombie.source = idle->io->ops->source(idle->io, &options->zombie);
    idle->zombie.key = config->key;
    idle->zombie.questions = idle->questions;
    idle->zombie.capacity = IDLE_QUESTIONS_MAX;
    zombie_init(&idle->zombie, &idle->rtt_limits);
    background_init(&idle->background);
    pacer_init(&idle->pacer, rate_pps(&config->timing), idle->now_ns);
    reach(idle, &options->zombie);
    *ret = &idle->scanner;
    return 0;
}
