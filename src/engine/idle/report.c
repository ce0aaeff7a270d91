/* What an idle scan says of itself: its records. */
#include "engine/emit.h"
#include "engine/found_hosts.h"
#include "engine/idle/internal.h"

static void emit(struct idle *idle, const struct record *record)
{
    idle->config.emit(idle->config.context, record);
}

void idle_note(struct idle *idle, enum note note, const struct addr *host, uint64_t first, uint64_t second)
{
    struct record record = record_new(&idle->config, idle->now_ns, RECORD_NOTE, host);
    record.note = (uint8_t)note;
    record.value[0] = first;
    record.value[1] = second;
    emit(idle, &record);
}

void idle_report_port(struct idle *idle, uint32_t index, enum port_state state, enum reason reason,
                      unsigned tries)
{
    struct record record = record_new(&idle->config, idle->now_ns, RECORD_PORT, &idle->target);
    record.protocol = PROTOCOL_TCP;
    record.port = idle->config.specs[index].port;
    record.state = (uint8_t)state;
    record.reason = (uint8_t)reason;
    record.tries = (uint8_t)tries;
    emit(idle, &record);
}

void idle_report_up(struct idle *idle)
{
    struct record record = record_new(&idle->config, idle->now_ns, RECORD_HOST_UP, &idle->target);
    record.reason = REASON_USER_SET;
    if (!idle->config.found)
        emit(idle, &record);
    idle->hosts_up++;
}

void idle_report_done(struct idle *idle, uint8_t flags)
{
    struct record record = record_new(&idle->config, idle->now_ns, RECORD_HOST_DONE, &idle->target);
    record.flags = flags;
    record.state = PORT_CLOSED_FILTERED;
    record.reason = REASON_NO_IPID_CHANGE;
    emit(idle, &record);
    idle->hosts_done++;
}

void idle_report_progress(struct idle *idle)
{
    struct record record = record_new(&idle->config, idle->now_ns, RECORD_PROGRESS, NULL);
    const struct port_groups *groups = &idle->groups;
    uint64_t done = idle->hosts_done * idle->config.spec_count + groups->done_count;
    uint64_t all = found_hosts_count(idle->config.found, idle->config.plan) * idle->config.spec_count;
    record.value[PROGRESS_PROBES_SENT] = idle->probes_sent;
    record.value[PROGRESS_PROBES_PLANNED] =
        done ? (uint64_t)((double)idle->probes_sent * (double)all / (double)done) : all;
    record.value[PROGRESS_ANSWERS] = idle->zombie.answered;
    record.value[PROGRESS_DROPS] = idle->io->stats.ring_drops + idle->io->stats.send_errors;
    record.value[PROGRESS_REJECTED] = idle->zombie.rejected;
    record.value[PROGRESS_RATE_PPS] = (uint64_t)idle->pacer.rate_pps;
    record.value[PROGRESS_HOSTS_DONE] = idle->hosts_done;
    record.value[PROGRESS_HOSTS_UP] = idle->hosts_up;
    emit(idle, &record);
}
