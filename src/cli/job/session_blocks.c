#include "cli/job/session_blocks.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bitset.h"
#include "engine/scan_block.h"

struct sorting {
    struct session *session;
    uint64_t *settled; /* a bit for each host that was taken in: finished, or its place is known */
    size_t up_capacity;
};

static int add_block(void *context, const struct store_block *block)
{
    struct engine_resume *resume = context;
    struct resumed_block *blocks = realloc(resume->blocks, (resume->block_count + 1) * sizeof *blocks);
    if (!blocks)
        return -ENOMEM;
    resume->blocks = blocks;
    blocks[resume->block_count++] = (struct resumed_block){.id = (uint32_t)block->id,
                                                           .kind = (uint8_t)block->kind,
                                                           .tries = (uint8_t)block->tries,
                                                           .next = block->next};
    return 0;
}

static int compare_ids(const void *key, const void *element)
{
    uint64_t id = *(const uint64_t *)key;
    const struct resumed_block *block = element;
    return id < block->id ? -1 : id > block->id;
}

/* NULL: it had only just begun, or is over. */
static struct resumed_block *find_block(const struct engine_resume *resume, uint64_t id)
{
    if (resume->block_count == 0)
        return NULL;
    return bsearch(&id, resume->blocks, resume->block_count, sizeof resume->blocks[0], compare_ids);
}

#define BLOCK_HOSTS_MAX (UINT32_C(1) << 20) /* more than any block of the engine has */

static int add_hosts(void *context, uint64_t id, uint64_t first, uint64_t last)
{
    struct resumed_block *block = find_block(context, id);
    if (!block)
        return 0;
    uint64_t count = last - first + 1;
    if (count > BLOCK_HOSTS_MAX - block->host_count ||
        (block->host_count && block->hosts[block->host_count - 1] >= first))
        return -EINVAL;
    uint64_t *hosts = realloc(block->hosts, (block->host_count + count) * sizeof *hosts);
    if (!hosts)
        return -ENOMEM;
    block->hosts = hosts;
    for (uint64_t i = 0; i < count; i++)
        hosts[block->host_count++] = first + i;
    return 0;
}

static int add_void(void *context, uint64_t id, uint64_t first, uint64_t last)
{
    struct resumed_block *block = find_block(context, id);
    if (!block)
        return 0;
    struct order_range *voids = realloc(block->voids, (block->void_count + 1) * sizeof *voids);
    if (!voids)
        return -ENOMEM;
    block->voids = voids;
    voids[block->void_count++] = (struct order_range){first, last + 1};
    return 0;
}

static int load_blocks_of(struct session *session, struct error *err)
{
    struct engine_resume *resume = &session->resume;
    struct load_range_sink hosts = {add_hosts, resume};
    struct load_range_sink voids = {add_void, resume};
    int r = load_blocks(session->database, add_block, resume, err);
    if (r == 0)
        r = load_block_hosts(session->database, &session->scan, &hosts, err);
    if (r == 0)
        r = load_block_voids(session->database, &voids, err);
    for (size_t i = 0; i < resume->block_count && r == 0; i++) {
        resume->blocks[i].open = calloc(resume->blocks[i].host_count + 1, sizeof(bool));
        r = resume->blocks[i].open ? 0 : -ENOMEM;
    }
    return r;
}

static int settle_range(void *context, uint64_t key, uint64_t first, uint64_t last)
{
    const struct sorting *sorting = context;
    (void)key;
    for (uint64_t i = first; i <= last && i < sorting->session->resume.next_host; i++)
        bitset_set(sorting->settled, i);
    return 0;
}

