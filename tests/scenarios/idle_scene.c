#include "idle_scene.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "engine/ask_first.h"
#include "technique/rows.h"

#define VIRTUAL_TIME_MAX_NS (2 * 3600 * SEC)
#define PORTS_MAX           4096

/* What the scan runs on, and the truth. */
struct stage {
    struct idle_scene *scene;
    struct plan plan;
    struct sim_host hosts[IDLE_SCENE_TARGETS_MAX];
    struct sim_port open[PORTS_MAX];
    bool is_open[PORTS_MAX + 1];
    uint8_t state[IDLE_SCENE_TARGETS_MAX][PORTS_MAX + 1]; /* reported */
};

struct idle_scene idle_scene_usual(void)
{
    return (struct idle_scene){
        .zombie = {.rtt_ns = MSEC, .first_id = 1000},
        .target = {.rtt_ns = MSEC},
        .port_count = 1000,
        .open_count = 10,
        .seed = 1,
        .timing = {.min_rto_ns = 10 * MSEC,
                   .initial_rto_ns = SEC,
                   .max_rto_ns = 10 * SEC,
                   .risk = TIMING_RISK_USUAL,
                   .default_rate_pps = 10000},
    };
}

static struct addr parse(const char *text)
{
    struct addr addr;
    bool ok = addr_parse(text, &addr);
    assert(ok);
    return addr;
}

static struct addr target_addr(const struct idle_scene *scene, unsigned i)
{
    struct addr addr = parse(scene->ipv6 ? "2001:db8::10" : "198.18.0.16");
    addr.bytes[scene->ipv6 ? 15 : 3] = (uint8_t)(16 + i);
    return addr;
}

static void take_host_done(struct stage *stage, unsigned target, const struct record *record)
{
    bool unfinished = record->flags & RECORD_UNFINISHED;
    stage->scene->done_hosts++;
    stage->scene->unfinished_hosts += unfinished;
    for (unsigned port = 1; port <= stage->scene->port_count; port++) {
        uint8_t *state = &stage->state[target][port];
        if (*state == PORT_STATE_COUNT)
            *state = unfinished ? PORT_UNKNOWN : record->state;
    }
}

static void take_note(struct idle_scene *scene, const struct record *record)
{
    if (record->note == NOTE_ZOMBIE) {
        scene->has_zombie_note = true;
        scene->ipid_class = record->value[0];
    } else if (record->note == NOTE_IDLE_STOPPED) {
        scene->has_trouble = true;
        scene->trouble = record->value[0];
    }
}

static void take_record(void *context, const struct record *record)
{
    struct stage *stage = context;
    unsigned target = 0;
    assert(record_valid(record));
    if (record->type == RECORD_NOTE)
        take_note(stage->scene, record);
    stage->scene->up_hosts += record->type == RECORD_HOST_UP;
    stage->scene->down_hosts += record->type == RECORD_HOST_DOWN;
    if (record->type == RECORD_END)
        stage->scene->unfinished = record->flags & RECORD_UNFINISHED;
    if (record->type != RECORD_PORT && record->type != RECORD_HOST_DONE)
        return;
    for (struct addr addr = target_addr(stage->scene, 0); !addr_equal(&addr, &record->host);)
        addr = target_addr(stage->scene, ++target);
    if (record->type == RECORD_PORT)
        stage->state[target][record->port] = record->state;
    else
        take_host_done(stage, target, record);
}

/* Choose the open ports, and the order in which ports are asked for. */
static struct probe_spec *make_ports(struct stage *stage, struct rand *rand)
{
    struct idle_scene *scene = stage->scene;
    struct probe_spec *specs = calloc(scene->port_count, sizeof *specs);
    assert(specs && scene->port_count <= PORTS_MAX);
    for (unsigned i = 0; i < scene->port_count; i++)
        specs[i] = (struct probe_spec){&technique_idle, (uint16_t)(i + 1)};
    for (unsigned i = scene->port_count - 1; i > 0; i--) {
        unsigned j = (unsigned)rand_below(rand, i + 1);
        struct probe_spec other = specs[j];
        specs[j] = specs[i];
        specs[i] = other;
    }
    for (unsigned i = 0; i < scene->open_count;) {
        uint16_t port = (uint16_t)(1 + rand_below(rand, scene->port_count));
        if (stage->is_open[port])
            continue;
        stage->is_open[port] = true;
        stage->open[i++] =
            (struct sim_port){.ip_proto = IP_PROTO_TCP, .first = port, .last = port, .behaviour = SIM_OPEN};
    }
    return specs;
}

