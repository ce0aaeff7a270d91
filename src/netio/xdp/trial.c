#include "netio/xdp/trial.h"

#include <stddef.h>

#include "base/time.h"
#include "technique/token_core.h"

bool trial_allows(struct trial *trial, uint8_t try_number)
{
    if (trial->verdict != TRIAL_OPEN)
        return trial->verdict == TRIAL_PASSED;
    return try_number == 0 && trial->turns++ % TRIAL_PERIOD != 1; /* the second is the first control */
}

static struct trial_span *newest(struct trial *trial)
{
    return &trial->spans[(trial->span_count - 1) % TRIAL_SPANS];
}

void trial_begin(struct trial *trial, bool fast, int64_t now_ns)
{
    if (trial->verdict != TRIAL_OPEN || (!fast && !trial->begun_ns))
        return;
    if (!trial->begun_ns)
        trial->begun_ns = now_ns;
    trial->span_count++;
    *newest(trial) = (struct trial_span){.from_ns = now_ns, .to_ns = TIME_NEVER, .fast = fast};
}

void trial_end(struct trial *trial, int64_t now_ns)
{
    if (trial->verdict == TRIAL_OPEN && trial->begun_ns)
        newest(trial)->to_ns = now_ns - TOKEN_TIME_STEP_NS;
}

static const struct trial_span *find_span(const struct trial *trial, int64_t sent_ns)
{
    uint32_t count = trial->span_count < TRIAL_SPANS ? trial->span_count : TRIAL_SPANS;
    for (uint32_t i = 0; i < count; i++) {
        if (sent_ns >= trial->spans[i].from_ns && sent_ns <= trial->spans[i].to_ns)
            return &trial->spans[i];
    }
    return NULL;
}

void trial_hear(struct trial *trial, int64_t sent_ns, int64_t now_ns)
{
    const struct trial_span *span = find_span(trial, sent_ns);
    if (trial->verdict != TRIAL_OPEN || !span || now_ns - sent_ns > TRIAL_MEMORY_NS)
        return;
    if (span->fast)
        trial->verdict = TRIAL_PASSED;
    else if (++trial->answered == TRIAL_ANSWERS)
        trial->verdict = TRIAL_FAILED;
}

void trial_fail(struct trial *trial)
{
    if (trial->verdict == TRIAL_OPEN)
        trial->verdict = TRIAL_FAILED;
}
