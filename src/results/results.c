#include "results/results.h"

#include <stdlib.h>
#include <string.h>

#include "base/bitset.h"
#include "base/time.h"
#include "results/answers.h"
#include "results/open_hosts.h"
#include "results/whole_host.h"

#define PORT_WORDS (65536 / 64)

struct results {
    struct results_config config;
    struct answer_space space;
    struct port_result *blank; /* owned; the plan's ports as they are when all stayed silent */
    struct port_result *ports; /* owned; one host's ports while it is handed over */
    uint32_t before[PROTOCOL_COUNT]
                   [PORT_WORDS]; /* ports in blank that come before each word of the plan's set */
    struct open_hosts open;
    uint32_t show_place; /* where results_show_changed() goes on */
    struct results_totals totals;
};

static uint32_t count_ports(const struct results_config *config)
{
    size_t count = 0;
    for (unsigned protocol = 0; protocol < PROTOCOL_COUNT; protocol++)
        if (config->scanned[protocol])
            count += port_set_count(&config->plan->ports, (enum port_protocol)protocol);
    return (uint32_t)count;
}

/* The ports of one protocol, silent; returns where the next protocol's go. */
static struct port_result *list_protocol(struct results *results, enum protocol protocol,
                                         struct port_result *at)
{
    const uint64_t *words = results->config.plan->ports.bits[protocol];
    for (uint32_t word = 0; word < PORT_WORDS; word++) {
        results->before[protocol][word] = (uint32_t)(at - results->blank);
        for (uint64_t bits = words[word]; bits; bits &= bits - 1)
            *at++ = (struct port_result){.port = (uint16_t)(word * 64 + (uint32_t)__builtin_ctzll(bits)),
                                         .protocol = (uint8_t)protocol,
                                         .state = results->config.silent_state[protocol],
                                         .reason = REASON_NO_RESPONSE};
    }
    return at;
}

static void list_ports(struct results *results)
{
    struct port_result *at = results->blank;
    for (unsigned protocol = 0; protocol < PROTOCOL_COUNT; protocol++)
        if (results->config.scanned[protocol])
            at = list_protocol(results, (enum protocol)protocol, at);
}

static bool allocate(struct results *results, uint32_t port_count)
{
    size_t places = port_count ? port_count : 1;
    results->space.port_count = port_count;
    results->space.seen = calloc(bitset_words(places), sizeof(uint64_t));
    results->blank = calloc(places, sizeof *results->blank);
    results->ports = calloc(places, sizeof *results->ports);
    return results->space.seen && results->blank && results->ports;
}

int results_new(const struct results_config *config, struct results **ret, struct error *err)
{
    uint32_t port_count = count_ports(config);
    struct results *results = calloc(1, sizeof *results);
    if (!results || !allocate(results, port_count)) {
        results_free(results);
        return error_set(err, EX_OSERR, "no memory for the results of %u ports", port_count);
    }

    results->config = *config;
    list_ports(results);
    *ret = results;
    return 0;
}

void results_free(struct results *results)
{
    if (!results)
        return;
    open_hosts_done(&results->open);
    free(results->space.seen);
    free(results->blank);
    free(results->ports);
    free(results);
}

static bool find_port(const struct results *results, const struct record *record, uint32_t *ret_index)
{
    const struct port_set *ports = &results->config.plan->ports;
    if (!results->config.scanned[record->protocol] ||
        !port_set_has(ports, (enum port_protocol)record->protocol, record->port))
        return false;
    unsigned word = record->port / 64;
    uint64_t lower = ports->bits[record->protocol][word] & ((UINT64_C(1) << record->port % 64) - 1);
    *ret_index = results->before[record->protocol][word] + (uint32_t)__builtin_popcountll(lower);
    return true;
}

