#include "store/rows.h"

#include <stdio.h>
#include <sys/utsname.h>

#define MACHINE_MAX 256
#define MAC_MAX     18
#define GROUPS_MAX  64 /* kinds of answers of one host that are told apart at once */

const char *host_progress_name(enum host_progress progress)
{
    static const char *const names[] = {"scanning", "done", "unfinished", "timed out"};
    return names[progress];
}

static void put_addr(struct batch *batch, const struct addr *addr)
{
    char text[ADDR_TEXT_MAX];
    batch_text(batch, addr->family == ADDR_NONE ? NULL : addr_format(addr, text));
}

static void rows_ranges(struct batch *batch, enum store_statement statement, const struct addr_set *targets)
{
    for (size_t i = 0; i < targets->v4_count; i++) {
        struct addr first = addr_v4(targets->v4[i].first);
        struct addr last = addr_v4(targets->v4[i].last);
        batch_row(batch, statement);
        put_addr(batch, &first);
        put_addr(batch, &last);
    }
    for (size_t i = 0; i < targets->v6_count; i++) {
        struct addr first = addr_v6(targets->v6[i].first, targets->v6[i].scope);
        struct addr last = addr_v6(targets->v6[i].last, targets->v6[i].scope);
        batch_row(batch, statement);
        put_addr(batch, &first);
        put_addr(batch, &last);
    }
}

/* The ports of one protocol as ranges. Returns the index behind the last. */
static uint32_t rows_asked(struct batch *batch, const struct results_config *config, enum protocol protocol,
                           uint32_t index)
{
    const struct port_set *ports = &config->plan->ports;
    uint32_t port = 0;
    while (port <= UINT16_MAX) {
        uint32_t first = port;
        while (port <= UINT16_MAX && port_set_has(ports, (enum port_protocol)protocol, (uint16_t)port))
            port++;
        if (port > first) {
            batch_row(batch, STORE_ASKED);
            batch_int(batch, index);
            batch_text(batch, protocol_name(protocol));
            batch_int(batch, first);
            batch_int(batch, port - 1);
            batch_text(batch, state_name((enum port_state)config->silent_state[protocol]));
            index += port - first;
        } else {
            port++;
        }
    }
    return index;
}

static void put_machine(struct batch *batch)
{
    struct utsname name;
    char text[MACHINE_MAX] = "unknown";
    if (uname(&name) == 0)
        snprintf(text, sizeof text, "%.60s %s %.60s %.60s", name.nodename, name.sysname, name.release,
                 name.machine);
    batch_foreign_text(batch, text);
}

void rows_scan(struct batch *batch, const struct store_scan *scan)
{
    const struct plan_options *options = &scan->plan->options;
    batch_row(batch, STORE_SCAN);
    batch_text(batch, scan->portolan);
    put_machine(batch);
    batch_foreign_text(batch, scan->command);
    batch_blob(batch, scan->words, scan->words_len);
    batch_text(batch, scan->scans);
    batch_int(batch, (int64_t)options->seed);
    batch_int(batch, (int64_t)options->shard_index);
    batch_int(batch, (int64_t)options->shard_count);
    batch_int(batch, options->in_order);
    batch_int(batch, (int64_t)scan->plan->host_count);
    batch_text(batch, scan->digest);
    batch_int(batch, scan->started_ns);
    rows_ranges(batch, STORE_TARGET, &scan->plan->targets);
    uint32_t index = 0;
    for (unsigned protocol = 0; protocol < PROTOCOL_COUNT; protocol++)
        if (scan->results->scanned[protocol])
            index = rows_asked(batch, scan->results, (enum protocol)protocol, index);
}

void rows_excluded(struct batch *batch, const struct addr_set *excluded)
{
    batch_row(batch, STORE_EXCLUDED_FORGET);
    rows_ranges(batch, STORE_EXCLUDED, excluded);
}

