/* Which port is asked next, and what becomes of it. Hosts are walked one after the other, so only few are
 * open at the same time. What is asked again comes after what was never asked, as far as there is room: then
 * more is known of the way between server and target, and bad moments are over. */
#include <assert.h>

#include "engine/bounce/internal.h"
#include "engine/found_hosts.h"

/* The server's kernel sends each SYN three times before we stop waiting, so the tries are few. */
#define SYNS_A_TRY 3
#define DROPS_MAX  8

struct addr work_addr(const struct bounce *bounce, const struct bounce_probe *probe)
{
    return plan_host_at(bounce->config.plan, probe->host);
}

uint16_t work_port(const struct bounce *bounce, const struct bounce_probe *probe)
{
    return bounce->config.specs[probe->spec].port;
}

struct bounce_consent *work_consent(struct bounce *bounce, const struct bounce_probe *probe)
{
    struct addr addr = work_addr(bounce, probe);
    if (addr.family == ADDR_V6)
        return &bounce->v6;
    return work_port(bounce, probe) < 1024 ? &bounce->low : &bounce->high;
}

static struct bounce_host *find_host(struct bounce *bounce, uint64_t position)
{
    for (unsigned i = 0; i < BOUNCE_HOSTS_MAX; i++)
        if (bounce->hosts[i].used && bounce->hosts[i].position == position)
            return &bounce->hosts[i];
    return NULL;
}

static void open_host(struct bounce *bounce, uint64_t position)
{
    struct addr addr = plan_host_at(bounce->config.plan, position);
    unsigned i = 0;
    while (bounce->hosts[i].used)
        i++;
    assert(i < BOUNCE_HOSTS_MAX);
    bounce->hosts[i] = (struct bounce_host){
        .used = true, .position = position, .left = bounce->config.spec_count, .start_ns = bounce->now_ns};
    struct record record = record_new(&bounce->config, bounce->now_ns, RECORD_HOST_UP, &addr);
    record.reason = REASON_USER_SET;
    if (!bounce->config.found) /* else discovery has said so */
        bounce_emit(bounce, &record);
}

static void close_host(struct bounce *bounce, struct bounce_host *host, uint8_t flags)
{
    struct addr addr = plan_host_at(bounce->config.plan, host->position);
    struct record record = record_new(&bounce->config, bounce->now_ns, RECORD_HOST_DONE, &addr);
    record.tries = host->tries;
    record.flags = flags;
    record.reason = REASON_NO_RESPONSE;
    bounce_emit(bounce, &record);
    host->used = false;
    bounce->hosts_done++;
}

static void emit_port(struct bounce *bounce, const struct bounce_probe *probe, struct record *record)
{
    record->protocol = PROTOCOL_TCP;
    record->port = work_port(bounce, probe);
    record->tries = (uint8_t)(probe->tries + 1);
    bounce_emit(bounce, record);
}

static void count_down(struct bounce *bounce, struct bounce_host *host)
{
    if (--host->left == 0)
        close_host(bounce, host, 0);
}

void work_settle(struct bounce *bounce, const struct bounce_probe *probe, enum port_state state,
                 enum reason reason, int64_t rtt_ns)
{
    struct bounce_host *host = find_host(bounce, probe->host);
    if (!host)
        return; /* timed out meanwhile */
    struct addr addr = work_addr(bounce, probe);
    struct record record = record_new(&bounce->config, bounce->now_ns, RECORD_PORT, &addr);
    record.state = (uint8_t)state;
    record.reason = (uint8_t)reason;
    record.rtt_ns = rtt_ns;
    emit_port(bounce, probe, &record);
    count_down(bounce, host);
}

void work_correct(struct bounce *bounce, const struct bounce_probe *probe, enum port_state state,
                  enum reason reason)
{
    struct addr addr = work_addr(bounce, probe);
    struct record record = record_new(&bounce->config, bounce->now_ns, RECORD_PORT, &addr);
    record.state = (uint8_t)state;
    record.reason = (uint8_t)reason;
    record.flags = find_host(bounce, probe->host) ? 0 : RECORD_LATE;
    emit_port(bounce, probe, &record);
}

static void wait_again(struct bounce *bounce, const struct bounce_probe *probe)
{
    assert(bounce->waiting_count < BOUNCE_WAITING_MAX);
    if (find_host(bounce, probe->host))
        bounce->waiting[bounce->waiting_count++] = *probe;
}

/* Is it silent for sure? How often a SYN between server and target is lost is Laplace's estimate, as if one
 * of three had been. */
static bool is_certain(const struct bounce *bounce, const struct bounce_probe *probe)
{
    double lost = (double)(bounce->syns_lost + 1) / (double)(bounce->syns_seen + 3);
    double risk = 1;
    for (unsigned i = 0; i < probe->syns; i++)
        risk *= lost;
    return risk <= bounce->config.timing.risk || probe->tries > bounce->config.timing.max_retries;
}

