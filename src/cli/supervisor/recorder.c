#include "cli/supervisor/recorder.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "store/digest.h"

#define PERIOD_NS     SEC
#define COST_DIVISOR  25 /* looking through the hosts and writing may take this part of the time */
#define PERIOD_MAX_NS (8 * SEC)
#define HOST_COST_NS  (INT64_C(10) * USEC) /* of looking at a host and writing it, at least */
#define WALK_BUDGET   (UINT64_C(1) << 16)  /* ports to look at in one turn: a millisecond or so */
#define ENOUGH_LEN    ((size_t)2 << 20)    /* to be written at once: at the end of the scan little is left */
#define FULL_LEN      ((size_t)64 << 20)

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * SEC + now.tv_nsec;
}

/* Every word of the command line with the zero behind it. NULL without memory. */
static char *pack_words(const struct options *options, size_t *ret_len)
{
    size_t len = 0;
    for (int i = 0; i < options->argc; i++)
        len += strlen(options->argv[i]) + 1;
    char *words = malloc(len + 1);
    char *at = words;
    for (int i = 0; words && i < options->argc; i++)
        at = stpcpy(at, options->argv[i]) + 1;
    *ret_len = len;
    return words;
}

static void describe_coverage(struct batch *batch, const struct job *job)
{
    static const char *const special[SPECIAL_COUNT] = {"special: this network", "special: multicast",
                                                       "special: reserved", "special: broadcast"};
    rows_coverage(batch, "hosts planned", job->plan.host_count);
    rows_coverage(batch, "addresses excluded", job->plan.excluded_count);
    rows_coverage(batch, "names unresolved", job->targets.unresolved_count);
    rows_coverage(batch, "ports asked of each host", job->specs.count);
    for (unsigned i = 0; i < SPECIAL_COUNT; i++)
        rows_coverage(batch, special[i], job->plan.special_count[i]);
}

static int describe_scan(struct batch *batch, const struct job *job, int64_t start_ns, struct error *err)
{
    char scans[JOB_SCANS_MAX];
    char digest[DIGEST_TEXT_MAX];
    struct results_config config = job_results_config(job);
    struct store_scan scan = {.portolan = PORTOLAN_VERSION,
                              .command = job->command_line,
                              .scans = scans,
                              .digest = digest,
                              .plan = &job->plan,
                              .results = &config,
                              .started_ns = start_ns};
    job_scan_names(job, scans);
    job_digest(job, digest);
    char *words = pack_words(job->options, &scan.words_len);
    if (!words)
        return error_set(err, EX_OSERR, "out of memory");
    scan.words = words;
    rows_scan(batch, &scan);
    free(words);
    for (size_t i = 0; i < job->targets.name_count; i++)
        rows_name(batch, &job->targets.names[i].addr, job->targets.names[i].name);
    describe_coverage(batch, job);
    rows_event(batch, start_ns, "started", NULL, 0, 0);
    return 0;
}

/* The rows of an interrupted scan stay; what is new is written beside them. */
static void describe_session(struct recorder *recorder, const struct session *session, int64_t start_ns)
{
    recorder->before = session->scan.progress;
    recorder->progress = session->scan.progress;
    recorder->rejects_before = rejects_stored(&session->scan);
    memcpy(recorder->account, session->scan.account, sizeof recorder->account);
    recorder->progress.pid = getpid();
    recorder->progress.state = "running";
    recorder->again = true;
    rows_forget_ports_without_host(&recorder->next);
    rows_excluded(&recorder->next, &session->excluded);
    rows_event(&recorder->next, start_ns, "resumed", NULL, 0, 0);
    rows_progress(&recorder->next, &recorder->progress);
}

static int describe(struct recorder *recorder, int64_t start_ns, struct error *err)
{
    if (recorder->job->session) {
        describe_session(recorder, recorder->job->session, start_ns);
        return 0;
    }
    recorder->progress = (struct store_progress){.saved_ns = start_ns, .state = "running", .pid = getpid()};
    int r = describe_scan(&recorder->next, recorder->job, start_ns, err);
    rows_progress(&recorder->next, &recorder->progress);
    return r;
}