/* Fills results->ports with what is known of the host. */
static void expand_ports(struct results *results, const struct open_host *host, const struct record *last,
                         bool unfinished)
{
    uint32_t port_count = results->space.port_count;
    if (port_count)
        memcpy(results->ports, results->blank, port_count * sizeof *results->ports);
    for (uint32_t i = 0; i < port_count; i++) {
        results->ports[i].time_ns = host->end_ns;
        results->ports[i].tries = last->tries;
        if (unfinished) {
            results->ports[i].state = PORT_UNKNOWN;
            results->ports[i].reason = REASON_UNFINISHED;
        } else if (last->reason != REASON_NO_RESPONSE) {
            results->ports[i].state = last->state;
            results->ports[i].reason = last->reason;
            results->ports[i].source = last->source;
        }
    }

    for (uint32_t i = 0; i < host->answers.count; i++) {
        const struct answer *answer = &host->answers.list[i];
        if (!answer->present)
            continue;
        struct port_result *port = &results->ports[answer->index];
        answer_unpack(answer, host->start_ns, port);
        port->told = true;
        port->source = open_host_source(host, answer->source);
    }
}

static struct host_result describe(const struct results *results, const struct open_host *host,
                                   const struct record *last)
{
    bool done = last->type == RECORD_HOST_DONE;
    return (struct host_result){
        .position = host->position,
        .addr = plan_host_at(results->config.plan, host->position),
        .user_name = host->extra ? host->extra->user_name : NULL,
        .ptr_name = host->extra ? host->extra->ptr_name : NULL,
        .up = host->up,
        .reason = host->reason,
        .ttl = host->ttl,
        .source = open_host_source(host, host->source),
        .has_mac = host->has_mac,
        .mac = {host->mac[0], host->mac[1], host->mac[2], host->mac[3], host->mac[4], host->mac[5]},
        .shown = host->shown,
        .unfinished = (last->flags & RECORD_UNFINISHED) || host->lost,
        .timed_out = last->flags & RECORD_TIMED_OUT,
        .answers_all = last->flags & RECORD_ANSWERS_ALL,
        .proxied = last->flags & RECORD_PROXIED,
        .capped = last->flags & RECORD_CAPPED,
        .start_ns = host->start_ns,
        .end_ns = host->end_ns,
        .srtt_ns = done && last->rtt_ns ? last->rtt_ns : (int64_t)host->rtt_us * USEC,
        .rttvar_ns = done ? last->rttvar_ns : 0,
        .rto_ns = done ? last->rto_ns : 0,
    };
}

/* The host is complete and waits for nothing: hand it over and forget it. */
static void hand_over(struct results *results, struct open_host *host, const struct record *last)
{
    struct host_result result = describe(results, host, last);
    if (result.up) {
        expand_ports(results, host, last, result.unfinished);
        result.ports = results->ports;
        result.port_count = results->space.port_count;
        whole_host_derive(&result, results->ports);
        for (uint32_t i = 0; i < result.port_count; i++)
            results->totals.ports[result.ports[i].state]++;
    }
    if (result.up)
        results->totals.hosts_up++;
    else
        results->totals.hosts_down++;
    results->config.host(results->config.context, &result);
    open_hosts_remove(&results->open, host);
}

static void end_host(struct results *results, struct open_host *host, const struct record *last)
{
    if (host->extra && host->extra->awaits_name) {
        host->extra->last = *last;
        host->extra->ended = true;
    } else {
        hand_over(results, host, last);
    }
}

static void take_up(struct open_host *host, const struct record *record)
{
    host->up = true;
    host->reason = record->reason;
    host->ttl = record->ttl;
    host->source = open_host_add_source(host, &record->source);
    uint64_t rtt_us = (uint64_t)(record->rtt_ns / USEC) + (record->rtt_ns % USEC != 0);
    host->rtt_us = rtt_us < UINT32_MAX ? (uint32_t)rtt_us : UINT32_MAX;
}

/* A host that nothing showed to be up was scanned because the user said so. */
static void take_scanned(struct open_host *host)
{
    if (!host->up) {
        host->up = true;
        host->reason = REASON_USER_SET;
    }
}

