#include "cli/worker.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "base/descriptors.h"
#include "cli/job/share.h"
#include "cli/trace.h"
#include "engine/ask_first.h"
#include "engine/bounce/bounce.h"
#include "engine/idle/find.h"
#include "engine/idle/idle.h"
#include "netio/connect/connect.h"
#include "netio/live/live.h"
#include "netio/paired.h"
#include "sandbox/sandbox.h"

#define TURN_NS      (50 * MSEC) /* how long a command may have to wait */
#define RING_FULL_MS 1
#define DEFAULT_TTL  64

/* From here on a transmitter in the kernel is worth its set-up. */
#define MANY_PROBES (UINT64_C(1) << 20)

struct worker {
    struct job *job;
    unsigned number;
    struct channel *channel;
    struct sockets *sockets;
    struct error why_not_kernel; /* of --backend best, as netio_live_open tells it */
    struct netio *io;
    struct netio *asking_io; /* that discovery goes through: the same, or its own before a bounce scan */
    struct scanner *scanner;
    struct found_hosts found;     /* before a scan through another host; unused without discovery */
    struct probe_spec *discovery; /* what the backend can ask of it; owned */
    uint32_t discovery_count;
    bool pushed; /* records the supervisor was not told of yet */
};

static void wake_supervisor(struct worker *worker)
{
    uint64_t one = 1;
    ssize_t written = write(worker->channel->wake_fd, &one, sizeof one);
    (void)written; /* it only fails when the supervisor has not even seen the last ones */
    worker->pushed = false;
}

/* Obey what the supervisor has sent. When it is gone, nobody wants the results. */
static void obey(struct worker *worker)
{
    char command = 0;
    for (;;) {
        ssize_t got = read(worker->channel->command_fds[0], &command, 1);
        if (got == 0)
            _exit(EX_SOFTWARE);
        if (got < 0)
            return;
        if (command == COMMAND_STOP)
            worker->scanner->ops->stop(worker->scanner);
        if (command != COMMAND_TRACE && command != COMMAND_NO_TRACE)
            continue;
        trace_set(worker->io, command == COMMAND_TRACE);
        trace_set(worker->asking_io, command == COMMAND_TRACE);
    }
}

/* Hand a record over. A full ring makes us wait, and so send nothing: no record is ever dropped. */
static void emit(void *context, const struct record *record)
{
    struct worker *worker = context;
    while (!ring_push(&worker->channel->ring, record)) {
        if (worker->channel->ring.broken)
            _exit(EX_SOFTWARE);
        wake_supervisor(worker);
        struct pollfd gone = {.fd = worker->channel->command_fds[0], .events = 0};
        if (poll(&gone, 1, RING_FULL_MS) > 0 && (gone.revents & POLLHUP))
            _exit(EX_SOFTWARE);
    }
    worker->pushed = true;
}

/* With one try each. */
static uint64_t count_probes(const struct job *job)
{
    uint64_t each = (uint64_t)job->specs.count + job->discovery.count;
    return job->plan.host_count > UINT64_MAX / (each + 1) ? UINT64_MAX : job->plan.host_count * each;
}

/* What makes the scan none for the kernel backend; NULL: it is one. */
static const char *why_not_kernel(const struct job *job)
{
    if (job->worker_count > 1)
        return "of several workers only one could have the interface";
    if (job->options->verify)
        return "--verify connects as well";
    if (job->scans.idle)
        return "an idle scan asks in another's name";
    for (unsigned i = 0; i < job->scans.count; i++) {
        if (job->scans.techniques[i]->protocol != PROTOCOL_TCP)
            return "it sends TCP probes only";
    }
    return count_probes(job) < MANY_PROBES ? "the scan is too small for it" : NULL;
}

static int open_live(struct worker *worker, struct netio **ret, struct error *err)
{
    const struct job *job = worker->job;
    struct netio_live_options options = {
        .backend = scans_backend(job->options),
        .ttl = (uint8_t)(job->options->ttl ? job->options->ttl : DEFAULT_TTL),
        .source_port = job->key.first_port,
        .source_port_count = job->key.port_count,
        .pool = &job->pool,
        .probe_count = job->scans.idle ? 0 : count_probes(job),
        .why_not_kernel = why_not_kernel(job),
    };
    for (unsigned i = 0; i < job->scans.count; i++)
        options.all_protocols = options.all_protocols || job->scans.techniques[i]->protocol == PROTOCOL_IP;
    return netio_live_open(worker->sockets, &job->routes, &options, ret, &worker->why_not_kernel, err);
}