int recorder_open(struct recorder *recorder, const struct job *job, int64_t start_ns,
                  struct database **ret_database, struct error *err)
{
    struct database *database = NULL;
    recorder->job = job;
    int r =
        database_open(job->options->store, job->session ? DATABASE_WRITE : DATABASE_CREATE, &database, err);
    if (r == 0)
        r = describe(recorder, start_ns, err);
    if (r == 0)
        r = database_write(database, &recorder->found, &recorder->next, err);
    batch_clear(&recorder->next);
    if (r == 0 &&
        job->session) /* the engine says at once which blocks there are, before the next transaction */
        rows_forget_blocks(&recorder->next);
    if (r < 0) {
        database_close(database);
        return r;
    }
    *ret_database = database;
    return 0;
}

/* A second transaction at once, for the first one is on disk when that is: while the scan goes on. */
int recorder_start(struct recorder *recorder, struct database *database, struct error *err)
{
    recorder->rest_ns = clock_ns(CLOCK_MONOTONIC);
    int r = writer_start(database, &recorder->writer, err);
    if (r < 0) {
        database_close(database);
        return r;
    }
    rows_progress(&recorder->state, &recorder->progress);
    writer_submit(recorder->writer, &recorder->found, &recorder->state);
    return 0;
}

static void put_down(struct recorder *recorder)
{
    const struct down_range *down = &recorder->down;
    if (down->any)
        rows_down(&recorder->found, down->first, down->last, (enum reason)down->reason, down->time_ns);
    recorder->down.any = false;
}

static void take_down(struct recorder *recorder, const struct host_result *host)
{
    struct down_range *down = &recorder->down;
    if (down->any && down->last + 1 == host->position && down->reason == host->reason) {
        down->last++;
        return;
    }
    put_down(recorder);
    *down = (struct down_range){host->position, host->position, host->reason, true, host->end_ns};
}

static enum host_progress progress_of(const struct recorder *recorder, const struct host_result *host)
{
    if (host->unfinished && recorder->stopping && !host->timed_out)
        return HOST_SCANNING;
    return host->timed_out ? HOST_TIMED_OUT : host->unfinished ? HOST_UNFINISHED : HOST_DONE;
}

void recorder_host(struct recorder *recorder, const struct host_result *host)
{
    if (!recorder->writer)
        return;
    if (rows_host_is_plainly_down(host))
        take_down(recorder, host);
    else
        rows_host(&recorder->found, host, progress_of(recorder, host), host->shown || recorder->again);
}

void recorder_port(struct recorder *recorder, const struct addr *host, const struct port_result *port,
                   const struct evidence_parts *packet)
{
    struct store_packet kept = {packet ? packet->bytes : NULL, packet ? packet->len : 0};
    uint64_t position;
    if (recorder->writer && (rows_port_stands_alone(port) || (port->flags & RECORD_REPLACES)) &&
        plan_host_find(&recorder->job->plan, host, &position))
        rows_port(&recorder->found, position, port, packet ? &kept : NULL);
}

static void take_confirmation(struct recorder *recorder, const struct record *record)
{
    uint64_t position;
    if (plan_host_find(&recorder->job->plan, &record->host, &position))
        rows_confirmation(&recorder->found, position, record);
}

static const char *note_name(enum note note)
{
    static const char *const names[NOTE_COUNT] = {
        [NOTE_RETRY_CAP] = "retry cap",
        [NOTE_SEND_ERRORS] = "send errors",
        [NOTE_RING_DROPS] = "ring drops",
        [NOTE_NO_ROUTE] = "no route",
        [NOTE_LOCAL_PORTS] = "local ports",
        [NOTE_WAY_GONE] = "way gone",
        [NOTE_CONFLICT] = "conflict",
        [NOTE_WAY_BACK] = "way back",
        [NOTE_NEW_SOURCE] = "new source",
        [NOTE_REROUTED] = "rerouted",
        [NOTE_ZOMBIE] = "zombie",
        [NOTE_IDLE_SEEN] = "idle scan seen",
        [NOTE_IDLE_STOPPED] = "idle scan stopped",
        [NOTE_RATE] = "rate",
        [NOTE_LIMITED] = "limiter",
        [NOTE_POLICED] = "policer",
        [NOTE_RELAY] = "relay",
        [NOTE_SWALLOWED] = "swallowed",
        [NOTE_PATH_SPLIT] = "path split",
        [NOTE_PATH_JOINED] = "path joined",
        [NOTE_PATH_CROWDED] = "path crowded",
        [NOTE_PATH_SILENT] = "path silent",
        [NOTE_PATH_ANSWERS] = "path answers",
    };
    return names[note];
}

