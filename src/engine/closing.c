#include "engine/closing.h"

#include "engine/internal.h"

/* Until when is something to be waited for? A time that is over: nothing is. */
static int64_t wait_until_ns(struct engine *engine, struct scan_block *scan_block, uint32_t slot)
{
    return speaker_wait_until_ns(engine, scan_block, slot);
}

bool closing_take(struct engine *engine, struct scan_block *scan_block, uint32_t slot, uint8_t flags)
{
    struct closing *closing = &engine->closing;
    if ((flags & RECORD_UNFINISHED) || closing->count == CLOSING_MAX ||
        wait_until_ns(engine, scan_block, slot) <= engine->now_ns)
        return false;
    closing->hosts[closing->count++] = (struct closing_host){
        .scan_block = scan_block, .slot = slot, .tries = scan_block->valid_tries, .flags = flags};
    scan_block->closing_hosts++;
    return true;
}

static void report(struct engine *engine, uint32_t index)
{
    struct closing *closing = &engine->closing;
    struct closing_host host = closing->hosts[index];
    closing->hosts[index] = closing->hosts[--closing->count];
    host.scan_block->closing_hosts--;
    host_report(engine, host.scan_block, host.slot, host.tries, host.flags);
}

void closing_run(struct engine *engine)
{
    struct closing *closing = &engine->closing;
    for (uint32_t i = closing->count; i-- > 0;)
        if (wait_until_ns(engine, closing->hosts[i].scan_block, closing->hosts[i].slot) <= engine->now_ns)
            report(engine, i);
}

void closing_end(struct engine *engine)
{
    while (engine->closing.count > 0)
        report(engine, engine->closing.count - 1);
}

int64_t closing_next_ns(struct engine *engine)
{
    const struct closing *closing = &engine->closing;
    int64_t next_ns = engine->speakers.wanted_count ? pacer_next_ns(&engine->pacer) : TIME_NEVER;
    for (uint32_t i = 0; i < closing->count; i++) {
        int64_t until_ns = wait_until_ns(engine, closing->hosts[i].scan_block, closing->hosts[i].slot);
        next_ns = until_ns < next_ns ? until_ns : next_ns;
    }
    return next_ns;
}