static int compare_positions(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool find_slot(const struct resumed_block *block, uint64_t position, uint32_t *ret)
{
    const uint64_t *found = block->host_count ? bsearch(&position, block->hosts, block->host_count,
                                                        sizeof position, compare_positions)
                                              : NULL;
    if (found)
        *ret = (uint32_t)(found - block->hosts);
    return found;
}

static uint8_t limited_rank(const struct port_result *port)
{
    bool own = port->source.family == ADDR_NONE;
    return (uint8_t)(own ? rank_of_limited((enum reason)port->reason) : RANK_SILENCE);
}

static int add_answers(struct resumed_block *block, uint32_t slot, const struct host_result *host)
{
    size_t count = 0;
    for (uint32_t i = 0; i < host->port_count; i++)
        count += host->ports[i].state != PORT_UNKNOWN;
    if (count == 0)
        return 0;
    struct resumed_answer *answers = realloc(block->answers, (block->answer_count + count) * sizeof *answers);
    if (!answers)
        return -ENOMEM;
    block->answers = answers;
    for (uint32_t i = 0; i < host->port_count; i++) {
        const struct port_result *port = &host->ports[i];
        if (port->state != PORT_UNKNOWN)
            answers[block->answer_count++] = (struct resumed_answer){.slot = slot,
                                                                     .port = port->port,
                                                                     .protocol = port->protocol,
                                                                     .tries = port->tries,
                                                                     .limited = limited_rank(port),
                                                                     .open = port->state == PORT_OPEN};
    }
    return 0;
}

static int add_up(struct sorting *sorting, uint64_t position)
{
    struct engine_resume *resume = &sorting->session->resume;
    if (resume->up_count == sorting->up_capacity) {
        size_t capacity = sorting->up_capacity ? 2 * sorting->up_capacity : 1024;
        uint64_t *up = realloc(sorting->session->up, capacity * sizeof *up);
        if (!up)
            return -ENOMEM;
        sorting->session->up = up;
        sorting->up_capacity = capacity;
        resume->up = up;
    }
    sorting->session->up[resume->up_count++] = position;
    return 0;
}

/* A host that was found up: it goes on in the latest block it was in, or waits for one. */
static int sort_scanning(void *context, const struct host_result *host, enum host_progress progress)
{
    struct sorting *sorting = context;
    struct engine_resume *resume = &sorting->session->resume;
    uint64_t index;
    (void)progress;
    settle_range(sorting, 0, host->position, host->position);
    if (!host->up || addr_set_find(&sorting->session->excluded, &host->addr, &index))
        return 0;
    for (size_t i = resume->block_count; i-- > 0;) {
        struct resumed_block *block = &resume->blocks[i];
        uint32_t slot = 0;
        if (block->kind != BLOCK_PORTS || !find_slot(block, host->position, &slot))
            continue;
        block->open[slot] = true;
        return add_answers(block, slot, host);
    }
    return add_up(sorting, host->position);
}

/* Hosts that discovery had not found yet. */
static void sort_discovery(struct sorting *sorting)
{
    struct session *session = sorting->session;
    for (size_t i = session->resume.block_count; i-- > 0;) {
        struct resumed_block *block = &session->resume.blocks[i];
        for (uint32_t slot = 0; slot < block->host_count && block->kind != BLOCK_PORTS; slot++) {
            uint64_t position = block->hosts[slot];
            if (position >= session->resume.next_host || bitset_get(sorting->settled, position))
                continue;
            struct addr host = plan_host_at(session->scan.plan, position);
            uint64_t index;
            block->open[slot] = !addr_set_find(&session->excluded, &host, &index);
            bitset_set(sorting->settled, position);
        }
    }
}

static int sort_rest(struct sorting *sorting)
{
    struct session *session = sorting->session;
    struct engine_resume *resume = &session->resume;
    for (unsigned pass = 0; pass < 2; pass++) {
        resume->again_count = 0;
        for (uint64_t i = 0; i < resume->next_host; i++) {
            if (bitset_get(sorting->settled, i))
                continue;
            if (pass == 1)
                session->again[resume->again_count] = i;
            resume->again_count++;
        }
        if (pass == 0)
            session->again = calloc(resume->again_count + 1, sizeof *session->again);
        if (!session->again)
            return -ENOMEM;
    }
    resume->again = session->again;
    return 0;
}

/* Blocks of which nobody is left. */
static void drop_empty_blocks(struct engine_resume *resume)
{
    size_t kept = 0;
    for (size_t i = 0; i < resume->block_count; i++) {
        struct resumed_block *block = &resume->blocks[i];
        bool any = false;
        for (uint32_t slot = 0; slot < block->host_count && !any; slot++)
            any = block->open[slot];
        if (any) {
            resume->blocks[kept++] = *block;
            continue;
        }
        free(block->hosts);
        free(block->open);
        free(block->answers);
        free(block->voids);
    }
    resume->block_count = kept;
}

int session_blocks_load(struct session *session, struct error *err)
{
    struct engine_resume *resume = &session->resume;
    struct sorting sorting = {.session = session};
    struct load_range_sink finished = {settle_range, &sorting};
    struct load_host_sink scanning = {sort_scanning, &sorting};
    resume->next_host = session->scan.progress.next_position;
    resume->excluded = &session->excluded;
    sorting.settled = calloc(bitset_words(resume->next_host) + 1, sizeof *sorting.settled);
    int r = sorting.settled ? 0 : -ENOMEM;
    if (r == 0)
        r = load_blocks_of(session, err);
    if (r == 0)
        r = load_finished(session->database, &session->scan, &finished, err);
    if (r == 0)
        r = load_hosts(session->database, &session->scan, LOAD_SCANNING, &scanning, err);
    if (r == 0) {
        sort_discovery(&sorting);
        r = sort_rest(&sorting);
    }
    if (r == 0)
        drop_empty_blocks(resume);
    free(sorting.settled);
    if (r == -ENOMEM)
        return error_set(err, EX_OSERR, "out of memory");
    return r == -EINVAL ? error_set(err, EX_DATAERR, "the store is damaged: the hosts of a block") : r;
}

void session_blocks_done(struct engine_resume *resume)
{
    for (size_t i = 0; i < resume->block_count; i++) {
        free(resume->blocks[i].hosts);
        free(resume->blocks[i].open);
        free(resume->blocks[i].answers);
        free(resume->blocks[i].voids);
    }
    free(resume->blocks);
}
