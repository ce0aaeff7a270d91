#include "engine/closing.h"

#include "engine/internal.h"

/* Until when is something to be waited for? A time that is over: nothing is. */
static int64_t wait_until_ns(struct engine *engine, const struct closing_host *host)
{
    return verify_is_over(host) ? speaker_wait_until_ns(engine, host->scan_block, host->slot) : TIME_NEVER;
}

bool closing_take(struct engine *engine, struct scan_block *scan_block, uint32_t slot, uint8_t flags)
{
    struct closing *closing = &engine->closing;
    struct closing_host host = {.scan_block = scan_block,
                                .slot = slot,
                                .tries = scan_block->valid_tries,
                                .flags = flags,
                                .verify = verify_begin(engine, scan_block, slot)};
    if ((flags & RECORD_UNFINISHED) || closing->count == CLOSING_MAX ||
        wait_until_ns(engine, &host) <= engine->now_ns)
        return false;
    closing->hosts[closing->count++] = host;
    scan_block->closing_hosts++;
    return true;
}

struct closing_host *closing_find(struct engine *engine, const struct scan_block *scan_block, uint32_t slot)
{
    struct closing *closing = &engine->closing;
    for (uint32_t i = 0; i < closing->count; i++)
        if (closing->hosts[i].scan_block == scan_block && closing->hosts[i].slot == slot)
            return &closing->hosts[i];
    return NULL;
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
    verify_run(engine);
    for (uint32_t i = closing->count; i-- > 0;)
        if (wait_until_ns(engine, &closing->hosts[i]) <= engine->now_ns)
            report(engine, i);
}

void closing_end(struct engine *engine)
{
    verify_end(engine);
    while (engine->closing.count > 0)
        report(engine, engine->closing.count - 1);
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