void rows_name(struct batch *batch, const struct addr *address, const char *name)
{
    batch_row(batch, STORE_NAME);
    put_addr(batch, address);
    batch_foreign_text(batch, name);
}

void rows_progress(struct batch *batch, const struct store_progress *progress)
{
    const uint64_t numbers[] = {progress->packets_sent,   progress->bytes_sent,  progress->packets_received,
                                progress->bytes_received, progress->probes_sent, progress->answers,
                                progress->rejected,       progress->drops};
    batch_row(batch, STORE_SCAN_STATE);
    batch_int(batch, progress->saved_ns);
    batch_text(batch, progress->state);
    batch_int(batch, (int64_t)progress->next_position);
    batch_int(batch, progress->pid);
    for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        batch_int(batch, (int64_t)numbers[i]);
}

/* Ports of a host that agree in all but the time. */
struct group {
    struct port_result like;
    uint32_t count;
    int64_t first_ns, last_ns;
    struct index_writer set;
};

static bool is_like(const struct port_result *a, const struct port_result *b)
{
    return a->state == b->state && a->reason == b->reason && a->ttl == b->ttl && a->tries == b->tries &&
           a->flags == b->flags && addr_equal(&a->source, &b->source);
}

/* A silent or unfinished port is one without a row. */
static bool has_row(const struct port_result *port)
{
    return port->state != PORT_UNKNOWN && port->reason != REASON_NO_RESPONSE;
}

static void collect(struct group *group, const struct port_result *port, uint32_t index)
{
    group->count++;
    if (port->time_ns < group->first_ns)
        group->first_ns = port->time_ns;
    if (port->time_ns > group->last_ns)
        group->last_ns = port->time_ns;
    index_add(&group->set, index);
}

static void put_port_key(struct batch *batch, uint64_t position, enum protocol protocol, uint16_t port)
{
    batch_int(batch, (int64_t)position);
    batch_text(batch, protocol_name(protocol));
    batch_int(batch, port);
}

bool rows_port_stands_alone(const struct port_result *port)
{
    return port->state == PORT_OPEN || port->state == PORT_FILTERED || (port->flags & RECORD_LATE);
}

void rows_port(struct batch *batch, uint64_t position, const struct port_result *port,
               const struct store_packet *packet)
{
    batch_row(batch, STORE_PORT);
    batch_text(batch,
               protocol_name((enum protocol)port->protocol)); /* no number first: it stays where it is put */
    batch_int(batch, (int64_t)position);
    batch_int(batch, port->port);
    batch_text(batch, state_name((enum port_state)port->state));
    batch_text(batch, reason_name((enum reason)port->reason));
    batch_int(batch, port->ttl);
    batch_int(batch, port->tries);
    batch_int(batch, (port->flags & RECORD_WEAK) != 0);
    batch_int(batch, (port->flags & RECORD_LATE) != 0);
    put_addr(batch, &port->source);
    batch_int(batch, port->time_ns);
    batch_int(batch, port->rtt_ns);
    if (packet)
        batch_blob(batch, packet->bytes, packet->len);
    else
        batch_null(batch);
}

void rows_confirmation(struct batch *batch, uint64_t position, const struct record *record)
{
    batch_row(batch, STORE_CONFIRMATION);
    put_port_key(batch, position, (enum protocol)record->protocol, record->port);
    batch_text(batch, confirmation_name((enum confirmation)record->confirmation));
}

/* The kinds of answers of one host that are being folded, and how many rows of it are written. */
struct folding {
    struct batch *batch;
    uint64_t position;
    struct group groups[GROUPS_MAX];
    unsigned count, rows;
};

