/* The events of netio: packets, connections, and what could not be sent. */
#include <errno.h>

#include "base/bitset.h"
#include "engine/answer/flow.h"
#include "engine/internal.h"
#include "engine/answer/match.h"
#include "technique/connect.h"

/* It proves nothing. Of several scanners that hear the same one counts it: whose host it is about, or else
 * the first. What is heard within this machine are our own probes on their way. */
static void reject(struct engine *engine, const struct flow *flow)
{
    uint64_t position;
    if (flow_is_within_us(flow))
        return;
    const struct plan *plan = engine->config.plan;
    if (plan_host_find(plan, &flow->host, &position) ||
        !(engine->config.is_one_of_many || plan_is_anothers(plan, &flow->host)))
        engine->rejected++;
}

static void on_packet(void *context, int64_t time_ns, const struct packet *packet)
{
    struct engine *engine = context;
    engine->now_ns = time_ns;
    engine->packet = packet;
    struct flow flow = flow_of(packet);
    bool answered = answer_in_blocks(engine, &flow, packet) || elsewhere_answer(engine, packet) ||
                    speaker_answer(engine, packet);
    engine->packet = NULL;
    if (!answered) {
        reject(engine, &flow);
        return;
    }
    /* In a scan of IP protocols an error about one of them that the host itself sent shows that it speaks
     * ICMP, too. */
    if (packet->has_quote && engine->spec_of_port[PROTOCOL_IP] &&
        addr_equal(&packet->src, &packet->quote.dst)) {
        struct packet bare = *packet;
        bare.has_quote = false;
        flow = flow_of(&bare);
        answer_in_blocks(engine, &flow, &bare);
    }
}

static void on_connected(void *context, const struct connect_event *event)
{
    struct engine *engine = context;
    engine->now_ns = event->time_ns;
    struct scan_block *scan_block = blocks_find(engine, event->block_id);
    if (!scan_block || event->bit >= block_probe_count(&scan_block->block))
        return;

    struct match match = {
        .scan_block = scan_block,
        .slot = block_slot_of(&scan_block->block, event->bit),
        .spec = block_spec_of(&scan_block->block, event->bit),
        .try_number = event->try_number,
        .rtt_ns = event->rtt_ns,
    };
    struct addr host = block_host(&scan_block->block, match.slot);
    struct connect_outcome outcome = {
        .version = host.family,
        .error = event->error,
        .reset_seen = event->reset_seen,
        .has_icmp = event->has_icmp,
        .icmp_type = event->icmp_type,
        .icmp_code = event->icmp_code,
        .offender = event->offender,
        .dst = host,
    };
    struct verdict verdict;
    if (!connect_judge(&outcome, &verdict))
        return;
    if (scan_block->kind != BLOCK_PORTS && verdict.state == PORT_CLOSED)
        verdict.state = PORT_OPEN; /* a host that refuses is up */
    answer_take(engine, &match, &host, &verdict);
}

/* Nobody on the link answers for this host or its gateway, or there is no route: we say so ourselves. */
static bool is_unreachable(int error)
{
    return error == EHOSTUNREACH || error == ENETUNREACH;
}

static void on_unsent(void *context, const struct order *order, const struct probe *probe, int error)
{
    struct engine *engine = context;
    struct scan_block *scan_block = blocks_find(engine, order->block->id);
    uint32_t slot = block_slot_of(order->block, probe->bit);
    bool sounding = scan_block && probe->bit >= block_probe_count(&scan_block->block);
    if (!scan_block || order->list || sounding || !bitset_get(scan_block->block.pending, probe->bit))
        return;
    if (scan_block->kind == BLOCK_PORTS && is_unreachable(error)) {
        struct verdict verdict = {
            .state = PORT_FILTERED,
            .reason = error == EHOSTUNREACH ? REASON_HOST_UNREACH : REASON_NET_UNREACH,
            .rank = RANK_ICMP_PATH,
            .source = engine->io->ops->source(engine->io, &probe->dst),
        };
        struct match match = {
            .scan_block = scan_block,
            .slot = slot,
            .spec = block_spec_of(order->block, probe->bit),
            .try_number = probe->try_number,
        };
        answer_settle(engine, &match, probe->bit, &verdict);
        return;
    }
    engine->unsent++;
    engine->last_unsent_error = error;
    scan_block->slots[slot].unsent_try = (uint8_t)(probe->try_number + 1);
    if (scan_block->lane)
        lane_void(engine, scan_block);
    else if (scan_block->calm)
        calm_void(scan_block);
    else if (!order->bits)
        scan_block_void_range(scan_block, (struct order_range){order->next - 1, order->next});
}

const struct netio_events engine_events = {
    .packet = on_packet,
    .connected = on_connected,
    .unsent = on_unsent,
    .dropped = losses_on_dropped,
    .disturbed = losses_on_disturbed,
    .stream = verify_on_stream,
};
