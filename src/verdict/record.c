#include "verdict/record.h"

#include <string.h>

/* Each address has one spelling: IPv4 has no bytes behind the fourth and no scope. */
static bool addr_valid(const struct addr *addr)
{
    static const uint8_t zeros[12] = {0};
    if (addr->family == ADDR_V4)
        return addr->scope == 0 && memcmp(addr->bytes + 4, zeros, sizeof zeros) == 0;
    return addr->family == ADDR_NONE || addr->family == ADDR_V6;
}

bool record_names_host(const struct record *record)
{
    return record->type == RECORD_HOST_UP || record->type == RECORD_HOST_DOWN || record->type == RECORD_MAC ||
           record->type == RECORD_PORT || record->type == RECORD_CONFIRMATION ||
           record->type == RECORD_HOST_DONE;
}

/* What a host's record needs beyond enums in range: the host, a sender of its family, times that are some. */
static bool host_record_valid(const struct record *record)
{
    if (record->host.family == ADDR_NONE || record->time_ns < 0)
        return false;
    if (record->source.family != ADDR_NONE && record->source.family != record->host.family)
        return false;
    if (record->type == RECORD_HOST_DONE && (record->rttvar_ns < 0 || record->rto_ns < 0))
        return false;
    bool has_rtt =
        record->type == RECORD_PORT || record->type == RECORD_HOST_UP || record->type == RECORD_HOST_DONE;
    return !has_rtt || record->rtt_ns >= 0;
}

/* In a port's record a packet is whole, or not there. */
static bool part_valid(const struct record *record)
{
    const struct evidence_part *part = &record->part;
    if (record->type == RECORD_PORT)
        return part->number == 0 && part->len <= RECORD_PACKET_MAX && part->kept_len == part->len;
    return part->len <= RECORD_BYTES && part->kept_len <= EVIDENCE_MAX &&
           part->number * RECORD_BYTES + part->len <= part->kept_len && record->host.family != ADDR_NONE &&
           record->time_ns >= 0;
}

bool record_valid(const struct record *record)
{
    if (record->type >= RECORD_TYPE_COUNT || record->protocol >= PROTOCOL_COUNT ||
        record->state >= PORT_STATE_COUNT || record->reason >= REASON_COUNT || record->note >= NOTE_COUNT)
        return false;
    if (record->type == RECORD_CONFIRMATION && record->confirmation >= CONFIRMATION_COUNT)
        return false;
    if ((record->type == RECORD_EVIDENCE || record->type == RECORD_PORT) && !part_valid(record))
        return false;
    if (!addr_valid(&record->host) || !addr_valid(&record->source))
        return false;
    return !record_names_host(record) || host_record_valid(record);
}
