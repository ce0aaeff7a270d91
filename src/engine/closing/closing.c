#include "engine/closing/closing.h"

#include "engine/internal.h"

/* Until when is something to be waited for? A time that is over: nothing is. */
static int64_t wait_until_ns(struct engine *engine, const struct closing_host *host)
{
    return verify_is_over(host) ? speaker_wait_until_ns(engine, host->scan_block, host->slot) : TIME_NEVER;
}

/* That is all of it: say so, and let its record go. */
static void report(struct engine *engine, const struct closing_host *host)
{
    struct host_slot *slot = &host->scan_block->slots[host->slot];
    struct host_record *record = host_table_get(&engine->hosts, slot->record);
    struct addr addr = block_host(&host->scan_block->block, host->slot);
    uint8_t flags = host->flags | speaker_flags(record ? &record->speaker : NULL);
    emit_host_done(engine, &addr, record, host->tries, flags);
    host_table_give_back(&engine->hosts, slot->record);
    slot->record = HOST_RECORD_NONE;
}

void closing_take(struct engine *engine, struct scan_block *scan_block, uint32_t slot, uint8_t flags)
{
    struct closing *closing = &engine->closing;
    struct closing_host host = {.scan_block = scan_block,
                                .slot = slot,
                                .tries = scan_block->valid_tries,
                                .flags = flags,
                                .verify = verify_begin(engine, scan_block, slot)};
    if ((flags & RECORD_UNFINISHED) || closing->count == CLOSING_MAX ||
        wait_until_ns(engine, &host) <= engine->now_ns) {
        report(engine, &host);
        return;
    }
    closing->hosts[closing->count++] = host;
    scan_block->closing_hosts++;
}

static void report_closing(struct engine *engine, uint32_t index)
{
    struct closing *closing = &engine->closing;
    struct closing_host host = closing->hosts[index];
    closing->hosts[index] = closing->hosts[--closing->count];
    host.scan_block->closing_hosts--;
    report(engine, &host);
}

void closing_run(struct engine *engine)
{
    struct closing *closing = &engine->closing;
    verify_run(engine);
    for (uint32_t i = closing->count; i-- > 0;)
        if (wait_until_ns(engine, &closing->hosts[i]) <= engine->now_ns)
            report_closing(engine, i);
}

void closing_end(struct engine *engine)
{
    verify_end(engine);
    while (engine->closing.count > 0)
        report_closing(engine, engine->closing.count - 1);
}

int64_t closing_next_ns(struct engine *engine)
{
    const struct closing *closing = &engine->closing;
    int64_t next_ns = speakers_next_ns(engine);
    int64_t verify_ns = verify_next_ns(engine);
    next_ns = verify_ns < next_ns ? verify_ns : next_ns;
    for (uint32_t i = 0; i < closing->count; i++) {
        int64_t until_ns = wait_until_ns(engine, &closing->hosts[i]);
        next_ns = until_ns < next_ns ? until_ns : next_ns;
    }
    return next_ns;
}
