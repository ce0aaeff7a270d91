#include "engine/emit.h"

#include <string.h>

#include "engine/internal.h"

struct record record_new(const struct engine_config *config, int64_t now_ns, enum record_type type,
                         const struct addr *host)
{
    struct record record;
    memset(&record, 0, sizeof record); /* padding too: a record goes to another process as bytes */
    record.type = (uint8_t)type;
    record.time_ns = now_ns + config->realtime_offset_ns;
    if (host)
        record.host = *host;
    return record;
}

static struct record record_of(const struct engine *engine, enum record_type type, const struct addr *host)
{
    return record_new(&engine->config, engine->now_ns, type, host);
}

static void emit(struct engine *engine, const struct record *record)
{
    engine->config.emit(engine->config.context, record);
}

void emit_host_up(struct engine *engine, const struct addr *host, const struct verdict *verdict,
                  int64_t rtt_ns)
{
    struct record record = record_of(engine, RECORD_HOST_UP, host);
    record.reason = verdict->reason;
    record.ttl = verdict->ttl;
    record.source = verdict->source;
    record.rtt_ns = rtt_ns;
    emit(engine, &record);
    engine->hosts_up++;
}

void emit_host_down(struct engine *engine, const struct addr *host, enum reason reason)
{
    struct record record = record_of(engine, RECORD_HOST_DOWN, host);
    record.reason = (uint8_t)reason;
    emit(engine, &record);
    engine->hosts_done++;
}

void emit_mac(struct engine *engine, const struct addr *host, const uint8_t mac[static 6])
{
    struct record record = record_of(engine, RECORD_MAC, host);
    memcpy(record.mac, mac, 6);
    emit(engine, &record);
}

void emit_host_done(struct engine *engine, const struct addr *host, const struct host_record *host_record,
                    uint8_t tries, uint8_t flags)
{
    struct record record = record_of(engine, RECORD_HOST_DONE, host);
    record.tries = tries;
    record.flags = flags;
    record.reason = REASON_NO_RESPONSE;
    if (host_record && host_record->rtt.has_sample) {
        record.rtt_ns = host_record->rtt.srtt_ns;
        record.rttvar_ns = host_record->rtt.rttvar_ns;
        record.rto_ns = host_record->rtt.rto_ns;
    }
    emit(engine, &record);
    engine->hosts_done++;
}

/* A neighbour that does not resolve, on a host taken as up: every port is filtered, and we ourselves say
 * so. */
void emit_host_unreachable(struct engine *engine, const struct addr *host)
{
    struct record record = record_of(engine, RECORD_HOST_DONE, host);
    record.reason = REASON_HOST_UNREACH;
    record.state = PORT_FILTERED;
    record.source = engine->io->ops->source(engine->io, host);
    emit(engine, &record);
    engine->hosts_done++;
}

static void emit_parts(struct engine *engine, const struct record *port, size_t kept_len)
{
    const struct packet *packet = engine->packet;
    for (size_t at = 0; at < kept_len; at += RECORD_BYTES) {
        struct record record = record_of(engine, RECORD_EVIDENCE, &port->host);
        size_t len = kept_len - at < RECORD_BYTES ? kept_len - at : RECORD_BYTES;
        record.protocol = port->protocol;
        record.port = port->port;
        record.state = port->state;
        record.reason = port->reason;
        record.part = (struct evidence_part){.number = (uint8_t)(at / RECORD_BYTES),
                                             .len = (uint8_t)len,
                                             .kept_len = (uint16_t)kept_len,
                                             .packet_len = (uint16_t)packet->bytes_len};
        memcpy(record.bytes, packet->bytes + at, len);
        emit(engine, &record);
    }
}

/* The packet that is being judged, as far as it is kept: in the record of the port, or in records of its own
 * before that. */
static void add_evidence(struct engine *engine, struct record *port)
{
    const struct packet *packet = engine->packet;
    bool closed = port->state == PORT_CLOSED || port->state == PORT_UNFILTERED;
    if (engine->config.evidence == EVIDENCE_NONE || !packet || !packet->bytes ||
        (closed && engine->config.evidence != EVIDENCE_ALL))
        return;
    size_t kept_len = packet->bytes_len < EVIDENCE_MAX ? packet->bytes_len : EVIDENCE_MAX;
    if (kept_len > RECORD_PACKET_MAX) {
        emit_parts(engine, port, kept_len);
        return;
    }
    port->part = (struct evidence_part){
        .len = (uint8_t)kept_len, .kept_len = (uint16_t)kept_len, .packet_len = (uint16_t)kept_len};
    memcpy(port->packet, packet->bytes, kept_len);
}

void emit_port(struct engine *engine, const struct addr *host, const struct probe_spec *spec,
               const struct verdict *verdict, int64_t rtt_ns, uint8_t tries, uint8_t flags)
{
    struct record record = record_of(engine, RECORD_PORT, host);
    record.protocol = spec->technique->protocol;
    record.port = spec->port;
    record.state = verdict->state;
    record.reason = verdict->reason;
    record.ttl = verdict->ttl;
    record.source = verdict->source;
    record.rtt_ns = rtt_ns;
    record.tries = tries;
    record.flags = flags;
    add_evidence(engine, &record);
    emit(engine, &record);
}

