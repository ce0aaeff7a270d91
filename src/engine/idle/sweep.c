/* The search for the lag, while no open port is known: blocks of ports are sent to one after the other, and
 * again in another order, while questions to the zombie tell all the time how much it sends. search.c says
 * what follows. */
#include "engine/idle/internal.h"

#include <math.h>

#define BLOCK_PORTS      8 /* that can be told apart by when they show, on any way */
#define BLOCK_PORTS_MAX  16
#define BLOCK_SHARE      0.25        /* of the time in which answers show: sending may take so long */
#define BLOCK_NS         (10 * MSEC) /* and never longer */
#define BURST_PROBES_MAX 64
#define BLOCKS_AT_ONCE   32
#define PENDING_MAX      2  /* shots at a block before what came of the first is known */
#define SHOTS_PER_WIDTH  12 /* at a block of which nothing became clear, then the way may vary more */
#define SHOTS_MAX        64 /* then what is in doubt stays so */
#define ASK_LEAST_NS     (2 * MSEC)
#define LEAST_ASKS       2 /* within the narrowest span */

/* Before anything was looked at, answers of other blocks show in one stretch of fifty. */
#define OTHERS_SHOWN  0.2
#define OTHERS_LOOKED 10.0
#define OTHERS_MOST   0.9
#define UNFORESEEN    0.25 /* of what shows may be nothing that any block explains */

static int64_t guard_ns(const struct idle *idle)
{
    return zombie_jitter_ns(&idle->zombie);
}

/* In which a block's answers show at a lag of this width. */
static int64_t window_ns(const struct idle *idle, unsigned width)
{
    return search_width_ns(&idle->sweep.search, width) + 2 * guard_ns(idle);
}

static void begin(struct idle *idle)
{
    struct sweep *sweep = &idle->sweep;
    int64_t ask_ns = (int64_t)((double)SEC / idle->pacer.rate_pps) * 4;
    int64_t least_ns = LEAST_ASKS * (ask_ns > ASK_LEAST_NS ? ask_ns : ASK_LEAST_NS);
    sweep->ask_every_ns = least_ns / LEAST_ASKS;
    if (least_ns < 2 * guard_ns(idle)) /* the way through the target varies as much as that to the zombie */
        least_ns = guard_ns(idle);
    search_init(&sweep->search, idle->lag.longest, least_ns);
    sweep->signal_copies = sweep->unsent = 0;
    sweep->order_at = sweep->order_count = 0;
    sweep->shot_count = 0;
    sweep->next_ask_ns = sweep->next_weigh_ns = idle->now_ns;
    sweep->next_shot_ns = idle->now_ns + 3 * guard_ns(idle) + 2 * sweep->ask_every_ns;
    sweep->active = true;
}

/* ----- sending
 * ------------------------------------------------------------------------------------------------------- */

static unsigned copies_for(const struct idle *idle, uint32_t ports)
{
    struct group_plan plan = {
        .background = &idle->background,
        .arrival = idle->arrival,
        .rate_pps = idle->pacer.rate_pps,
        .show_ns = window_ns(idle, idle->sweep.search.width),
        .density = port_groups_density(&idle->groups),
        .none_at = GROUP_NONE_AT / 2, /* it is sent to twice in any case */
    };
    return group_plan_copies(&plan, ports);
}

/* Where ways vary much, answers show for long whatever is sent: then there may be more ports in a block. */
static uint32_t block_ports(const struct idle *idle)
{
    double per_port_ns = copies_for(idle, BLOCK_PORTS) / idle->pacer.rate_pps * (double)SEC;
    double many = (double)window_ns(idle, 0) * BLOCK_SHARE / per_port_ns;
    double ports = fmin(fmin(fmax(many, BLOCK_PORTS), BLOCK_PORTS_MAX), (double)BLOCK_NS / per_port_ns);
    return ports < 1 ? 1 : (uint32_t)ports;
}

