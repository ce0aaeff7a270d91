#include "keeper.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/scan_block.h"

/* What the log says of one host. */
struct kept_host {
    bool up, done;
    struct resumed_block *block; /* the latest that it is in; NULL: none */
    uint32_t slot;
};

/* Room for one more: it doubles whenever the count has come to a power of two. */
static void *make_room(void *memory, size_t count, size_t size)
{
    if (count & (count - 1))
        return memory;
    void *larger = reallocarray(memory, count ? 2 * count : 1, size);
    assert(larger);
    return larger;
}

void keeper_take(void *context, const struct record *record)
{
    struct keeper *keeper = context;
    if (record->time_ns >= keeper->next_state_ns) {
        keeper->state_count = keeper->count;
        keeper->next_state_ns = record->time_ns + keeper->period_ns;
    }
    keeper->log = make_room(keeper->log, keeper->count, sizeof *keeper->log);
    keeper->log[keeper->count++] = *record;
}

static struct resumed_block *find_block(struct engine_resume *resume, uint64_t id)
{
    for (size_t i = 0; i < resume->block_count; i++) {
        if (resume->blocks[i].id == id)
            return &resume->blocks[i];
    }
    return NULL;
}

static void add_hosts(struct engine_resume *resume, const struct record *record)
{
    const uint64_t *value = record->value;
    struct resumed_block *block = find_block(resume, value[CHECKPOINT_ID]);
    if (!block) {
        resume->blocks = make_room(resume->blocks, resume->block_count, sizeof *resume->blocks);
        block = &resume->blocks[resume->block_count++];
        *block = (struct resumed_block){.id = (uint32_t)value[CHECKPOINT_ID],
                                        .kind = (uint8_t)value[CHECKPOINT_KIND]};
    }
    for (uint64_t host = value[CHECKPOINT_FIRST]; host < value[CHECKPOINT_END]; host++) {
        block->hosts = make_room(block->hosts, block->host_count, sizeof *block->hosts);
        block->hosts[block->host_count++] = host;
    }
}

static void set_state(struct resumed_block *block, const struct record *record)
{
    assert(block);
    block->tries = (uint8_t)record->value[CHECKPOINT_TRIES];
    block->next = record->value[CHECKPOINT_FIRST];
    block->void_count = 0;
}

static void add_void(struct resumed_block *block, const struct record *record)
{
    assert(block);
    block->voids = make_room(block->voids, block->void_count, sizeof *block->voids);
    block->voids[block->void_count++] =
        (struct order_range){record->value[CHECKPOINT_FIRST], record->value[CHECKPOINT_END]};
}

static void free_block(struct resumed_block *block)
{
    free(block->hosts);
    free(block->open);
    free(block->answers);
    free(block->voids);
}

static void remove_block(struct engine_resume *resume, uint64_t id)
{
    struct resumed_block *block = find_block(resume, id);
    assert(block);
    free_block(block);
    size_t behind = (size_t)(&resume->blocks[--resume->block_count] - block);
    memmove(block, block + 1, behind * sizeof *block);
}

static void replay_block(struct engine_resume *resume, const struct record *record)
{
    uint64_t id = record->value[CHECKPOINT_ID];
    if (record->type == RECORD_INTAKE)
        resume->next_host = record->value[CHECKPOINT_FIRST];
    else if (record->type == RECORD_BLOCK_HOSTS)
        add_hosts(resume, record);
    else if (record->type == RECORD_BLOCK)
        set_state(find_block(resume, id), record);
    else if (record->type == RECORD_BLOCK_VOID)
        add_void(find_block(resume, id), record);
    else if (record->type == RECORD_BLOCK_END)
        remove_block(resume, id);
}

static uint8_t limited_rank(const struct record *record)
{
    bool own = record->source.family == ADDR_NONE;
    return (uint8_t)(own ? rank_of_limited((enum reason)record->reason) : RANK_SILENCE);
}

static void add_answer(struct kept_host *host, const struct record *record)
{
    struct resumed_block *block = host->block;
    if (host->done || !block)
        return;
    block->answers = make_room(block->answers, block->answer_count, sizeof *block->answers);
    block->answers[block->answer_count++] = (struct resumed_answer){.slot = host->slot,
                                                                    .port = record->port,
                                                                    .protocol = record->protocol,
                                                                    .tries = record->tries,
                                                                    .limited = limited_rank(record),
                                                                    .open = record->state == PORT_OPEN};
}