static struct port_result port_of(const struct record *record)
{
    return (struct port_result){
        .port = record->port,
        .protocol = record->protocol,
        .state = record->state,
        .reason = record->reason,
        .ttl = record->ttl,
        .tries = record->tries,
        .flags = record->flags & (RECORD_WEAK | RECORD_LATE | RECORD_REPLACES),
        .told = true,
        .source = record->source,
        .time_ns = record->time_ns,
        .rtt_ns = record->rtt_ns,
    };
}

static void tell_port(const struct results *results, const struct record *record)
{
    struct port_result port = port_of(record);
    if (results->config.port)
        results->config.port(results->config.context, &record->host, &port);
}

static bool take_port(struct results *results, struct open_host *host, const struct record *record,
                      uint32_t index)
{
    take_scanned(host);
    uint8_t source = open_host_add_source(host, &record->source);
    struct answer answer = answer_pack(record, index, host->start_ns, source);
    if (answers_put(&host->answers, &results->space, answer)) {
        host->lost = true;
        return false;
    }
    tell_port(results, record);
    return true;
}

static bool refuse(struct results *results)
{
    results->totals.records_refused++;
    return false;
}

static bool lose(struct results *results)
{
    results->totals.records_lost++;
    return false;
}

/* A record names this host. */
static void touch(struct open_host *host, const struct record *record)
{
    host->changed = true;
    if (!host->touched) {
        host->touched = true;
        host->start_ns = record->time_ns;
    }
    if (record->time_ns > host->end_ns)
        host->end_ns = record->time_ns;
}

/* What may not be taken in although each field is in range. */
static bool contradicts(const struct open_host *host, const struct record *record)
{
    if (!host)
        return false;
    return (host->extra && host->extra->ended) || (record->type == RECORD_HOST_DOWN && host->up);
}

static bool take_host_record(struct results *results, uint64_t position, const struct record *record)
{
    struct open_host *host = open_hosts_find(&results->open, position);
    if (contradicts(host, record))
        return refuse(results);
    uint32_t index = 0;
    bool names_port = record->type == RECORD_PORT || record->type == RECORD_CONFIRMATION;
    if (names_port && !find_port(results, record, &index))
        return refuse(results);
    if (!host)
        host = open_hosts_add(&results->open, position);
    if (!host)
        return lose(results);
    touch(host, record);

    switch ((enum record_type)record->type) {
    case RECORD_HOST_UP:
        take_up(host, record);
        break;
    case RECORD_MAC:
        host->has_mac = true;
        memcpy(host->mac, record->mac, sizeof host->mac);
        break;
    case RECORD_PORT:
        return take_port(results, host, record, index) || lose(results);
    case RECORD_CONFIRMATION:
        answers_confirm(&host->answers, &results->space, index, (enum confirmation)record->confirmation);
        break;
    case RECORD_HOST_DOWN:
        host->reason = record->reason;
        host->ttl = record->ttl;
        host->source = open_host_add_source(host, &record->source);
        end_host(results, host, record);
        break;
    case RECORD_HOST_DONE:
        take_scanned(host);
        end_host(results, host, record);
        break;
    case RECORD_NOTE:
    case RECORD_PROGRESS:
    case RECORD_END:
    case RECORD_EVIDENCE:
    case RECORD_INTAKE:
    case RECORD_BLOCK_HOSTS:
    case RECORD_BLOCK:
    case RECORD_BLOCK_VOID:
    case RECORD_BLOCK_END:
    case RECORD_TYPE_COUNT:
        break; /* results_record() lets none of these through */
    }
    return true;
}

/* A correction of a host that has been handed over. */
static bool take_late(struct results *results, const struct record *record)
{
    uint32_t index;
    if (!find_port(results, record, &index))
        return refuse(results);
    tell_port(results, record);
    return true;
}