static void take_blocks(struct idle *idle)
{
    struct search *search = &idle->sweep.search;
    unsigned count = search_block_count(search);
    while (count < BLOCKS_AT_ONCE) {
        uint32_t group =
            port_groups_next(&idle->groups, &idle->rand, GROUP_NIL, false, true, block_ports(idle));
        if (group == GROUP_NIL)
            return;
        search_add(search, group, idle->groups.groups[group].ports.count);
        count++;
    }
}

/* All blocks, in an order of chance, but those whose last shots nothing is known of yet. */
static void begin_sweep(struct idle *idle)
{
    struct sweep *sweep = &idle->sweep;
    take_blocks(idle);
    sweep->order_at = sweep->order_count = 0;
    for (unsigned place = 0; place < SEARCH_BLOCKS_MAX; place++) {
        const struct search_block *block = &sweep->search.blocks[place];
        if (block->group == GROUP_NIL || block->pending >= PENDING_MAX)
            continue;
        unsigned other = (unsigned)rand_below(&idle->rand, ++sweep->order_count);
        sweep->order[sweep->order_count - 1] = sweep->order[other];
        sweep->order[other] = place;
    }
}

/* The next block of the sweep that has not been done with; false: there is none. */
static bool next_block(struct sweep *sweep, unsigned *ret)
{
    while (sweep->order_at < sweep->order_count) {
        unsigned place = sweep->order[sweep->order_at++];
        if (sweep->search.blocks[place].group == GROUP_NIL)
            continue;
        *ret = place;
        return true;
    }
    return false;
}

/* A question that reached the zombie before anything that is sent from now on can show. */
static uint64_t earlier_question(const struct idle *idle)
{
    const struct zombie *zombie = &idle->zombie;
    int64_t before_ns = idle->now_ns - 3 * guard_ns(idle);
    uint64_t serial = zombie->next_serial;
    while (serial > 0 && serial + TIMELINE_MAX > zombie->next_serial &&
           zombie_question(zombie, serial - 1)->sent_ns > before_ns)
        serial--;
    return serial > 4 ? serial - 4 : 0; /* the last of them may get lost */
}

static void begin_shot(struct idle *idle, unsigned place)
{
    struct sweep *sweep = &idle->sweep;
    struct search_block *block = &sweep->search.blocks[place];
    sweep->sending = (struct sweep_shot){
        .place = place,
        .serial = block->serial,
        .question = earlier_question(idle),
        .from_ns = idle->now_ns,
        .copies = copies_for(idle, block->ports),
    };
    block->shots++;
    block->pending++;
    sweep->unsent = block->ports * sweep->sending.copies;
    sweep->port = idle->groups.groups[block->group].ports.first;
}

/* Two blocks that stand as close together in each sweep could not be told apart. */
static void end_shot(struct idle *idle)
{
    struct sweep *sweep = &idle->sweep;
    sweep->sending.to_ns = idle->now_ns;
    sweep->shots[(sweep->shot_first + sweep->shot_count++) % SWEEP_SHOTS_MAX] = sweep->sending;
    int64_t took_ns = idle->now_ns - sweep->sending.from_ns,
            half_ns = window_ns(idle, idle->sweep.search.width) / 2;
    int64_t most_ns = took_ns < half_ns ? 2 * half_ns - took_ns : half_ns;
    sweep->next_shot_ns = idle->now_ns + (int64_t)rand_below(&idle->rand, (uint64_t)most_ns);
}

static void send_shot(struct idle *idle)
{
    struct sweep *sweep = &idle->sweep;
    struct probe probes[BURST_PROBES_MAX];
    const struct search_block *block = &sweep->search.blocks[sweep->sending.place];
    uint32_t allowed = pacer_allowance(&idle->pacer, idle->now_ns), count = 0;
    if (block->serial != sweep->sending.serial || block->group == GROUP_NIL) {
        sweep->unsent = 0; /* done with in the meantime */
        return;
    }
    const struct port_chain *ports = &idle->groups.groups[block->group].ports;
    while (count < sweep->unsent && count < allowed && count < sizeof probes / sizeof probes[0]) {
        probes[count++] = idle_syn(idle, sweep->port);
        sweep->port = sweep->port == ports->last ? ports->first : idle->groups.next[sweep->port];
    }
    idle_send(idle, probes, count);
    sweep->unsent -= count;
    if (sweep->unsent == 0)
        end_shot(idle);
}

