#include "verdict/record.h"

static bool family_valid(const struct addr *addr)
{
    return addr->family == ADDR_NONE || addr->family == ADDR_V4 || addr->family == ADDR_V6;
}

static bool names_host(enum record_type type)
{
    return type == RECORD_HOST_UP || type == RECORD_HOST_DOWN || type == RECORD_MAC || type == RECORD_PORT ||
           type == RECORD_HOST_DONE;
}

bool record_valid(const struct record *record)
{
    if (record->type >= RECORD_TYPE_COUNT || (record->flags & ~RECORD_FLAGS_ALL))
        return false;
    if (record->protocol >= PROTOCOL_COUNT || record->state >= PORT_STATE_COUNT ||
        record->reason >= REASON_COUNT || record->note >= NOTE_COUNT)
        return false;
    if (!family_valid(&record->host) || !family_valid(&record->source))
        return false;
    if (names_host((enum record_type)record->type) && record->host.family == ADDR_NONE)
        return false;
    if (record->type == RECORD_PORT || record->type == RECORD_HOST_UP || record->type == RECORD_HOST_DONE)
        return record->rtt_ns >= 0 &&
               (record->type != RECORD_HOST_DONE || (record->rttvar_ns >= 0 && record->rto_ns >= 0));
    return true;
}