/* -S, which was found to be an address of ours. */
static void read_source(const struct options *options, struct addr *ret_source4, struct addr *ret_source6)
{
    struct addr source;
    if (options->source && addr_parse(options->source, &source))
        *(source.family == ADDR_V4 ? ret_source4 : ret_source6) = source;
}

static int open_connect(struct worker *worker, struct netio **ret, struct error *err)
{
    const struct options *options = worker->job->options;
    struct connect_options connect_options = {
        .interface = options->interface,
        .ttl = (uint8_t)options->ttl,
        .max_sockets = CONNECT_SOCKETS_MAX / worker->job->worker_count,
    };
    read_source(options, &connect_options.source4, &connect_options.source6);
    return connect_open(&connect_options, ret, err);
}

static int open_stream(struct worker *worker, struct netio **ret, struct error *err)
{
    const struct options *options = worker->job->options;
    struct stream_options stream_options = {.interface = options->interface, .ttl = (uint8_t)options->ttl};
    read_source(options, &stream_options.source4, &stream_options.source6);
    return stream_open(&stream_options, ret, err);
}

static int open_traced(struct worker *worker,
                       int (*open)(struct worker *worker, struct netio **ret, struct error *err),
                       struct netio **ret, struct error *err)
{
    struct netio *io = NULL;
    int r = open(worker, &io, err);
    if (r < 0)
        return r;
    *ret = trace_new(io, worker->channel->trace_fds[1], worker->job->options->packet_trace);
    return *ret ? 0 : error_set(err, EX_OSERR, "out of memory");
}

/* --verify: the kernel's TCP looks at what the packets found. */
static int open_verifying(struct worker *worker, struct netio **ret, struct error *err)
{
    struct netio *packets = NULL, *streams = NULL;
    int r = open_live(worker, &packets, err);
    if (r < 0)
        return r;
    r = open_stream(worker, &streams, err);
    if (r < 0) {
        packets->ops->close(packets);
        return r;
    }
    *ret = paired_new(packets, streams);
    return *ret ? 0 : error_set(err, EX_OSERR, "out of memory");
}

static int open_io(struct worker *worker, struct error *err)
{
    const struct job *job = worker->job;
    int r = open_traced(worker,
                        job->options->verify ? open_verifying
                        : job->scans.raw     ? open_live
                        : job->scans.bounces ? open_stream
                                             : open_connect,
                        &worker->io, err);
    worker->asking_io = worker->io;
    if (r == 0 && job->scans.bounces && job->discovery.count > 0)
        r = open_traced(worker, open_connect, &worker->asking_io, err);
    return r;
}

/* Datagrams leave from any kind of socket; echo requests need one that may send them. */
static bool can_ask(const struct netio *io, const struct technique *technique)
{
    return technique->protocol == PROTOCOL_UDP || io->ops->can(io, (enum request_kind)technique->kind);
}

/* Leave out what this backend cannot ask: echo requests where ping sockets are not allowed. */
static int choose_discovery(struct worker *worker, struct error *err)
{
    const struct specs *wanted = &worker->job->discovery;
    assert(worker->asking_io);
    worker->discovery = calloc(wanted->count + 1, sizeof *worker->discovery);
    if (!worker->discovery)
        return error_set(err, EX_OSERR, "out of memory");
    for (uint32_t i = 0; i < wanted->count; i++) {
        if (can_ask(worker->asking_io, wanted->list[i].technique))
            worker->discovery[worker->discovery_count++] = wanted->list[i];
    }
    if (worker->discovery_count == 0 && wanted->count > 0 && !worker->job->options->assume_up)
        return error_set(
            err, EX_NOPERM,
            "nothing that was asked for can show which hosts are up: ping sockets are not allowed here "
            "(net.ipv4.ping_group_range); use -PS, -PU or -Pn");
    return 0;
}

static int64_t realtime_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * SEC + now.tv_nsec;
}