static void run_shots(struct idle *idle)
{
    struct sweep *sweep = &idle->sweep;
    unsigned place;
    if (sweep->unsent == 0 && idle->now_ns >= sweep->next_shot_ns && sweep->shot_count < SWEEP_SHOTS_MAX) {
        if (sweep->order_at == sweep->order_count)
            begin_sweep(idle);
        if (next_block(sweep, &place))
            begin_shot(idle, place);
        else
            sweep->next_shot_ns = idle->now_ns + 2 * sweep->ask_every_ns;
    }
    if (sweep->unsent > 0)
        send_shot(idle);
}

/* ----- counting
 * ------------------------------------------------------------------------------------------------------ */

static const struct evidence_signal *signal_of(struct idle *idle, unsigned ports, unsigned copies)
{
    struct sweep *sweep = &idle->sweep;
    if (sweep->signal_ports != ports || sweep->signal_copies != copies)
        sweep->signal = evidence_signal_of(ports, copies, &idle->arrival);
    sweep->signal_ports = ports;
    sweep->signal_copies = copies;
    return &sweep->signal;
}

/* Whatever the lag, answers of all blocks show somewhere: that is how likely they show where those of another
 * are looked for. Where nothing does it was the zombie's own traffic. */
static void look_on(struct idle *idle, int64_t end_ns)
{
    struct sweep *sweep = &idle->sweep;
    int64_t step_ns = window_ns(idle, 0);
    unsigned ports = block_ports(idle);
    const struct evidence_signal *signal = signal_of(idle, ports, copies_for(idle, ports));
    struct timeline_count count;
    if (sweep->looked_ns < sweep->shots[sweep->shot_first].from_ns)
        sweep->looked_ns = sweep->shots[sweep->shot_first].from_ns;
    for (; sweep->looked_ns + step_ns < end_ns; sweep->looked_ns += step_ns) {
        if (!timeline_count(&sweep->timeline, sweep->looked_ns, sweep->looked_ns + step_ns, &count))
            continue;
        struct background_law law = background_law(&idle->background, count.span_ns, 0.5 * count.lost);
        bool shows = evidence_beside(evidence_chances_of(signal, &law, count.packets), 0) > 0;
        if (!shows)
            background_note(&idle->background, idle->now_ns, count.packets, count.span_ns);
        sweep->looked += 1;
        sweep->shown += shows;
    }
}

/* How likely answers of others show in a span of each width. */
static void find_others(const struct idle *idle, double ret[static SEARCH_WIDTHS])
{
    const struct sweep *sweep = &idle->sweep;
    double share = (sweep->shown + OTHERS_SHOWN) / (sweep->looked + OTHERS_LOOKED);
    for (unsigned width = 0; width < SEARCH_WIDTHS; width++) {
        double ratio = (double)window_ns(idle, width) / (double)window_ns(idle, 0);
        ret[width] = fmin(share * ratio, OTHERS_MOST);
    }
}

/* NULL: it has been done with. */
static const struct search_block *block_of(const struct sweep *sweep, const struct sweep_shot *shot)
{
    const struct search_block *block = &sweep->search.blocks[shot->place];
    return block->group != GROUP_NIL && block->serial == shot->serial ? block : NULL;
}

/* How likely answers of other blocks show where those to this shot do, if the lag lies in this span. */
static double foretell(const struct idle *idle, const struct sweep_shot *shot, unsigned span)
{
    const struct sweep *sweep = &idle->sweep;
    int64_t wide_ns = window_ns(idle, sweep->search.spans[span].width);
    double density = port_groups_density(&idle->groups), silent = 1;
    for (unsigned i = 0; i < sweep->shot_count; i++) {
        const struct sweep_shot *other = &sweep->shots[(sweep->shot_first + i) % SWEEP_SHOTS_MAX];
        const struct search_block *block = block_of(sweep, other);
        if (other->from_ns >= shot->to_ns + wide_ns)
            break;
        if (!block || other->place == shot->place || other->to_ns + wide_ns <= shot->from_ns)
            continue;
        int64_t from_ns = other->from_ns > shot->from_ns ? other->from_ns : shot->from_ns;
        int64_t to_ns = other->to_ns < shot->to_ns ? other->to_ns : shot->to_ns;
        double common = fmin((double)(to_ns - from_ns + wide_ns) / (double)wide_ns, 1);
        silent *= 1 - common * search_open(block, span, density);
    }
    return 1 - silent;
}