static void put_folded(struct folding *folding, struct group *group)
{
    struct batch *batch = folding->batch;
    index_end(&group->set);
    batch->failed = batch->failed || group->set.failed;
    batch_row(batch, STORE_FOLDED);
    batch_int(batch, (int64_t)folding->position);
    batch_int(batch, folding->rows++);
    batch_text(batch, state_name((enum port_state)group->like.state));
    batch_text(batch, reason_name((enum reason)group->like.reason));
    batch_int(batch, group->like.ttl);
    batch_int(batch, group->like.tries);
    batch_int(batch, (group->like.flags & RECORD_WEAK) != 0);
    put_addr(batch, &group->like.source);
    batch_int(batch, group->first_ns);
    batch_int(batch, group->last_ns);
    batch_int(batch, group->count);
    batch_blob(batch, group->set.bytes, group->set.len);
    index_done(&group->set);
}

/* The group of a port. A host that answers in more ways than there are groups gets several rows of one
 * kind. */
static struct group *group_of(struct folding *folding, const struct port_result *port)
{
    struct group *group = folding->groups;
    for (unsigned i = 0; i < folding->count; i++, group++) {
        if (is_like(&group->like, port))
            return group;
    }
    if (folding->count == GROUPS_MAX) {
        group = &folding->groups[folding->rows % GROUPS_MAX];
        put_folded(folding, group);
    } else {
        folding->count++;
    }
    *group = (struct group){.like = *port, .first_ns = port->time_ns, .last_ns = port->time_ns};
    return group;
}

static void rows_ports(struct batch *batch, const struct host_result *host)
{
    struct folding folding;
    folding.batch = batch;
    folding.position = host->position;
    folding.count = 0;
    folding.rows = 0;
    for (uint32_t i = 0; i < host->port_count; i++) {
        const struct port_result *port = &host->ports[i];
        bool written = port->told && rows_port_stands_alone(port);
        if (has_row(port) && !written)
            collect(group_of(&folding, port), port, i);
    }
    for (unsigned i = 0; i < folding.count; i++)
        put_folded(&folding, &folding.groups[i]);
}

static void put_mac(struct batch *batch, const struct host_result *host)
{
    char text[MAC_MAX];
    if (!host->has_mac) {
        batch_null(batch);
        return;
    }
    snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", host->mac[0], host->mac[1], host->mac[2],
             host->mac[3], host->mac[4], host->mac[5]);
    batch_text(batch, text);
}

/* After how many tries silence was believed. */
static uint8_t silent_tries(const struct host_result *host)
{
    for (uint32_t i = 0; i < host->port_count; i++) {
        if (host->ports[i].reason == REASON_NO_RESPONSE)
            return host->ports[i].tries;
    }
    return 0;
}

void rows_host(struct batch *batch, const struct host_result *host, enum host_progress progress, bool again)
{
    const int64_t times[] = {host->start_ns, host->end_ns, host->srtt_ns, host->rttvar_ns, host->rto_ns};
    if (again) {
        batch_row(batch, STORE_HOST_UNFOLD);
        batch_int(batch, (int64_t)host->position);
    }
    batch_row(batch, STORE_HOST);
    batch_int(batch, (int64_t)host->position);
    put_addr(batch, &host->addr);
    batch_text(batch, host_progress_name(progress));
    batch_int(batch, host->up);
    batch_text(batch, reason_name((enum reason)host->reason));
    batch_int(batch, host->ttl);
    put_addr(batch, &host->source);
    put_mac(batch, host);
    batch_foreign_text(batch, host->user_name);
    batch_foreign_text(batch, host->ptr_name);
    batch_int(batch, silent_tries(host));
    for (unsigned i = 0; i < sizeof times / sizeof times[0]; i++)
        batch_int(batch, times[i]);
    batch_int(batch, host->answers_all);
    batch_int(batch, host->proxied);
    batch_int(batch, host->capped);
    rows_ports(batch, host);
}

bool rows_host_is_plainly_down(const struct host_result *host)
{
    return !host->up && !host->user_name && !host->ptr_name && !host->has_mac && host->ttl == 0 &&
           host->source.family == ADDR_NONE;
}

