#include "netio/route/resolver.h"

#include <string.h>

#include "netio/live/frame.h"

#define TRIES        12
#define ASK_EVERY_NS (100 * MSEC)
#define REFRESH_NS   (30 * SEC) /* ask a gateway that is known again after this */
#define ASK_AGAIN_NS (5 * SEC)  /* and one that did not answer */
#define FULL_NS      MSEC       /* the batch had no room: look again after this */

struct learning {
    struct neighbor_table *neighbors;
    int64_t now_ns;
};

static int learn(void *context, const struct kernel_neighbor *known)
{
    const struct learning *learning = context;
    neighbor_learn(learning->neighbors, known, learning->now_ns);
    return 0;
}

#define NEIGHBORS_MAX 131072

int resolver_init(struct resolver *ret, const struct route_table *routes, int64_t now_ns, struct error *err)
{
    struct neighbor_table *neighbors = neighbor_table_new(NEIGHBORS_MAX);
    if (!neighbors)
        return error_set(err, EX_OSERR, "no memory for the table of neighbours");
    /* The kernel's entries may be old: a gateway among them is used, and asked again at its first use. */
    struct learning learning = {.neighbors = neighbors, .now_ns = now_ns - REFRESH_NS};
    struct netlink_visitor visitor = {.context = &learning, .neighbor = learn};
    int result = netlink_visit(&visitor, err);
    if (result < 0 && result != -EX_TEMPFAIL) {
        neighbor_table_free(neighbors);
        return result;
    }
    *ret = (struct resolver){.routes = routes, .neighbors = neighbors};
    return 0;
}

void resolver_done(struct resolver *resolver)
{
    neighbor_table_free(resolver->neighbors);
    *resolver = (struct resolver){0};
}

void resolver_follow(struct resolver *resolver, const struct route_table *routes)
{
    resolver->routes = routes;
    memset(resolver->questions, 0, sizeof resolver->questions);
}

struct addr resolver_source(const struct resolver *resolver, const struct route *route,
                            const struct addr *target)
{
    struct addr source = route_choose_source(resolver->routes, route->link, target);
    return source.family ? source : route->source;
}

static bool is_asked(const struct resolver *resolver, const struct route *route)
{
    for (unsigned i = 0; i < RESOLVER_QUESTIONS_MAX; i++) {
        const struct question *question = &resolver->questions[i];
        if (question->open && question->link == route->link &&
            addr_equal(&question->target, &route->next_hop))
            return true;
    }
    return false;
}

static struct question *free_question(struct resolver *resolver)
{
    for (unsigned i = 0; i < RESOLVER_QUESTIONS_MAX; i++) {
        if (!resolver->questions[i].open)
            return &resolver->questions[i];
    }
    return NULL;
}

/* Begin to ask, unless it is asked already or there is no room for another question. False: there is no
 * address to ask from (an IPv4 route through an IPv6 gateway, on a link without IPv6). */
static bool begin(struct resolver *resolver, const struct route *route, int64_t now_ns)
{
    struct addr source = resolver_source(resolver, route, &route->next_hop);
    if (source.family != route->next_hop.family)
        return false;
    struct question *question = is_asked(resolver, route) ? NULL : free_question(resolver);
    if (question)
        *question = (struct question){
            .open = true,
            .link = route->link,
            .source = source,
            .target = route->next_hop,
            .gateway = route->kind == ROUTE_GATEWAY,
            .due_ns = now_ns,
        };
    return true;
}

enum neighbor_state resolver_next_hop(struct resolver *resolver, const struct route *route, int64_t now_ns,
                                      uint8_t ret_mac[static 6])
{
    const struct neighbor *entry = neighbor_find(resolver->neighbors, route->link->index, &route->next_hop);
    if (!entry || entry->state == NEIGHBOR_ASKED)
        return begin(resolver, route, now_ns) ? NEIGHBOR_ASKED : NEIGHBOR_FAILED;

    int64_t age_ns = now_ns - entry->asked_ns;
    if (entry->state == NEIGHBOR_KNOWN) {
        memcpy(ret_mac, entry->mac, sizeof entry->mac);
        if (route->kind == ROUTE_GATEWAY && age_ns >= REFRESH_NS && !entry->permanent)
            begin(resolver, route, now_ns);
        return NEIGHBOR_KNOWN;
    }
    if (age_ns >= ASK_AGAIN_NS)
        begin(resolver, route, now_ns);
    return NEIGHBOR_FAILED;
}

static void ask(struct resolver *resolver, struct question *question, struct batch *batch, int64_t now_ns)
{
    struct batch_slot *slot = batch_slot(batch, LANE_FRAMES, question->link->index);
    if (!slot) {
        question->due_ns = now_ns + FULL_NS;
        return;
    }
    struct neighbor *entry =
        neighbor_ask(resolver->neighbors, question->link->index, &question->target, now_ns);
    entry->gateway |= question->gateway;
    frame_write_question(slot, question->link, &question->source, &question->target);
    batch_keep_question(batch, slot);
    question->tries++;
    question->due_ns = now_ns + ASK_EVERY_NS;
}

static void tick_question(struct resolver *resolver, struct question *question, struct batch *batch,
                          int64_t now_ns)
{
    struct neighbor *entry = neighbor_find(resolver->neighbors, question->link->index, &question->target);
    if (question->tries && entry && entry->state == NEIGHBOR_KNOWN && !entry->waiting) {
        question->open = false;
        return;
    }
    if (now_ns < question->due_ns)
        return;
    if (question->tries < TRIES) {
        ask(resolver, question, batch, now_ns);
        return;
    }
    question->open = false;
    /* One that was known goes on to be used: whether it forwards is for the answers to say. */
    if (entry && entry->state == NEIGHBOR_ASKED)
        entry->state = NEIGHBOR_FAILED;
}

void resolver_tick(struct resolver *resolver, struct batch *batch, int64_t now_ns)
{
    for (unsigned i = 0; i < RESOLVER_QUESTIONS_MAX; i++) {
        if (resolver->questions[i].open)
            tick_question(resolver, &resolver->questions[i], batch, now_ns);
    }
}

int64_t resolver_due_ns(const struct resolver *resolver)
{
    int64_t due_ns = TIME_NEVER;
    for (unsigned i = 0; i < RESOLVER_QUESTIONS_MAX; i++) {
        if (resolver->questions[i].open && resolver->questions[i].due_ns < due_ns)
            due_ns = resolver->questions[i].due_ns;
    }
    return due_ns;
}
