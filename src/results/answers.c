#include "results/answers.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bitset.h"
#include "base/time.h"

#define LIST_CAPACITY_FIRST 8
#define SMALL_PORT_COUNT    16 /* up to here one place per port costs no more than a list */

static_assert(sizeof(struct answer) == 16, "an answer costs 16 bytes");
static_assert(REASON_COUNT <= 1 << ANSWER_REASON_BITS, "every reason fits");
static_assert(CONFIRMATION_COUNT <= 1 << 3, "every confirmation fits");
static_assert(PORT_STATE_COUNT <= 1 << 3, "every state fits");

#define TIME_MAX_US ((UINT64_C(1) << ANSWER_TIME_BITS) - 1)
#define RTT_MAX_US  ((UINT64_C(1) << ANSWER_RTT_BITS) - 1)

static uint64_t at_most(uint64_t value, uint64_t limit)
{
    return value < limit ? value : limit;
}

struct answer answer_pack(const struct record *record, uint32_t index, int64_t start_ns, uint8_t source)
{
    int64_t since_ns = record->time_ns > start_ns ? record->time_ns - start_ns : 0;
    uint64_t rtt_us = (uint64_t)(record->rtt_ns / USEC) + (record->rtt_ns % USEC != 0);
    return (struct answer){
        .index = index & ((1u << ANSWER_INDEX_BITS) - 1),
        .time_us = at_most((uint64_t)(since_ns / USEC), TIME_MAX_US) & TIME_MAX_US,
        .present = 1,
        .rtt_us = at_most(rtt_us, RTT_MAX_US) & RTT_MAX_US,
        .ttl = record->ttl,
        .tries = record->tries,
        .reason = record->reason & ((1u << ANSWER_REASON_BITS) - 1),
        .state = record->state & 7u,
        .weak = (record->flags & RECORD_WEAK) != 0,
        .source = source,
    };
}

void answer_unpack(const struct answer *answer, int64_t start_ns, struct port_result *ret)
{
    ret->state = answer->state;
    ret->reason = answer->reason;
    ret->ttl = (uint8_t)answer->ttl;
    ret->tries = (uint8_t)answer->tries;
    ret->flags = answer->weak ? RECORD_WEAK : 0;
    ret->time_ns = start_ns + (int64_t)answer->time_us * USEC;
    ret->rtt_ns = (int64_t)answer->rtt_us * USEC;
    ret->confirmation = answer->confirmation;
}

static bool one_place_per_port(const struct answers *answers, const struct answer_space *space)
{
    return answers->list && answers->capacity == space->port_count;
}

/* From a list, or from nothing, to one place per port. */
static int spread(struct answers *answers, const struct answer_space *space)
{
    struct answer *places = calloc(space->port_count, sizeof *places);
    if (!places)
        return -ENOMEM;
    for (uint32_t i = 0; answers->list && i < answers->count; i++)
        places[answers->list[i].index] = answers->list[i];
    free(answers->list);
    *answers = (struct answers){.list = places, .count = space->port_count, .capacity = space->port_count};
    return 0;
}

/* Drop the entries that a later one of the same port has replaced; the others keep their order. */
static void drop_replaced(struct answers *answers, const struct answer_space *space)
{
    uint32_t kept = answers->count;
    for (uint32_t i = answers->count; i-- > 0;) {
        uint32_t index = answers->list[i].index;
        if (bitset_get(space->seen, index))
            continue;
        bitset_set(space->seen, index);
        answers->list[--kept] = answers->list[i];
    }
    answers->count -= kept;
    memmove(answers->list, answers->list + kept, answers->count * sizeof *answers->list);
    for (uint32_t i = 0; i < answers->count; i++)
        bitset_clear(space->seen, answers->list[i].index);
}

static int make_room(struct answers *answers, const struct answer_space *space)
{
    if (answers->count)
        drop_replaced(answers, space);
    if (answers->list && answers->count <= answers->capacity / 2)
        return 0;

    uint32_t capacity = answers->list ? answers->capacity * 2 : LIST_CAPACITY_FIRST;
    if (capacity >= space->port_count || space->port_count <= SMALL_PORT_COUNT)
        return spread(answers, space);
    struct answer *list = realloc(answers->list, capacity * sizeof *list);
    if (!list)
        return -ENOMEM;
    answers->list = list;
    answers->capacity = capacity;
    return 0;
}

int answers_put(struct answers *answers, const struct answer_space *space, struct answer answer)
{
    assert(answer.index < space->port_count);
    if (!one_place_per_port(answers, space) && answers->count == answers->capacity) {
        int error = make_room(answers, space);
        if (error)
            return error;
    }
    if (one_place_per_port(answers, space))
        answers->list[answer.index] = answer;
    else
        answers->list[answers->count++] = answer;
    return 0;
}

bool answers_confirm(struct answers *answers, const struct answer_space *space, uint32_t index,
                     enum confirmation confirmation)
{
    uint32_t at = index;
    if (!one_place_per_port(answers, space)) {
        at = answers->count;
        while (at > 0 && answers->list[at - 1].index != index)
            at--;
        if (at-- == 0)
            return false;
    }
    if (!answers->list[at].present)
        return false;
    answers->list[at].confirmation = confirmation & 7u;
    return true;
}

void answers_done(struct answers *answers)
{
    free(answers->list);
    *answers = (struct answers){0};
}
