/* Hosts in: from the plan through discovery into blocks. Hosts wait in a room for each kind of block; a room
 * becomes a block when it is full, when nothing else is being sent, or, with hosts to ask for ports, when a
 * sweep of discovery is over. */
#include <errno.h>
#include <stdlib.h>

#include "engine/internal.h"
#include "technique/rows.h"

/* Hosts looked at in one turn, so that a turn stays short. */
#define INTAKE_HOSTS_PER_TURN 4096

/* Who is found late becomes a block at once, while blocks are so few: they are needed for limited hosts,
 * too. */
#define LATE_BLOCKS_MAX 64

/* What is known of so many hosts stays in the caches of a processor while they are asked. More are in a block
 * only if it would have so few probes that its accounts cost more. */
#define HOSTS_IN_CACHE (UINT32_C(1) << 12)
#define PROBES_ENOUGH  (UINT64_C(1) << 15)

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint32_t block_capacity(uint32_t spec_count)
{
    uint64_t most = smaller(ENGINE_BLOCK_PROBES_MAX / spec_count, ENGINE_BLOCK_HOSTS_MAX);
    uint64_t enough = PROBES_ENOUGH / spec_count;
    uint64_t capacity = smaller(most, enough > HOSTS_IN_CACHE ? enough : HOSTS_IN_CACHE);
    return capacity ? (uint32_t)capacity : 1;
}

static int room_init(struct waiting_room *room, uint32_t spec_count)
{
    if (spec_count == 0)
        return 0;
    room->capacity = block_capacity(spec_count);
    room->hosts = calloc(room->capacity, sizeof *room->hosts);
    return room->hosts ? 0 : -ENOMEM;
}

static void room_done(struct waiting_room *room)
{
    free(room->hosts);
    *room = (struct waiting_room){0};
}

/* The specs for hosts on link are one kind, all others another. */
static void split_discovery(struct engine *engine)
{
    const uint32_t capacity = sizeof engine->ping_specs / sizeof engine->ping_specs[0];
    for (uint32_t i = 0; i < engine->config.discovery_count; i++) {
        const struct probe_spec *spec = &engine->config.discovery[i];
        if (spec->technique->kind == REQUEST_NEIGHBOR) {
            engine->neighbor_spec = *spec;
            engine->has_neighbor_spec = engine->io->ops->can(engine->io, REQUEST_NEIGHBOR);
        } else if (engine->ping_spec_count < capacity) {
            engine->ping_specs[engine->ping_spec_count++] = *spec;
        }
    }
}

static int copy_specs(struct engine *engine)
{
    uint32_t count = engine->config.spec_count;
    engine->port_specs = calloc((size_t)count + 1, sizeof *engine->port_specs);
    if (!engine->port_specs)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        engine->port_specs[i] = engine->config.specs[i];
    engine->port_specs[count] = (struct probe_spec){&technique_ping_echo, 0};
    return 0;
}

int intake_init(struct engine *engine, struct error *err)
{
    split_discovery(engine);
    int result = copy_specs(engine) | room_init(&engine->neighbor_room, 1) |
                 room_init(&engine->ping_room, engine->ping_spec_count);
    for (unsigned i = 0; i < SPEED_CLASS_COUNT; i++)
        result |= room_init(&engine->port_rooms[i], engine->config.spec_count);
    return result ? error_set(err, EX_OSERR, "not enough memory for the tables of the scan") : 0;
}

void intake_done(struct engine *engine)
{
    room_done(&engine->neighbor_room);
    room_done(&engine->ping_room);
    for (unsigned i = 0; i < SPEED_CLASS_COUNT; i++)
        room_done(&engine->port_rooms[i]);
}

static void divide_room(struct engine *engine, struct waiting_room *room, unsigned from, unsigned to)
{
    const struct network *network = &engine->parts[to].network;
    for (uint32_t i = 0; i < room->count; i++) {
        struct waiting_host *waiting = &room->hosts[i];
        struct addr host = plan_host_at(engine->config.plan, waiting->position);
        if (waiting->path == from && network_contains(network, &host))
            waiting->path = to;
    }
    room->last = 0; /* who is last is another */
}

void intake_divide(struct engine *engine, unsigned from, unsigned to)
{
    divide_room(engine, &engine->ping_room, from, to);
    for (unsigned i = 0; i < SPEED_CLASS_COUNT; i++)
        divide_room(engine, &engine->port_rooms[i], from, to);
}

static bool room_is_full(const struct waiting_room *room)
{
    return room->count == room->capacity;
}

static void room_add(struct waiting_room *room, uint64_t position, uint32_t record, unsigned path)
{
    room->hosts[room->count++] = (struct waiting_host){position, record, path};
    room->last = 0;
}

static enum speed_class speed_of(const struct engine *engine, uint32_t record)
{
    if (record == HOST_RECORD_NONE)
        return SPEED_USUAL;
    int64_t rto_ns = engine->hosts.records[record].rtt.rto_ns;
    return rto_ns <= 100 * MSEC ? SPEED_FAST : rto_ns <= SEC ? SPEED_USUAL : SPEED_SLOW;
}