static void settle_silent(struct bounce *bounce, const struct bounce_probe *probe)
{
    struct bounce_host *host = find_host(bounce, probe->host);
    if (!host)
        return;
    host->tries = probe->tries > host->tries ? probe->tries : host->tries;
    count_down(bounce, host);
}

void work_missed(struct bounce *bounce, struct bounce_probe *probe, bool only_late)
{
    probe->syns = (uint8_t)(probe->syns + (only_late ? 1 : SYNS_A_TRY));
    probe->tries++;
    if (is_certain(bounce, probe))
        settle_silent(bounce, probe);
    else
        wait_again(bounce, probe);
}

void work_dropped(struct bounce *bounce, struct bounce_probe *probe)
{
    if (++probe->drops > DROPS_MAX)
        work_settle(bounce, probe, PORT_UNKNOWN, REASON_RELAY_REFUSED, 0);
    else
        wait_again(bounce, probe);
}

/* Nothing need be asked to know that the server would refuse. */
static bool is_hopeless(struct bounce *bounce, const struct bounce_probe *probe)
{
    const struct bounce_consent *consent = work_consent(bounce, probe);
    return consent->obeyed == 0 && consent->refused >= BOUNCE_REFUSALS_ENOUGH;
}

/* The walk leaves the host at which it stands. */
static void leave_host(struct bounce *bounce)
{
    bounce->next_spec = 0;
    bounce->next_host++;
    bounce->hosts_walked++;
}

static bool take_new(struct bounce *bounce, struct bounce_probe *ret)
{
    if (bounce->next_spec == 0)
        bounce->next_host = found_hosts_next(bounce->config.found, bounce->config.plan, bounce->next_host);
    if (bounce->next_host >= bounce->config.plan->host_count)
        return false;
    *ret = (struct bounce_probe){.host = bounce->next_host, .spec = bounce->next_spec};
    if (bounce->next_spec == 0)
        open_host(bounce, bounce->next_host);
    if (++bounce->next_spec == bounce->config.spec_count)
        leave_host(bounce);
    return true;
}

static bool take_waiting(struct bounce *bounce, struct bounce_probe *ret)
{
    if (bounce->waiting_count == 0)
        return false;
    *ret = bounce->waiting[0];
    bounce->waiting_count--;
    for (unsigned i = 0; i < bounce->waiting_count; i++)
        bounce->waiting[i] = bounce->waiting[i + 1];
    return true;
}

static bool take_any(struct bounce *bounce, struct bounce_probe *ret)
{
    bool has_room = bounce->waiting_count + BOUNCE_SESSIONS_MAX < BOUNCE_WAITING_MAX;
    return (has_room && take_new(bounce, ret)) || take_waiting(bounce, ret) || take_new(bounce, ret);
}

bool work_next(struct bounce *bounce, struct bounce_probe *ret)
{
    while (take_any(bounce, ret)) {
        if (!find_host(bounce, ret->host))
            continue;
        if (ret->tries > 0 && is_certain(bounce, ret))
            settle_silent(bounce, ret); /* by what was learned meanwhile */
        else if (is_hopeless(bounce, ret))
            work_settle(bounce, ret, PORT_UNKNOWN, REASON_RELAY_REFUSED, 0);
        else
            return true;
    }
    return false;
}

bool work_is_done(const struct bounce *bounce)
{
    for (unsigned i = 0; i < BOUNCE_HOSTS_MAX; i++)
        if (bounce->hosts[i].used)
            return false;
    return bounce->hosts_walked == found_hosts_count(bounce->config.found, bounce->config.plan);
}

uint64_t work_left(const struct bounce *bounce)
{
    uint64_t hosts = found_hosts_count(bounce->config.found, bounce->config.plan) - bounce->hosts_walked;
    return hosts * bounce->config.spec_count - bounce->next_spec + bounce->waiting_count;
}

static void skip_rest(struct bounce *bounce, uint64_t position)
{
    if (bounce->next_host == position && bounce->next_spec > 0)
        leave_host(bounce);
}

void work_time_out_hosts(struct bounce *bounce)
{
    int64_t limit_ns = bounce->config.timing.host_timeout_ns;
    for (unsigned i = 0; i < BOUNCE_HOSTS_MAX && limit_ns > 0; i++) {
        struct bounce_host *host = &bounce->hosts[i];
        if (!host->used || bounce->now_ns - host->start_ns < limit_ns)
            continue;
        skip_rest(bounce, host->position);
        close_host(bounce, host, RECORD_UNFINISHED | RECORD_TIMED_OUT);
    }
}

void work_abandon(struct bounce *bounce)
{
    for (unsigned i = 0; i < BOUNCE_HOSTS_MAX; i++)
        if (bounce->hosts[i].used)
            close_host(bounce, &bounce->hosts[i], RECORD_UNFINISHED);
}