static void make_hosts(struct stage *stage)
{
    struct idle_scene *scene = stage->scene;
    struct addr_set targets = {0};
    struct error err = {0};
    struct port_set *ports = calloc(1, sizeof *ports);
    struct plan_options options = {.in_order = true, .shard_count = 1};
    assert(ports && scene->targets <= IDLE_SCENE_TARGETS_MAX);
    for (unsigned i = 0; i < scene->targets; i++) {
        struct sim_host *host = &stage->hosts[i];
        *host = scene->target;
        host->first = host->last = target_addr(scene, i);
        host->ports = stage->open;
        host->port_count = scene->open_count;
        host->down = scene->down_targets >> i & 1;
        host->not_to_be_spoofed = host->not_to_be_spoofed || (scene->filtered_targets >> i & 1);
    }
    int r = addr_set_add(&targets, target_addr(scene, 0), target_addr(scene, scene->targets - 1));
    assert(r == 0);
    r = plan_init(&stage->plan, &targets, NULL, NULL, ports, &options, &err);
    assert(r == 0);
    free(ports);
}

static void compare(struct stage *stage)
{
    struct idle_scene *scene = stage->scene;
    for (unsigned i = 0; i < scene->targets; i++) {
        for (unsigned port = 1; port <= scene->port_count; port++) {
            uint8_t state = stage->state[i][port];
            bool unknown = state == PORT_UNKNOWN || state == PORT_STATE_COUNT;
            bool open = state == PORT_OPEN;
            scene->unknown += unknown;
            scene->decided += !unknown;
            scene->false_opens += open && !stage->is_open[port];
            scene->missed_opens += !open && !unknown && stage->is_open[port];
            scene->true_opens[i] += open && stage->is_open[port];
        }
    }
}

static void run(struct stage *stage, struct scanner *scanner, struct netio *io)
{
    struct idle_scene *scene = stage->scene;
    int64_t start_ns = io->ops->now(io);
    while (scanner->ops->turn(scanner, TIME_NEVER)) {
        int64_t elapsed_ns = io->ops->now(io) - start_ns;
        assert(elapsed_ns < VIRTUAL_TIME_MAX_NS);
        if (scene->stop_at_ns && elapsed_ns >= scene->stop_at_ns)
            scanner->ops->stop(scanner);
    }
    scene->took_ns = io->ops->now(io) - start_ns;
    scene->probes = io->stats.packets_sent;
}

static struct scanner *make_scanner(const struct idle_scene *scene, struct engine_config *config,
                                    struct found_hosts *found)
{
    static const struct probe_spec ping = {.technique = &technique_ping_echo};
    struct idle_options options = {.zombie = scene->zombie.addr, .zombie_port = 80};
    struct scanner *scanner;
    struct error err;
    if (scene->asks_first) {
        int r = found_hosts_init(found, config->plan, &err);
        assert(r == 0);
        config->found = found;
        config->discovery = &ping;
        config->discovery_count = 1;
    }
    int r = idle_new(config, &options, &scanner, &err);
    if (r == 0 && scene->asks_first)
        r = ask_first_new(config, found, scanner, &scanner, &err);
    assert(r == 0);
    return scanner;
}

void idle_scene_run(struct idle_scene *scene)
{
    struct rand rand = {.state = scene->seed ^ UINT64_C(0x69646c65)};
    struct stage *stage = calloc(1, sizeof *stage);
    assert(stage);
    if (scene->targets == 0)
        scene->targets = 1;
    stage->scene = scene;
    memset(stage->state, PORT_STATE_COUNT, sizeof stage->state);
    struct probe_spec *specs = make_ports(stage, &rand);
    make_hosts(stage);
    scene->zombie.addr = parse(scene->ipv6 ? "2001:db8::9" : "198.18.0.9");
    struct sim_config sim = {.seed = scene->seed,
                             .hosts = stage->hosts,
                             .host_count = scene->targets,
                             .zombies = &scene->zombie,
                             .zombie_count = 1,
                             .source4 = parse("203.0.113.1"),
                             .source6 = parse("2001:db8:ffff::1")};
    struct netio *io = sim_new(&sim);
    assert(io);
    struct engine_config config = {
        .plan = &stage->plan,
        .specs = specs,
        .spec_count = scene->port_count,
        .timing = scene->timing,
        .key = {.secret = {{rand_next(&rand), rand_next(&rand)}}, .first_port = 61000, .port_count = 4096},
        .io = io,
        .emit = take_record,
        .context = stage,
    };
    struct found_hosts found = {.up = NULL};
    struct scanner *scanner = make_scanner(scene, &config, &found);
    run(stage, scanner, io);
    scanner->ops->free(scanner);
    found_hosts_done(&found);
    io->ops->close(io);
    compare(stage);
    plan_done(&stage->plan);
    free(specs);
    free(stage);
}