static void place_hosts(struct engine_resume *resume, struct kept_host *hosts)
{
    for (size_t i = 0; i < resume->block_count; i++) {
        struct resumed_block *block = &resume->blocks[i];
        block->open = calloc((size_t)block->host_count + 1, sizeof *block->open);
        assert(block->open);
        for (uint32_t slot = 0; slot < block->host_count; slot++) {
            struct kept_host *host = &hosts[block->hosts[slot]];
            if (host->done)
                continue;
            if (host->block)
                host->block->open[host->slot] = false;
            host->block = block;
            host->slot = slot;
            block->open[slot] = true;
        }
    }
}

/* Hosts that were taken in and are in no block. */
static void list_others(struct keeper *keeper, const struct kept_host *hosts)
{
    struct engine_resume *resume = &keeper->resume;
    uint64_t *again = calloc(resume->next_host + 1, sizeof *again);
    uint64_t *up = calloc(resume->next_host + 1, sizeof *up);
    assert(again && up);
    for (uint64_t i = 0; i < resume->next_host; i++) {
        if (hosts[i].done || hosts[i].block)
            continue;
        if (hosts[i].up)
            up[resume->up_count++] = i;
        else
            again[resume->again_count++] = i;
    }
    resume->again = keeper->again = again;
    resume->up = keeper->up = up;
}

static struct kept_host *host_of(struct kept_host *hosts, const struct plan *plan,
                                 const struct record *record)
{
    uint64_t position = 0;
    bool known = plan_host_find(plan, &record->host, &position);
    assert(known);
    return &hosts[position];
}

const struct engine_resume *keeper_resume(struct keeper *keeper, const struct plan *plan)
{
    struct kept_host *hosts = calloc(plan->host_count, sizeof *hosts);
    assert(hosts);
    for (size_t i = 0; i < keeper->state_count; i++) {
        const struct record *record = &keeper->log[i];
        if (record->type == RECORD_HOST_UP)
            host_of(hosts, plan, record)->up = true;
        else if (record->type == RECORD_HOST_DONE)
            host_of(hosts, plan, record)->done = true;
        else if (!record_names_host(record))
            replay_block(&keeper->resume, record);
    }
    place_hosts(&keeper->resume, hosts);
    for (size_t i = 0; i < keeper->state_count; i++) {
        if (keeper->log[i].type == RECORD_PORT)
            add_answer(host_of(hosts, plan, &keeper->log[i]), &keeper->log[i]);
    }
    list_others(keeper, hosts);
    free(hosts);
    return &keeper->resume;
}

static void merge_port(struct seen_port *port, const struct record *record)
{
    if (port->reports > 0)
        return;
    port->state = record->state;
    port->reason = record->reason;
    port->reports = 1;
}

static void merge_silent(const struct scenario *scenario, struct seen_host *host)
{
    for (unsigned i = 0; i <= (unsigned)(scenario->last_port - scenario->first_port); i++) {
        if (host->ports[i].reports == 0)
            host->ports[i].state = scenario->technique->silent_state;
    }
}

void keeper_merge(const struct keeper *keeper, struct scenario *scenario)
{
    for (size_t i = 0; i < keeper->state_count; i++) {
        const struct record *record = &keeper->log[i];
        uint64_t position = 0;
        if (!plan_host_find(scenario->plan, &record->host, &position))
            continue;
        struct seen_host *host = &scenario->hosts[position];
        if (record->type == RECORD_PORT)
            merge_port(&host->ports[record->port - scenario->first_port], record);
        else if (record->type == RECORD_HOST_DONE)
            merge_silent(scenario, host);
    }
}

bool keeper_limited(const struct keeper *keeper)
{
    bool limited = false;
    for (size_t i = 0; i < keeper->state_count; i++)
        limited |= keeper->log[i].type == RECORD_NOTE && keeper->log[i].note == NOTE_LIMITED;
    return limited;
}

void keeper_done(struct keeper *keeper)
{
    struct engine_resume *resume = &keeper->resume;
    for (size_t i = 0; i < resume->block_count; i++)
        free_block(&resume->blocks[i]);
    free(resume->blocks);
    free(keeper->again);
    free(keeper->up);
    free(keeper->log);
    *keeper = (struct keeper){.log = NULL};
}
