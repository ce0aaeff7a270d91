#include "netio/sim/queue.h"

#include <stdlib.h>

static bool earlier(const struct sim_arrival *a, const struct sim_arrival *b)
{
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->serial < b->serial;
}

static bool has_room(struct sim_queue *queue)
{
    if (queue->len < queue->capacity)
        return true;
    size_t capacity = queue->capacity ? 2 * queue->capacity : 1024;
    struct sim_arrival **heap = reallocarray(queue->heap, capacity, sizeof *heap);
    if (!heap)
        return false;
    queue->heap = heap;
    queue->capacity = capacity;
    return true;
}

void sim_queue_add(struct sim_queue *queue, const struct sim_arrival *what, int64_t time_ns)
{
    struct sim_arrival *arrival = has_room(queue) ? malloc(sizeof *arrival) : NULL;
    if (!arrival)
        return;
    *arrival = *what;
    arrival->time_ns = time_ns;
    arrival->serial = queue->serial++;
    size_t i = queue->len++;
    for (; i > 0 && earlier(arrival, queue->heap[(i - 1) / 2]); i = (i - 1) / 2)
        queue->heap[i] = queue->heap[(i - 1) / 2];
    queue->heap[i] = arrival;
}

int64_t sim_queue_next_ns(const struct sim_queue *queue)
{
    return queue->len ? queue->heap[0]->time_ns : TIME_NEVER;
}

struct sim_arrival *sim_queue_take(struct sim_queue *queue)
{
    struct sim_arrival *top = queue->heap[0];
    struct sim_arrival *last = queue->heap[--queue->len];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < queue->len; i = child) {
        if (child + 1 < queue->len && earlier(queue->heap[child + 1], queue->heap[child]))
            child++;
        if (!earlier(queue->heap[child], last))
            break;
        queue->heap[i] = queue->heap[child];
    }
    if (queue->len)
        queue->heap[i] = last;
    return top;
}

void sim_queue_done(struct sim_queue *queue)
{
    while (queue->len)
        free(sim_queue_take(queue));
    free(queue->heap);
}