void intake_host_is_up(struct scan_block *scan_block, uint32_t slot)
{
    scan_block->up_slots[scan_block->up_count++] = slot;
}

/* A host that is up: its ports are next, if any are asked for. */
static void go_on_to_ports(struct engine *engine, uint64_t position, uint32_t record, unsigned path)
{
    struct addr host = plan_host_at(engine->config.plan, position);
    if (engine->config.spec_count == 0) {
        emit_host_done(engine, &host, host_table_get(&engine->hosts, record), 0, 0);
        host_table_give_back(&engine->hosts, record);
        return;
    }
    room_add(&engine->port_rooms[speed_of(engine, record)], position, record,
             divide_find(engine, path, &host));
}

static void take_as_up(struct engine *engine, uint64_t position, const struct addr *host, enum reason reason)
{
    struct verdict verdict = {.state = PORT_OPEN, .reason = (uint8_t)reason};
    emit_host_up(engine, host, &verdict, 0);
    go_on_to_ports(engine, position, HOST_RECORD_NONE, paths_find(engine, host));
}

/* Decide what a new host waits for. */
static void take_in(struct engine *engine, uint64_t position)
{
    struct addr host = plan_host_at(engine->config.plan, position);
    const struct engine_resume *resume = engine->config.resume;
    uint64_t index;
    if (resume && resume->excluded && addr_set_find(resume->excluded, &host, &index))
        return;
    switch (engine->io->ops->reach(engine->io, &host)) {
    case REACH_NONE:
        emit_host_down(engine, &host, REASON_NO_ROUTE);
        return;
    case REACH_LOCAL:
        take_as_up(engine, position, &host, REASON_LOCALHOST_RESPONSE);
        return;
    case REACH_LINK:
        if (engine->has_neighbor_spec) {
            room_add(&engine->neighbor_room, position, HOST_RECORD_NONE, paths_find(engine, &host));
            return;
        }
        break;
    case REACH_ROUTED:
        break;
    }
    if (engine->config.assume_up || engine->ping_spec_count == 0)
        take_as_up(engine, position, &host, REASON_USER_SET);
    else
        room_add(&engine->ping_room, position, HOST_RECORD_NONE, paths_find(engine, &host));
}

static bool any_room_is_full(const struct engine *engine)
{
    bool full =
        room_is_full(&engine->neighbor_room) || (engine->ping_spec_count && room_is_full(&engine->ping_room));
    for (unsigned i = 0; i < SPEED_CLASS_COUNT; i++)
        full |= engine->config.spec_count && room_is_full(&engine->port_rooms[i]);
    return full;
}