/* Count in all spans of which everything is known. */
static void weigh_shot(struct idle *idle, struct sweep_shot *shot, int64_t end_ns)
{
    struct search *search = &idle->sweep.search;
    struct search_block *block = &search->blocks[shot->place];
    const struct evidence_signal *signal = signal_of(idle, block->ports, shot->copies);
    double others[SEARCH_WIDTHS];
    find_others(idle, others);
    for (; shot->next_span < search->span_count; shot->next_span++) {
        unsigned width = search->spans[shot->next_span].width;
        struct lag_span lag = search->spans[shot->next_span].lag;
        int64_t from_ns = shot->from_ns + lag.from_ns - guard_ns(idle);
        int64_t to_ns = shot->to_ns + lag.to_ns + guard_ns(idle);
        struct timeline_count count;
        if (to_ns >= end_ns)
            return;
        if (!timeline_count(&idle->sweep.timeline, from_ns, to_ns, &count))
            continue;
        struct background_law law = background_law(&idle->background, count.span_ns, 0.5 * count.lost);
        double foretold = fmax(foretell(idle, shot, shot->next_span), UNFORESEEN * others[width]);
        search_count(search, block, shot->next_span, evidence_chances_of(signal, &law, count.packets),
                     others[width], fmin(foretold, OTHERS_MOST));
    }
    block->pending--;
    idle->windows_weighed++;
}

/* Those that are counted, and that nothing is foretold from any more. */
static void drop_shots(struct idle *idle, int64_t before_ns)
{
    struct sweep *sweep = &idle->sweep;
    while (sweep->shot_count > 0) {
        const struct sweep_shot *shot = &sweep->shots[sweep->shot_first];
        bool counted = !block_of(sweep, shot) || shot->next_span == sweep->search.span_count;
        if (!counted || shot->to_ns > before_ns)
            return;
        sweep->shot_first = (sweep->shot_first + 1) % SWEEP_SHOTS_MAX;
        sweep->shot_count--;
    }
}

static void weigh_shots(struct idle *idle)
{
    struct sweep *sweep = &idle->sweep;
    if (sweep->shot_count == 0)
        return;
    timeline_read(&sweep->timeline, &idle->zombie, sweep->shots[sweep->shot_first].question);
    idle->jumps += sweep->timeline.jumps;
    if (sweep->timeline.count == 0)
        return;
    int64_t end_ns = sweep->timeline.points[sweep->timeline.count - 1].at_ns;
    look_on(idle, end_ns);
    for (unsigned i = 0; i < sweep->shot_count; i++) {
        struct sweep_shot *shot = &sweep->shots[(sweep->shot_first + i) % SWEEP_SHOTS_MAX];
        if (block_of(sweep, shot) && shot->next_span < sweep->search.span_count)
            weigh_shot(idle, shot, end_ns);
    }
    drop_shots(idle, end_ns - idle->lag.longest.to_ns - 2 * window_ns(idle, SEARCH_WIDTHS - 1));
}

/* ----- what follows
 * -------------------------------------------------------------------------------------------------- */

static void remove_block(struct search_block *block)
{
    block->group = GROUP_NIL;
}

/* Blocks in which nothing showed, wherever the lag lies, have no open port. */
static void rule_out(struct idle *idle)
{
    struct search *search = &idle->sweep.search;
    for (unsigned i = 0; i < SEARCH_BLOCKS_MAX; i++) {
        struct search_block *block = &search->blocks[i];
        if (block->group == GROUP_NIL || block->shots == block->pending)
            continue;
        double evidence = search_anywhere(search, block);
        if (evidence > GROUP_NONE_AT)
            continue;
        port_groups_rule_out(&idle->groups, block->group);
        remove_block(block);
    }
}