void emit_confirmation(struct engine *engine, const struct addr *host, const struct probe_spec *spec,
                       enum confirmation confirmation)
{
    struct record record = record_of(engine, RECORD_CONFIRMATION, host);
    record.protocol = spec->technique->protocol;
    record.port = spec->port;
    record.confirmation = (uint8_t)confirmation;
    emit(engine, &record);
}

void emit_note(struct engine *engine, enum note note, const struct addr *host, uint64_t first,
               uint64_t second)
{
    struct record record = record_of(engine, RECORD_NOTE, host);
    record.note = (uint8_t)note;
    record.value[0] = first;
    record.value[1] = second;
    emit(engine, &record);
}

void emit_rate(struct engine *engine, const struct path *path)
{
    struct record record = record_of(engine, RECORD_NOTE, NULL);
    record.note = NOTE_RATE;
    record.source = path->source;
    record.value[0] = (uint64_t)path->told_pps;
    record.value[1] = (uint64_t)path->rate.pps;
    record.value[2] = path->rate.cause;
    emit(engine, &record);
}

static uint64_t ten_thousandths(const struct outcomes *outcomes)
{
    return outcomes->all > 0 ? (uint64_t)(outcomes->bad / outcomes->all * 1e4 + 0.5) : 0;
}

void emit_path(struct engine *engine, enum note note, const struct divided *divided)
{
    struct addr first = network_first(&divided->network);
    struct record record = record_of(engine, RECORD_NOTE, &first);
    record.note = (uint8_t)note;
    record.value[0] = divided->network.prefix_len;
    record.value[1] = divided->what;
    record.value[2] = ten_thousandths(&divided->part[divided->what]);
    record.value[3] = ten_thousandths(&divided->rest[divided->what]);
    emit(engine, &record);
}

void emit_silence(struct engine *engine, enum note note, const struct path *path)
{
    struct record record = record_of(engine, RECORD_NOTE, NULL);
    record.note = (uint8_t)note;
    record.source = path->source;
    record.value[0] = (uint64_t)((engine->now_ns - path->answered_ns) / MSEC);
    emit(engine, &record);
}

void emit_crowded(struct engine *engine, const struct path *path, unsigned networks, bool differ)
{
    struct record record = record_of(engine, RECORD_NOTE, NULL);
    record.note = NOTE_PATH_CROWDED;
    record.source = path->source;
    record.value[0] = networks;
    record.value[1] = differ;
    emit(engine, &record);
}

void emit_checkpoint(struct engine *engine, enum record_type type, const struct scan_block *scan_block,
                     uint64_t tries, struct order_range range)
{
    struct record record = record_of(engine, type, NULL);
    if (scan_block) {
        record.value[CHECKPOINT_ID] = scan_block->block.id;
        record.value[CHECKPOINT_KIND] = scan_block->kind;
    }
    record.value[CHECKPOINT_TRIES] = tries;
    record.value[CHECKPOINT_FIRST] = range.first;
    record.value[CHECKPOINT_END] = range.end;
    emit(engine, &record);
}

/* What is left to send, as far as one can tell: what is pending, and all ports of the hosts not taken in
 * yet. */
static uint64_t probes_planned(const struct engine *engine)
{
    uint64_t left = 0;
    for (unsigned i = 0; i < engine->block_count; i++) {
        const struct scan_block *scan_block = engine->blocks[i];
        if (scan_block->phase == PHASE_SWEEP)
            left += scan_block->part.end - scan_block->cursor;
    }
    uint64_t per_host = engine->config.spec_count + engine->config.discovery_count;
    uint64_t hosts = engine->config.plan->host_count - engine->next_host;
    uint64_t waiting = engine->neighbor_room.count + engine->ping_room.count;
    for (unsigned i = 0; i < SPEED_CLASS_COUNT; i++)
        waiting += engine->port_rooms[i].count;
    return engine->probes_sent + left + hosts * per_host + waiting * engine->config.spec_count;
}

void emit_progress(struct engine *engine, double rate_pps)
{
    const struct netio_stats *stats = &engine->io->stats;
    uint64_t faults = 0;
    for (unsigned i = PACKET_OK + 1; i < PACKET_FAULT_COUNT; i++)
        faults += stats->faults[i];

    struct record record = record_of(engine, RECORD_PROGRESS, NULL);
    record.value[PROGRESS_PROBES_SENT] = engine->probes_sent;
    record.value[PROGRESS_PROBES_PLANNED] = probes_planned(engine);
    record.value[PROGRESS_ANSWERS] = engine->answers;
    record.value[PROGRESS_DROPS] = stats->ring_drops + stats->send_errors;
    record.value[PROGRESS_REJECTED] = engine->rejected + faults;
    record.value[PROGRESS_RATE_PPS] = (uint64_t)rate_pps;
    record.value[PROGRESS_HOSTS_DONE] = engine->hosts_done;
    record.value[PROGRESS_HOSTS_UP] = engine->hosts_up;
    emit(engine, &record);
}

void emit_end(struct engine *engine, uint8_t flags)
{
    const struct account *account = &engine->account;
    struct record record = record_of(engine, RECORD_END, NULL);
    record.flags = flags;
    record.value[END_TRIES] = account->tries;
    record.value[END_TRIES_LOST] = account->tries_lost;
    record.value[END_HOSTS_LIMITED] = account->hosts_limited;
    record.value[END_PORTS_CAPPED] = account->ports_capped;
    record.value[END_CONFLICTS] = account->conflicts;
    record.value[END_DOUBT] = (uint64_t)(account->doubt * 1e6 + 0.5);
    emit(engine, &record);
}