bool results_record(struct results *results, const struct record *record)
{
    if (!record_valid(record))
        return refuse(results);
    if (!record_names_host(record))
        return true;
    uint64_t position;
    if (!plan_host_find(results->config.plan, &record->host, &position))
        return refuse(results);

    if (record->type == RECORD_PORT && (record->flags & RECORD_LATE)) {
        const struct open_host *host = open_hosts_find(&results->open, position);
        if (!host || (host->extra && host->extra->ended))
            return take_late(results, record);
    }
    return take_host_record(results, position, record);
}

/* The host of the plan with this address, opened if need be; NULL when it is none of the plan's, or without
 * memory. */
static struct open_host *open_for_name(struct results *results, const struct addr *addr)
{
    uint64_t position;
    if (!plan_host_find(results->config.plan, addr, &position))
        return NULL;
    struct open_host *host = open_hosts_find(&results->open, position);
    if (!host)
        host = open_hosts_add(&results->open, position);
    return host && open_host_extra(host) ? host : NULL;
}

bool results_set_user_name(struct results *results, const struct addr *host, const char *name)
{
    struct open_host *open = open_for_name(results, host);
    char *copy = open ? strdup(name) : NULL;
    if (!copy)
        return false;
    free(open->extra->user_name);
    open->extra->user_name = copy;
    return true;
}

bool results_await_ptr_name(struct results *results, const struct addr *host)
{
    struct open_host *open = open_for_name(results, host);
    if (!open)
        return false;
    open->extra->awaits_name = true;
    return true;
}

bool results_set_ptr_name(struct results *results, const struct addr *host, const char *name)
{
    uint64_t position;
    if (!plan_host_find(results->config.plan, host, &position))
        return false;
    struct open_host *open = open_hosts_find(&results->open, position);
    if (!open)
        return true;

    struct host_extra *extra = open_host_extra(open);
    if (!extra)
        return false;
    char *copy = name ? strdup(name) : NULL;
    free(extra->ptr_name);
    extra->ptr_name = copy;
    extra->awaits_name = false;
    if (extra->ended) {
        struct record last = extra->last;
        hand_over(results, open, &last);
    }
    return copy || !name;
}

uint64_t results_open_count(const struct results *results)
{
    return results->open.count;
}

/* What this costs of the budget. */
static uint64_t show_host(struct results *results, struct open_host *host,
                          void (*show)(void *context, const struct host_result *host), void *context)
{
    struct record last = {.type = RECORD_HOST_DONE, .flags = RECORD_UNFINISHED};
    struct host_result result = describe(results, host, &last);
    expand_ports(results, host, &last, true);
    result.ports = results->ports;
    result.port_count = results->space.port_count;
    show(context, &result);
    host->changed = false;
    host->shown = true;
    return results->space.port_count;
}

/* No host that is open changes its place meanwhile. */
bool results_show_changed(struct results *results, uint64_t budget,
                          void (*show)(void *context, const struct host_result *host), void *context)
{
    uint64_t spent = 0;
    for (; results->show_place < results->open.place_count; results->show_place++) {
        if (spent >= budget)
            return true;
        spent++;
        struct open_host *host = open_hosts_at(&results->open, results->show_place);
        if (host && host->changed)
            spent += show_host(results, host, show, context);
    }
    results->show_place = 0;
    return false;
}

static void flush_host(struct results *results, struct open_host *host, int64_t now_ns)
{
    if (!host->touched) {
        open_hosts_remove(&results->open, host);
        return;
    }
    struct record last = {.type = RECORD_HOST_DONE, .flags = RECORD_UNFINISHED};
    if (host->extra && host->extra->ended)
        last = host->extra->last;
    else if (now_ns > host->end_ns)
        host->end_ns = now_ns;
    hand_over(results, host, &last);
}

void results_flush(struct results *results, int64_t now_ns)
{
    for (uint32_t place = 0; place < results->open.place_count; place++) {
        struct open_host *host = open_hosts_at(&results->open, place);
        if (host)
            flush_host(results, host, now_ns);
    }
}

const struct results_totals *results_totals(const struct results *results)
{
    return &results->totals;
}