/* Tests of single ports will say whether the guess is right: those of all blocks that show something
 * there. */
static void follow_guess(struct idle *idle, struct lag_span lag)
{
    struct search *search = &idle->sweep.search;
    lag_guess(&idle->lag, lag);
    for (unsigned i = 0; i < SEARCH_BLOCKS_MAX; i++) {
        struct search_block *block = &search->blocks[i];
        double evidence = block->group == GROUP_NIL ? 0 : search_at(search, block, lag);
        if (evidence < GROUP_SPLIT_AT)
            continue;
        port_groups_lead(&idle->groups, block->group, evidence);
        remove_block(block);
    }
}

/* Something shows, and never clearly at the same lag: the way may vary more, or nothing will ever become
 * clear. */
static void search_on(struct idle *idle)
{
    struct search *search = &idle->sweep.search;
    unsigned most = 0;
    for (unsigned i = 0; i < SEARCH_BLOCKS_MAX; i++) {
        struct search_block *block = &search->blocks[i];
        unsigned shots = block->group == GROUP_NIL ? 0 : block->shots - block->pending;
        if (shots > most)
            most = shots;
        if (shots < SHOTS_MAX)
            continue;
        port_groups_doubt(&idle->groups, block->group);
        remove_block(block);
    }
    if (most >= SHOTS_PER_WIDTH * (search->width + 1) && search->width + 1 < SEARCH_WIDTHS)
        search->width++;
}

static void conclude(struct idle *idle)
{
    struct sweep *sweep = &idle->sweep;
    struct lag_span lag;
    rule_out(idle);
    if (search_guess(&sweep->search, port_groups_density(&idle->groups), &lag))
        follow_guess(idle, lag);
    else
        search_on(idle);
}

/* ----- from outside
 * -------------------------------------------------------------------------------------------------- */

void idle_sweep_reset(struct idle *idle)
{
    idle->sweep.active = false;
    idle->sweep.looked = idle->sweep.shown = 0;
}

void idle_sweep_failed(struct idle *idle)
{
    lag_forget_guess(&idle->lag);
    background_note_burst(&idle->background);
    port_groups_restart(&idle->groups);
    begin(idle);
}

void idle_sweep_succeeded(struct idle *idle, bool right)
{
    struct search *search = &idle->sweep.search;
    struct lag_span lag = idle->lag.span;
    for (unsigned i = 0; i < SEARCH_BLOCKS_MAX; i++) {
        struct search_block *block = &search->blocks[i];
        if (block->group == GROUP_NIL)
            continue;
        if (right)
            port_groups_tested(&idle->groups, block->group, search_at(search, block, lag));
        else
            port_groups_void(&idle->groups, block->group);
        remove_block(block);
    }
    port_groups_settle(&idle->groups, right);
}

void idle_sweep_run(struct idle *idle)
{
    struct sweep *sweep = &idle->sweep;
    if (!sweep->active)
        begin(idle);
    if (idle->now_ns >= sweep->next_ask_ns) {
        idle_ask(idle, 1);
        sweep->next_ask_ns = idle->now_ns + sweep->ask_every_ns;
    }
    run_shots(idle);
    if (idle->now_ns < sweep->next_weigh_ns)
        return;
    sweep->next_weigh_ns = idle->now_ns + 4 * sweep->ask_every_ns;
    weigh_shots(idle);
    conclude(idle);
}

int64_t idle_sweep_wake_ns(const struct idle *idle)
{
    const struct sweep *sweep = &idle->sweep;
    int64_t wake_ns = sweep->next_ask_ns < sweep->next_weigh_ns ? sweep->next_ask_ns : sweep->next_weigh_ns;
    int64_t send_ns = sweep->unsent ? pacer_next_ns(&idle->pacer) : sweep->next_shot_ns;
    if (!sweep->active)
        return idle->now_ns;
    return send_ns < wake_ns ? send_ns : wake_ns;
}
