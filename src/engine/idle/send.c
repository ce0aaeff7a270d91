/* What an idle scan sends: questions to the zombie, and what goes in its name, and in the target's. */
#include "engine/idle/internal.h"

#include <assert.h>

#include "technique/rows.h"

#define SEND_PATIENCE_NS (20 * MSEC)
#define QUESTIONS_MAX    4     /* at once */
#define SPOOF_PORT_FIRST 32768 /* source ports of what goes in another's name: as many stacks choose them */
#define SPOOF_PORT_COUNT 28000

void idle_send(struct idle *idle, struct probe *probes, uint32_t count)
{
    struct order order = {.list = probes, .end = count, .limit = count, .rate_pps = idle->pacer.rate_pps};
    if (count == 0)
        return;
    idle->io->ops->work(idle->io, &order, idle->now_ns + SEND_PATIENCE_NS);
    idle->now_ns = idle->io->ops->now(idle->io);
    idle->probes_sent += count - order.limit;
    pacer_spend(&idle->pacer, count);
}

void idle_ask(struct idle *idle, unsigned count)
{
    struct probe probes[QUESTIONS_MAX];
    assert(count <= QUESTIONS_MAX);
    for (unsigned i = 0; i < count; i++)
        probes[i] = zombie_ask(&idle->zombie, idle->now_ns);
    idle_send(idle, probes, count);
}

struct probe idle_syn(struct idle *idle, uint32_t spec)
{
    return (struct probe){
        .technique = idle->config.specs[spec].technique,
        .src = idle->zombie.addr,
        .dst = idle->target,
        .source_port = (uint16_t)(SPOOF_PORT_FIRST + idle->syn_count++ % SPOOF_PORT_COUNT),
        .port = idle->config.specs[spec].port,
        .number = (uint32_t)rand_next(&idle->rand),
    };
}

struct probe idle_named(struct idle *idle)
{
    return (struct probe){
        .technique = &technique_zombie_id,
        .src = idle->target,
        .dst = idle->zombie.addr,
        .source_port = (uint16_t)(SPOOF_PORT_FIRST + rand_below(&idle->rand, SPOOF_PORT_COUNT)),
        .port = idle->zombie.port,
        .number = (uint32_t)rand_next(&idle->rand),
    };
}