/* Of what the packet process says only what can be true is kept. */
static void take_checkpoint(struct recorder *recorder, const struct record *record)
{
    struct batch *batch = &recorder->next;
    const uint64_t *value = record->value;
    uint64_t first = value[CHECKPOINT_FIRST];
    uint64_t end = value[CHECKPOINT_END];
    struct store_block block = {value[CHECKPOINT_ID], value[CHECKPOINT_KIND], value[CHECKPOINT_TRIES], first};
    uint64_t hosts = recorder->job->plan.host_count;
    if (block.id > UINT32_MAX || block.kind >= BLOCK_KIND_COUNT || block.tries > UINT8_MAX ||
        first > INT64_MAX || end > INT64_MAX)
        return;
    if (record->type == RECORD_INTAKE && first <= hosts)
        recorder->progress.next_position = first;
    else if (record->type == RECORD_BLOCK_HOSTS && first < end && end <= hosts)
        rows_block_hosts(batch, block.id, first, end - 1);
    else if (record->type == RECORD_BLOCK)
        rows_block(batch, &block);
    else if (record->type == RECORD_BLOCK_VOID && first < end)
        rows_block_void(batch, block.id, first, end - 1);
    else if (record->type == RECORD_BLOCK_END)
        rows_block_end(batch, block.id);
}

static void take_account(struct recorder *recorder, const struct record *record)
{
    for (unsigned i = 0; i < END_VALUE_COUNT; i++)
        recorder->account[i] += record->value[i];
    recorder->has_account = true;
}

void recorder_record(struct recorder *recorder, const struct record *record)
{
    if (!recorder->writer)
        return;
    if (record->type == RECORD_NOTE) {
        const struct addr *whose = record->host.family == ADDR_NONE ? &record->source : &record->host;
        rows_event(&recorder->next, record->time_ns, note_name((enum note)record->note), whose,
                   record->value[0], record->value[1]);
    } else if (record->type == RECORD_CONFIRMATION) {
        take_confirmation(recorder, record);
    } else if (record->type == RECORD_END) {
        take_account(recorder, record);
    } else if (!record_names_host(record)) {
        take_checkpoint(recorder, record);
    }
}

bool recorder_is_full(const struct recorder *recorder)
{
    return recorder->writer && !recorder->failed && recorder->found.len > FULL_LEN;
}

static void put_counts(struct recorder *recorder, struct batch *batch, const struct recorder_counts *counts)
{
    struct store_progress *progress = &recorder->progress;
    const struct store_progress *before = &recorder->before;
    const struct packet_totals *packets = counts->packets;
    const uint64_t *told = counts->progress;
    progress->packets_sent = before->packets_sent + packets->packets_sent;
    progress->bytes_sent = before->bytes_sent + packets->bytes_sent;
    progress->packets_received = before->packets_received + packets->packets_received;
    progress->bytes_received = before->bytes_received + packets->bytes_received;
    progress->probes_sent = before->probes_sent + told[PROGRESS_PROBES_SENT];
    progress->answers = before->answers + told[PROGRESS_ANSWERS];
    progress->rejected = before->rejected + told[PROGRESS_REJECTED];
    progress->drops = before->drops + told[PROGRESS_DROPS];
    progress->saved_ns = clock_ns(CLOCK_REALTIME);
    rows_progress(batch, progress);
    struct rejects rejects = rejects_of(told[PROGRESS_REJECTED], packets);
    rejects_add(&rejects, &recorder->rejects_before);
    rejects_keep(&rejects, batch);
}