void rows_forget_ports_without_host(struct batch *batch)
{
    batch_row(batch, STORE_PORTS_FORGET);
    batch_row(batch, STORE_CONFIRMATIONS_FORGET);
}

void rows_down(struct batch *batch, uint64_t first, uint64_t last, enum reason reason, int64_t time_ns)
{
    batch_row(batch, STORE_DOWN);
    batch_int(batch, (int64_t)first);
    batch_int(batch, (int64_t)last);
    batch_text(batch, reason_name(reason));
    batch_int(batch, time_ns);
}

void rows_coverage(struct batch *batch, const char *what, uint64_t count)
{
    batch_row(batch, STORE_COVERAGE);
    batch_text(batch, what);
    batch_int(batch, (int64_t)count);
}

void rows_reject(struct batch *batch, const char *kind, uint64_t count)
{
    char what[STORE_REJECT_TEXT_MAX];
    snprintf(what, sizeof what, STORE_REJECT_PREFIX "%s", kind);
    rows_coverage(batch, what, count);
}

const char *account_name(enum end_value value)
{
    static const char *const names[END_VALUE_COUNT] = {
        [END_TRIES] = "tries of known fate",
        [END_TRIES_LOST] = "tries lost",
        [END_HOSTS_LIMITED] = "hosts that limit answers",
        [END_PORTS_CAPPED] = "ports of capped hosts",
        [END_CONFLICTS] = "conflicts",
        [END_DOUBT] = "millionths of ports in doubt",
    };
    return names[value];
}

void rows_account(struct batch *batch, const uint64_t account[static END_VALUE_COUNT])
{
    for (unsigned i = 0; i < END_VALUE_COUNT; i++)
        rows_coverage(batch, account_name((enum end_value)i), account[i]);
}

void rows_event(struct batch *batch, int64_t time_ns, const char *what, const struct addr *host,
                uint64_t first, uint64_t second)
{
    static const struct addr none = {.family = ADDR_NONE};
    batch_row(batch, STORE_EVENT);
    batch_int(batch, time_ns);
    batch_text(batch, what);
    put_addr(batch, host ? host : &none);
    batch_int(batch, (int64_t)first);
    batch_int(batch, (int64_t)second);
}

void rows_block(struct batch *batch, const struct store_block *block)
{
    batch_row(batch, STORE_BLOCK);
    batch_int(batch, (int64_t)block->id);
    batch_int(batch, (int64_t)block->kind);
    batch_int(batch, (int64_t)block->tries);
    batch_int(batch, (int64_t)block->next);
    batch_row(batch, STORE_BLOCK_UNVOID);
    batch_int(batch, (int64_t)block->id);
}

static void put_range(struct batch *batch, uint64_t block, uint64_t first, uint64_t last)
{
    batch_int(batch, (int64_t)block);
    batch_int(batch, (int64_t)first);
    batch_int(batch, (int64_t)last);
}

void rows_block_hosts(struct batch *batch, uint64_t block, uint64_t first, uint64_t last)
{
    batch_row(batch, STORE_BLOCK_HOSTS);
    put_range(batch, block, first, last);
}

void rows_block_void(struct batch *batch, uint64_t block, uint64_t first, uint64_t last)
{
    batch_row(batch, STORE_BLOCK_VOID);
    put_range(batch, block, first, last);
}

void rows_block_end(struct batch *batch, uint64_t block)
{
    static const enum store_statement statements[] = {STORE_BLOCK_FORGET, STORE_BLOCK_FORGET_HOSTS,
                                                      STORE_BLOCK_UNVOID};
    for (unsigned i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        batch_row(batch, statements[i]);
        batch_int(batch, (int64_t)block);
    }
}

void rows_forget_blocks(struct batch *batch)
{
    batch_row(batch, STORE_BLOCKS_FORGET);
    batch_row(batch, STORE_BLOCKS_FORGET_HOSTS);
    batch_row(batch, STORE_BLOCKS_UNVOID);
}
