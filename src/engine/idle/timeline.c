#include "engine/idle/timeline.h"

#define JUMP_PACKETS 1000 /* that no zombie sends from one question to the next */

static int64_t distance_of(const struct zombie *zombie, uint64_t from, uint64_t to)
{
    return ipid_distance(&zombie->scale, zombie_question(zombie, from)->id, zombie_question(zombie, to)->id);
}

/* Points first .. count - 1 hold distances of IDs: in the order of time, and nearly in that of the
 * counter. */
static void sort_stretch(struct timeline *timeline, unsigned first)
{
    struct timeline_point *points = timeline->points;
    for (unsigned i = first + 1; i < timeline->count; i++) {
        int64_t packets = points[i].packets;
        unsigned at = i;
        for (; at > first && points[at - 1].packets > packets; at--)
            points[at].packets = points[at - 1].packets;
        points[at].packets = packets;
    }
    for (unsigned i = first; i < timeline->count; i++) /* our own questions are no traffic */
        points[i].packets -= i - first;
}

/* Questions that are still open may have overtaken the last ones. */
static void drop_rivals(struct timeline *timeline, const struct zombie *zombie, uint64_t end)
{
    if (end == zombie->next_serial)
        return;
    int64_t open_ns = zombie_question(zombie, end)->sent_ns - 2 * zombie_jitter_ns(zombie);
    while (timeline->count > 0 && timeline->points[timeline->count - 1].at_ns > open_ns)
        timeline->count--;
}

static void note_jump(struct timeline *timeline, uint64_t serial)
{
    if (serial < timeline->jumped_at)
        return;
    timeline->jumps++;
    timeline->jumped_at = serial + 1;
}

void timeline_read(struct timeline *timeline, const struct zombie *zombie, uint64_t from_serial)
{
    unsigned first = 0, lost = 0, stretch = 0;
    uint64_t last = 0, begin = 0;
    timeline->count = timeline->jumps = 0;
    uint64_t end = zombie->oldest_open;
    if (from_serial + TIMELINE_MAX < end)
        from_serial = end - TIMELINE_MAX;
    for (uint64_t serial = from_serial; serial < end; serial++) {
        const struct question *question = zombie_question(zombie, serial);
        if (question->state != QUESTION_ANSWERED) {
            lost++;
            continue;
        }
        int64_t step = timeline->count > first ? distance_of(zombie, last, serial) : 0;
        if (step > JUMP_PACKETS || step < -JUMP_PACKETS) {
            sort_stretch(timeline, first);
            note_jump(timeline, serial);
            first = timeline->count;
            stretch++;
        }
        if (timeline->count == first)
            begin = serial;
        timeline->points[timeline->count++] =
            (struct timeline_point){.at_ns = question->sent_ns,
                                    .packets = distance_of(zombie, begin, serial),
                                    .lost = lost,
                                    .stretch = stretch};
        last = serial;
    }
    sort_stretch(timeline, first);
    drop_rivals(timeline, zombie, end);
}

/* The first point behind this moment. */
static unsigned find_behind(const struct timeline *timeline, int64_t at_ns)
{
    unsigned low = 0, high = timeline->count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (timeline->points[middle].at_ns > at_ns)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool timeline_count(const struct timeline *timeline, int64_t from_ns, int64_t to_ns,
                    struct timeline_count *ret)
{
    unsigned from = find_behind(timeline, from_ns), to = find_behind(timeline, to_ns - 1);
    if (from == 0 || to == timeline->count)
        return false;
    const struct timeline_point *first = &timeline->points[from - 1], *last = &timeline->points[to];
    if (first->stretch != last->stretch)
        return false;
    int64_t packets = last->packets - first->packets;
    *ret = (struct timeline_count){.packets = packets > 0 ? (unsigned)packets : 0,
                                   .span_ns = last->at_ns - first->at_ns,
                                   .lost = last->lost - first->lost};
    return true;
}