/* A scan of some seconds is over before a state with all its hosts is worth its cost. */
static bool state_is_due(const struct recorder *recorder, const struct results *results, int64_t now_ns)
{
    int64_t expected_ns = (int64_t)results_open_count(results) * HOST_COST_NS;
    int64_t seen_ns = recorder->walk_ns + writer_took_ns(recorder->writer);
    int64_t pause_ns = (expected_ns > seen_ns ? expected_ns : seen_ns) * COST_DIVISOR;
    pause_ns = pause_ns < PERIOD_NS ? PERIOD_NS : pause_ns < PERIOD_MAX_NS ? pause_ns : PERIOD_MAX_NS;
    return now_ns - recorder->rest_ns >= pause_ns;
}

/* From here on `state` is how far the scan was; what is found meanwhile, and the hosts in flight, shown next,
 * may only be further than that. */
static void begin_walk(struct recorder *recorder, const struct recorder_counts *counts)
{
    put_down(recorder);
    put_counts(recorder, &recorder->next, counts);
    struct batch empty = recorder->state;
    recorder->state = recorder->next;
    recorder->next = empty;
    recorder->walking = true;
    recorder->walk_ns = 0;
}

static void keep_host(void *context, const struct host_result *host)
{
    struct recorder *recorder = context;
    rows_host(&recorder->found, host, HOST_SCANNING, host->shown || recorder->again);
}

static void submit(struct recorder *recorder, int64_t now_ns)
{
    writer_submit(recorder->writer, &recorder->found, &recorder->state);
    recorder->found_ns = now_ns + PERIOD_NS;
}

static void go_on_walking(struct recorder *recorder, struct results *results, uint64_t budget)
{
    int64_t began_ns = clock_ns(CLOCK_MONOTONIC);
    recorder->walking = results_show_changed(results, budget, keep_host, recorder);
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    recorder->walk_ns += now_ns - began_ns;
    if (recorder->walking)
        return;
    recorder->rest_ns = now_ns;
    submit(recorder, now_ns);
}

static bool check(struct recorder *recorder)
{
    if (!recorder->failed && writer_status(recorder->writer, &recorder->error) < 0)
        recorder->failed = true;
    return !recorder->failed;
}

/* What was found does no harm when it is in the file before the state that goes with it. */
static bool found_is_due(const struct recorder *recorder, int64_t now_ns)
{
    return recorder->found.len > ENOUGH_LEN || (recorder->found.len > 0 && now_ns >= recorder->found_ns);
}

void recorder_turn(struct recorder *recorder, struct results *results, const struct recorder_counts *counts)
{
    if (!recorder->writer || !check(recorder) || writer_is_busy(recorder->writer))
        return;
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    if (!recorder->walking && state_is_due(recorder, results, now_ns))
        begin_walk(recorder, counts);
    if (recorder->walking)
        go_on_walking(recorder, results, WALK_BUDGET);
    else if (found_is_due(recorder, now_ns))
        submit(recorder, now_ns);
}

static void wait_for_writer(struct recorder *recorder)
{
    while (check(recorder) && writer_is_busy(recorder->writer))
        nanosleep(&(struct timespec){.tv_nsec = MSEC}, NULL);
}

/* A state whose hosts in flight were not all shown goes with the last one: by now every host was handed
 * over. */
void recorder_end(struct recorder *recorder, const struct recorder_counts *counts, bool complete)
{
    if (!recorder->writer)
        return;
    wait_for_writer(recorder);
    put_down(recorder);
    batch_append(&recorder->state, &recorder->next);
    if (complete)
        rows_forget_blocks(&recorder->state);
    if (recorder->has_account)
        rows_account(&recorder->state, recorder->account);
    recorder->progress.state = complete ? "complete" : "stopped";
    recorder->progress.pid = 0;
    put_counts(recorder, &recorder->state, counts);
    rows_event(&recorder->state, recorder->progress.saved_ns, recorder->progress.state, NULL, 0, 0);
    if (check(recorder))
        writer_submit(recorder->writer, &recorder->found, &recorder->state);
    wait_for_writer(recorder);
    struct error error = {.status = 0};
    if (writer_close(recorder->writer, complete, &error) < 0 && !recorder->failed) {
        recorder->failed = true;
        recorder->error = error;
    }
    recorder->writer = NULL;
}

void recorder_done(struct recorder *recorder)
{
    writer_close(recorder->writer, false, NULL);
    batch_done(&recorder->found);
    batch_done(&recorder->state);
    batch_done(&recorder->next);
    *recorder = (struct recorder){.writer = NULL};
}
