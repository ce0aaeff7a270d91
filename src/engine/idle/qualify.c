#include "engine/idle/qualify.h"

#include "base/time.h"
#include "technique/rows.h"

#define QUESTIONS 20
#define HINTS     2 /* of each kind: one may be lost */

unsigned qualify_hints(const struct zombie *zombie, struct probe ret[static QUALIFY_HINTS_MAX])
{
    unsigned count = 0;
    for (unsigned i = 0; zombie->addr.family == ADDR_V6 && i < HINTS; i++) {
        ret[count++] =
            (struct probe){.technique = &technique_zombie_echo, .src = zombie->source, .dst = zombie->addr};
        ret[count++] = (struct probe){
            .technique = &technique_zombie_too_big, .src = zombie->source, .dst = zombie->addr};
    }
    return count;
}

bool qualify_asks_more(const struct zombie *zombie)
{
    uint64_t asked = zombie->next_serial;
    return asked < QUESTIONS ||
           (asked < QUALIFY_QUESTIONS_MAX && zombie->answered > 0 && zombie->answered < IPID_SAMPLES_MIN);
}

static unsigned take_samples(const struct zombie *zombie, struct ipid_sample *ret)
{
    unsigned count = 0;
    for (uint64_t serial = 0; serial < zombie->next_serial; serial++) {
        const struct question *question = zombie_question(zombie, serial);
        if (question->state == QUESTION_ANSWERED)
            ret[count++] = (struct ipid_sample){.time_ns = question->sent_ns, .id = question->id};
    }
    return count;
}

struct qualification qualify_judge(struct zombie *zombie)
{
    struct ipid_sample samples[QUALIFY_QUESTIONS_MAX];
    struct qualification ret = {.pps = 0};
    unsigned count = take_samples(zombie, samples);
    uint32_t mask = zombie->addr.family == ADDR_V4 ? UINT16_MAX : UINT32_MAX;
    ret.class = ipid_classify(samples, count, mask, &zombie->scale, &ret.pps);
    if (ret.class != IPID_SILENT && zombie->without_fragments)
        ret.class = IPID_ABSENT;
    if (count > 0)
        ret.span_ns = samples[count - 1].time_ns - samples[0].time_ns;
    zombie->loss = 1 - (double)count / (double)zombie->next_serial;
    return ret;
}