static int by_path_and_position(const void *a, const void *b)
{
    const struct waiting_host *x = a, *y = b;
    if (x->path != y->path)
        return x->path < y->path ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

static uint32_t count_last(const struct waiting_room *room)
{
    uint32_t first = room->count - 1;
    while (first > 0 && room->hosts[first - 1].path == room->hosts[first].path)
        first--;
    return room->count - first;
}

static bool asks_ports(const struct engine *engine)
{
    for (unsigned i = 0; i < engine->block_count; i++)
        if (engine->blocks[i]->kind == BLOCK_PORTS && engine->blocks[i]->phase == PHASE_SWEEP)
            return true;
    return false;
}

/* Make blocks of everybody in the room, one for each path. Without memory or room for one more the hosts wait
 * on. */
static void empty_room(struct engine *engine, struct waiting_room *room, enum block_kind kind)
{
    if (room->count == 0)
        return;
    bool is_late = kind == BLOCK_PORTS && !room_is_full(room) && asks_ports(engine);
    /* Where there is no room for one more block, this is tried again at each turn: what is known by then is
     * not found out anew. */
    if (!room->last)
        qsort(room->hosts, room->count, sizeof room->hosts[0], by_path_and_position);
    while (room->count) {
        if (!room->last)
            room->last = count_last(room);
        uint32_t first = room->count - room->last;
        struct scan_block *scan_block = blocks_make(engine, kind, &room->hosts[first], room->last);
        if (!scan_block)
            return;
        scan_block->is_late = is_late;
        path_add_hosts(path_of(engine, scan_block), room->last);
        division_forget(&engine->parts[scan_block->path].division, DIVISION_TRIES_REMEMBERED);
        room->count = first;
        room->last = 0;
    }
}

/* Neighbours answer within milliseconds: those that were just asked for are waited for, so that their ports
 * are asked together. */
static bool awaits_neighbors(const struct scan_block *scan_block)
{
    return scan_block->kind == BLOCK_NEIGHBOR && scan_block->sweep == 0 && scan_block->open_hosts > 0;
}

static bool anything_to_send(const struct engine *engine)
{
    for (unsigned i = 0; i < engine->block_count; i++)
        if (engine->blocks[i]->phase == PHASE_SWEEP || engine->blocks[i]->phase == PHASE_CANARY ||
            awaits_neighbors(engine->blocks[i]))
            return true;
    return false;
}

static void empty_port_rooms(struct engine *engine, bool only_full)
{
    for (unsigned i = 0; i < SPEED_CLASS_COUNT; i++)
        if (!only_full || room_is_full(&engine->port_rooms[i]))
            empty_room(engine, &engine->port_rooms[i], BLOCK_PORTS);
}

static void empty_rooms(struct engine *engine, bool only_full)
{
    empty_port_rooms(engine, only_full);
    if (!only_full || room_is_full(&engine->ping_room))
        empty_room(engine, &engine->ping_room, BLOCK_PING);
    if (!only_full || room_is_full(&engine->neighbor_room))
        empty_room(engine, &engine->neighbor_room, BLOCK_NEIGHBOR);
}

/* Hosts that discovery found up move on as far as there is room for them. */
static void move_up_hosts(struct engine *engine, struct scan_block *scan_block)
{
    while (scan_block->up_moved < scan_block->up_count) {
        struct host_slot *slot = &scan_block->slots[scan_block->up_slots[scan_block->up_moved]];
        if (engine->config.spec_count && room_is_full(&engine->port_rooms[speed_of(engine, slot->record)]))
            return;
        go_on_to_ports(engine, scan_block->hosts[scan_block->up_slots[scan_block->up_moved]], slot->record,
                       scan_block->path);
        slot->record = HOST_RECORD_NONE; /* it went along */
        scan_block->up_moved++;
    }
}

/* Hosts of an interrupted scan whose block there was no room for. */
static bool next_lost(struct engine *engine, uint64_t *ret)
{
    const struct engine_resume *resume = engine->config.resume;
    while (engine->lost_block < resume->block_count) {
        const struct resumed_block *block = &resume->blocks[engine->lost_block];
        while (block->lost && engine->lost_slot < block->host_count) {
            uint32_t slot = engine->lost_slot++;
            *ret = block->hosts[slot];
            if (block->open[slot])
                return true;
        }
        engine->lost_block++;
        engine->lost_slot = 0;
    }
    return false;
}

/* Those, and what was in no block, go before the hosts that it had not come to. */
static bool next_position(struct engine *engine, uint64_t *ret)
{
    const struct engine_resume *resume = engine->config.resume;
    if (resume && next_lost(engine, ret))
        return true;
    if (resume && engine->again_taken < resume->again_count)
        *ret = resume->again[engine->again_taken++];
    else if (engine->next_host < engine->config.plan->host_count)
        *ret = engine->next_host++;
    else
        return false;
    return true;
}

static bool any_resumed_left(const struct engine *engine)
{
    const struct engine_resume *resume = engine->config.resume;
    return resume && (engine->again_taken < resume->again_count || engine->up_taken < resume->up_count ||
                      engine->lost_block < resume->block_count);
}

/* Likewise those that had been found up. */
static void move_resumed_hosts(struct engine *engine)
{
    const struct engine_resume *resume = engine->config.resume;
    while (resume && engine->up_taken < resume->up_count) {
        if (engine->config.spec_count && room_is_full(&engine->port_rooms[SPEED_USUAL]))
            return;
        uint64_t position = resume->up[engine->up_taken++];
        struct addr host = plan_host_at(engine->config.plan, position);
        go_on_to_ports(engine, position, HOST_RECORD_NONE, paths_find(engine, &host));
    }
}

void intake_restore(struct engine *engine)
{
    const struct engine_resume *resume = engine->config.resume;
    engine->next_host = resume->next_host;
    engine->restored = true;
    for (size_t i = 0; i < resume->block_count; i++)
        resume->blocks[i].lost = !restore_block(engine, &resume->blocks[i]);
}

void intake_run(struct engine *engine)
{
    move_resumed_hosts(engine);
    for (unsigned i = 0; i < engine->block_count; i++)
        move_up_hosts(engine, engine->blocks[i]);
    uint64_t position;
    checkpoint_intake(engine, INTAKE_HOSTS_PER_TURN);
    for (unsigned taken = 0; taken < INTAKE_HOSTS_PER_TURN; taken++) {
        if (any_room_is_full(engine))
            empty_rooms(engine, true);
        if (any_room_is_full(engine) || !next_position(engine, &position))
            break; /* no block can be made now, or nobody is left */
        take_in(engine, position);
    }
    empty_rooms(engine, true);
    if (!anything_to_send(engine))
        empty_rooms(engine, false);
    else if (engine->has_swept && engine->block_count < LATE_BLOCKS_MAX)
        empty_port_rooms(engine, false);
    engine->has_swept = false;
}

bool intake_is_empty(const struct engine *engine)
{
    uint32_t waiting = engine->neighbor_room.count + engine->ping_room.count;
    for (unsigned i = 0; i < SPEED_CLASS_COUNT; i++)
        waiting += engine->port_rooms[i].count;
    for (unsigned i = 0; i < engine->block_count; i++)
        waiting += engine->blocks[i]->up_count - engine->blocks[i]->up_moved;
    return engine->next_host == engine->config.plan->host_count && waiting == 0 && !any_resumed_left(engine);
}