static struct engine_config describe_scan(struct worker *worker)
{
    const struct job *job = worker->job;
    return (struct engine_config){
        .plan = &job->plan,
        .specs = job->specs.list,
        .spec_count = job->specs.count,
        .early_count = job->specs.early_count,
        .discovery = worker->discovery,
        .discovery_count = worker->discovery_count,
        .assume_up = job->options->assume_up,
        .timing = job->timing,
        .verify = job->options->verify,
        .key = job->key,
        .pool = &job->pool,
        .realtime_offset_ns = realtime_ns() - worker->io->ops->now(worker->io),
        .io = worker->io,
        .is_one_of_many = worker->number > 0,
        .evidence = job->options->pcap    ? EVIDENCE_ALL
                    : job->options->store ? EVIDENCE_BUT_CLOSED
                                          : EVIDENCE_NONE,
        .checkpoints = job->options->store,
        .resume = job->session ? &job->session->resume : NULL,
        .emit = emit,
        .context = worker,
    };
}

/* A scan through another host, and before it discovery where it is asked for. */
static int open_through_another(struct worker *worker, struct engine_config *config, struct error *err)
{
    const struct via *via = &worker->job->via;
    const struct idle_options idle = {.zombie = via->addr, .zombie_port = via->port};
    const struct bounce_relay relay = {
        .addr = via->addr, .port = via->port, .user = via->user, .password = via->password};
    bool asks = worker->discovery_count > 0;
    int r = asks ? found_hosts_init(&worker->found, config->plan, err) : 0;
    if (r < 0)
        return r;
    config->found = asks ? &worker->found : NULL;
    r = worker->job->scans.idle ? idle_new(config, &idle, &worker->scanner, err)
                                : bounce_new(config, &relay, &worker->scanner, err);
    if (r < 0 || !asks)
        return r;
    config->io = worker->asking_io;
    return ask_first_new(config, &worker->found, worker->scanner, &worker->scanner, err);
}

static int open_scanner(struct worker *worker, struct error *err)
{
    const struct scans *scans = &worker->job->scans;
    assert(worker->io);
    struct engine_config config = describe_scan(worker);
    if (scans->finds_zombie)
        return idle_find_new(&config, worker->job->via.port, &worker->scanner, err);
    if (scans->idle || scans->bounces)
        return open_through_another(worker, &config, err);
    return engine_new(&config, &worker->scanner, err);
}

static int open_all(struct worker *worker, struct error *err)
{
    int r = open_io(worker, err);
    if (r == 0)
        r = choose_discovery(worker, err);
    if (r == 0)
        r = open_scanner(worker, err);
    struct sandbox_config config = {
        .role = !worker->job->scans.raw || worker->job->options->verify ? SANDBOX_CONNECTS
                : r == 0 && worker->io->ops->paces                      ? SANDBOX_TRANSMITS
                                                                        : SANDBOX_PACKETS,
        .unwanted = worker->job->options->no_sandbox,
    };
    return r < 0 ? r : sandbox_enter(&config, NULL, err);
}

/* Of both backends, where there are two. */
static struct netio_stats sum_stats(const struct worker *worker)
{
    struct netio_stats stats = worker->io->stats;
    const struct netio_stats *asking = &worker->asking_io->stats;
    if (worker->asking_io == worker->io)
        return stats;
    stats.packets_sent += asking->packets_sent;
    stats.bytes_sent += asking->bytes_sent;
    stats.packets_received += asking->packets_received;
    stats.bytes_received += asking->bytes_received;
    for (unsigned i = 0; i < PACKET_FAULT_COUNT; i++)
        stats.faults[i] += asking->faults[i];
    return stats;
}

static void publish_totals(struct worker *worker)
{
    const struct netio_stats stats = sum_stats(worker);
    struct channel_totals *totals = worker->channel->totals;
    atomic_store_explicit(&totals->packets_sent, stats.packets_sent, memory_order_relaxed);
    atomic_store_explicit(&totals->bytes_sent, stats.bytes_sent, memory_order_relaxed);
    atomic_store_explicit(&totals->packets_received, stats.packets_received, memory_order_relaxed);
    atomic_store_explicit(&totals->bytes_received, stats.bytes_received, memory_order_relaxed);
    for (unsigned i = 0; i < PACKET_FAULT_COUNT; i++)
        atomic_store_explicit(&totals->faults[i], stats.faults[i], memory_order_relaxed);
}

