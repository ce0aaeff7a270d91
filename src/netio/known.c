#include "netio/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/siphash_core.h"
#include "base/time.h"
#include "technique/token_core.h"

/* Neighbours change now and then, and gateways are to be asked again. */
#define KNOWN_NS SEC

int known_init(struct known *ret, uint8_t ttl, struct error *err)
{
    *ret = (struct known){.ttl = ttl, .epoch = 1, .hosts = calloc(KNOWN_HOSTS_MAX, sizeof *ret->hosts)};
    if (!ret->hosts)
        return error_set(err, EX_OSERR, "no memory for the table of destinations");
    return 0;
}

void known_done(struct known *known)
{
    free(known->hosts);
    *known = (struct known){0};
}

void known_forget(struct known *known)
{
    known->way_count = known->template_count = 0;
    if (++known->epoch == 0) {
        memset(known->hosts, 0, KNOWN_HOSTS_MAX * sizeof *known->hosts);
        known->epoch = 1;
    }
}

void known_begin(struct known *known, const struct order *order, const struct order_place *places,
                 unsigned count, int64_t now_ns)
{
    if (order->block->id != known->block_id || now_ns - known->since_ns >= KNOWN_NS) {
        known->block_id = order->block->id;
        known->since_ns = now_ns;
        known_forget(known);
    }
    /* The order jumps over all hosts, so each is a cache miss unless it is asked for beforehand. Not in a
     * function of its own: GCC 12 drops the call of one that does nothing but prefetch. */
    for (unsigned i = 0; i < count; i++) {
        uint32_t slot = block_slot_of(order->block, places[i].bit);
        if (slot < KNOWN_HOSTS_MAX)
            __builtin_prefetch(&known->hosts[slot]);
    }
}

static const struct template *find_template(const struct known *known, const struct technique *technique,
                                            unsigned way)
{
    for (unsigned i = 0; i < known->template_count; i++) {
        if (known->templates[i].technique == technique && known->template_ways[i] == way)
            return &known->templates[i];
    }
    return NULL;
}

/* As token_make, for a host without a scope and a technique with a template, which is one of TCP's. */
static struct token make_token(const struct order *order, const struct known_host *host, uint8_t family,
                               const struct probe_spec *spec, int64_t now_ns)
{
    uint64_t words[2];
    memcpy(words, host->dst, sizeof words);
    uint64_t last = token_word(family, IP_PROTO_TCP, spec->port, spec->technique->pings);
    uint64_t hash = sip_three_words(&order->key->secret, words[0], words[1], last);
    return (struct token){
        .source_port = token_port(order->key, hash, order->try_number),
        .number = token_mask(hash, order->try_number) ^ token_time(now_ns),
    };
}

const struct template *known_write(struct known *known, const struct order *order, uint64_t bit,
                                   int64_t now_ns, uint8_t *ret_frame)
{
    const struct block *block = order->block;
    uint32_t slot = block_slot_of(block, bit);
    if (slot >= KNOWN_HOSTS_MAX || known->hosts[slot].epoch != known->epoch)
        return NULL;
    const struct known_host *host = &known->hosts[slot];
    const struct probe_spec *spec = &block->specs[block_spec_of(block, bit)];
    const struct template *template = find_template(known, spec->technique, host->way);
    if (!template)
        return NULL;

    struct token token = make_token(order, host, template->source.family, spec, now_ns);
    const struct template_fields fields = {
        .dst = host->dst,
        .mac = host->mac,
        .source_port = token.source_port,
        .port = spec->port,
        .number = token.number,
    };
    template_write(template, &fields, ret_frame);
    return template;
}

/* Index of the way, an old one or a new one. False: no room. */
static bool find_way(struct known *known, const struct route *route, uint16_t *ret)
{
    for (unsigned i = 0; i < known->way_count; i++) {
        if (known->ways[i].link == route->link && addr_equal(&known->ways[i].source, &route->source)) {
            *ret = (uint16_t)i;
            return true;
        }
    }
    if (known->way_count == KNOWN_TEMPLATES_MAX)
        return false;
    known->ways[known->way_count] = (struct known_way){.link = route->link, .source = route->source};
    *ret = (uint16_t)known->way_count++;
    return true;
}

void known_add(struct known *known, const struct order *order, const struct probe *probe,
               const struct route *route, const uint8_t mac[static 6])
{
    uint32_t slot = block_slot_of(order->block, probe->bit);
    uint16_t way;
    /* Addresses with a scope are few, and their token depends on it. */
    if (slot >= KNOWN_HOSTS_MAX || probe->dst.scope || !find_way(known, route, &way))
        return;
    if (!find_template(known, probe->technique, way)) {
        if (known->template_count == KNOWN_TEMPLATES_MAX ||
            !template_make(probe->technique, &route->source, route->link, known->ttl,
                           &known->templates[known->template_count]))
            return;
        known->template_ways[known->template_count++] = way;
    }
    struct known_host *host = &known->hosts[slot];
    *host = (struct known_host){.epoch = known->epoch, .way = way};
    memcpy(host->mac, mac, sizeof host->mac);
    memcpy(host->dst, probe->dst.bytes, sizeof host->dst);
}
