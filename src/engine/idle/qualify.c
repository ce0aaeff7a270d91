/* Is the zombie fit? Questions at a steady pace show how it numbers its packets, how far away it is, what gets lost on the
 * way, and how much it sends by itself. */
#include "engine/idle/internal.h"

#include "technique/rows.h"

#define QUESTIONS       20
#define QUESTIONS_MAX   60 /* when answers get lost */
#define QUESTION_GAP_NS (20 * MSEC)

void idle_qualify_begin(struct idle *idle)
{
    idle->phase = IDLE_QUALIFY;
    idle->wake_ns = idle->now_ns;
    for (unsigned i = 0; idle->zombie.addr.family == ADDR_V6 && i < 2; i++) {
        struct probe probes[2] = {{.technique = &technique_zombie_echo, .dst = idle->zombie.addr},
                                  {.technique = &technique_zombie_too_big, .dst = idle->zombie.addr}};
        probes[0].src = probes[1].src = idle->zombie.source;
        idle_send(idle, probes, 2);
    }
}

static unsigned take_samples(const struct idle *idle, struct ipid_sample *ret)
{
    unsigned count = 0;
    for (uint64_t serial = 0; serial < idle->zombie.next_serial; serial++) {
        const struct question *question = zombie_question(&idle->zombie, serial);
        if (question->state == QUESTION_ANSWERED)
            ret[count++] = (struct ipid_sample){.time_ns = question->sent_ns, .id = question->id};
    }
    return count;
}

static void judge(struct idle *idle)
{
    struct ipid_sample samples[QUESTIONS_MAX];
    unsigned count = take_samples(idle, samples);
    bool v4 = idle->zombie.addr.family == ADDR_V4;
    double pps = 0;
    enum ipid_class class =
        ipid_classify(samples, count, v4 ? UINT16_MAX : UINT32_MAX, &idle->zombie.scale, &pps);
    if (class != IPID_SILENT && idle->zombie.without_fragments)
        class = IPID_ABSENT;
    idle_note(idle, NOTE_ZOMBIE, &idle->zombie.addr, class, (uint64_t)(pps * 1000));
    if (!ipid_class_fits(class)) {
        idle_end(idle, RECORD_UNFINISHED);
        return;
    }
    int64_t span_ns = samples[count - 1].time_ns - samples[0].time_ns;
    background_note(&idle->background, idle->now_ns, pps * (double)span_ns / (double)SEC, span_ns);
    idle->zombie.loss = 1 - (double)count / (double)idle->zombie.next_serial;
    idle->qualified = true;
}

void idle_qualify_run(struct idle *idle)
{
    const struct zombie *zombie = &idle->zombie;
    if (idle->now_ns < idle->wake_ns)
        return;
    uint64_t asked = zombie->next_serial;
    bool more = asked < QUESTIONS ||
                (asked < QUESTIONS_MAX && zombie->answered > 0 && zombie->answered < IPID_SAMPLES_MIN);
    if (more) {
        struct probe probe = zombie_ask(&idle->zombie, idle->now_ns);
        idle_send(idle, &probe, 1);
        idle->wake_ns = idle->now_ns + QUESTION_GAP_NS;
    } else if (zombie_due_ns(zombie) != TIME_NEVER) {
        idle->wake_ns = zombie_due_ns(zombie);
    } else {
        judge(idle);
    }
}