/* Keep what this process needs and nothing else: not the resolver's socket, and of the standard descriptors
 * only error, for failed assertions. */
static int close_others(struct worker *worker, struct error *err)
{
    const struct sockets *sockets = worker->sockets;
    const struct channel *channel = worker->channel;
    int fds[10 + WIRE_PART_COUNT] = {
        sockets->frames,       sockets->capture, sockets->raw4,           sockets->raw6,
        sockets->softnet,      sockets->late,    channel->command_fds[0], channel->ready_fds[1],
        channel->trace_fds[1], channel->wake_fd,
    };
    unsigned count = 10;
    for (unsigned i = 0; sockets->wire && i < WIRE_PART_COUNT; i++)
        fds[count++] = sockets->wire->fds[i];
    int r = descriptors_keep_only(fds, count);
    if (r == 0)
        r = descriptors_null_standard();
    return r == 0 ? 0
                  : error_set(err, EX_OSERR, "the packet process cannot close what is not its own: %s",
                              strerror(-r));
}

static void wait_for_start(struct worker *worker)
{
    char command = 0;
    while (command != COMMAND_START) {
        struct pollfd readable = {.fd = worker->channel->command_fds[0], .events = POLLIN};
        poll(&readable, 1, -1);
        if (read(readable.fd, &command, 1) == 0)
            _exit(EX_SOFTWARE);
    }
}

static void scan(struct worker *worker)
{
    struct netio *io = worker->io;
    struct scanner *scanner = worker->scanner;
    assert(io && scanner);
    bool more = true;
    while (more) {
        more = scanner->ops->turn(scanner, io->ops->now(io) + TURN_NS);
        publish_totals(worker);
        if (worker->pushed)
            wake_supervisor(worker);
        obey(worker);
    }
}

/* What the supervisor shares with those who were started before is nothing to us. */
static void forget_others(struct crew *crew, unsigned number)
{
    for (unsigned i = 0; i < number; i++)
        channel_close(&crew->members[i].channel);
}

/* What it has opened, or what failed. */
static struct channel_ready describe_start(const struct worker *worker, int status, const struct error *err)
{
    struct channel_ready ready = {.status = status};
    assert(status != 0 || worker->io);
    const char *why_not = worker->why_not_kernel.text;
    if (status != 0)
        snprintf(ready.text, sizeof ready.text, "%s", err->text);
    else
        snprintf(ready.text, sizeof ready.text, why_not[0] ? "%s (kernel is not taken: %.400s)" : "%s%s",
                 worker->io->ops->name, why_not);
    return ready;
}

static _Noreturn void run(struct worker *worker, pid_t supervisor)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != supervisor)
        _exit(EX_OSERR);
    channel_keep_worker_side(worker->channel);
    share_take(worker->job, worker->number);
    if (!worker->job->scans.raw) /* none of them is kept */
        *worker->sockets = (struct sockets)SOCKETS_CLOSED;

    struct error err = {.status = 0};
    int r = close_others(worker, &err);
    if (r == 0)
        r = open_all(worker, &err);
    struct channel_ready ready = describe_start(worker, -r, &err);
    if (write(worker->channel->ready_fds[1], &ready, sizeof ready) != sizeof ready || ready.status != 0)
        _exit(EX_SOFTWARE);
    close(worker->channel->ready_fds[1]);
    wait_for_start(worker);
    scan(worker);
    _exit(0);
}

int worker_start(struct job *job, unsigned number, struct sockets *sockets, struct crew *crew,
                 struct error *err)
{
    struct crew_member *member = &crew->members[number];
    pid_t supervisor = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return error_set(err, EX_OSERR, "cannot start the packet process: %s", strerror(errno));
    if (pid == 0) {
        struct worker worker = {
            .job = job, .number = number, .channel = &member->channel, .sockets = &sockets[number]};
        forget_others(crew, number);
        run(&worker, supervisor);
    }
    member->pid = pid;
    channel_keep_supervisor_side(&member->channel);
    return 0;
}
