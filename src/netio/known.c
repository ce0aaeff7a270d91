#include "netio/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"

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

/* The order jumps over all hosts, so each is a cache miss unless it is asked for beforehand. */
static void prefetch(const struct known *known, const struct block *block, const struct order_place *places,
                     unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t slot = places[i].bit % block->host_count;
        if (slot < KNOWN_HOSTS_MAX)
            __builtin_prefetch(&known->hosts[slot]);
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
    prefetch(known, order->block, places, count);
}

static const struct template *find_template(const struct known *known, const struct technique *technique,
                                            const struct known_way *way)
{
    for (unsigned i = 0; i < known->template_count; i++) {
        const struct template *template = &known->templates[i];
        if (template->technique == technique && template->link == way->link &&
            addr_equal(&template->source, &way->source))
            return template;
    }
    return NULL;
}

const struct template *known_write(struct known *known, const struct order *order, uint64_t bit,
                                   int64_t now_ns, uint8_t *ret_frame)
{
    const struct block *block = order->block;
    uint64_t spec_index = bit / block->host_count;
    uint64_t slot = bit - spec_index * block->host_count;
    if (slot >= KNOWN_HOSTS_MAX || known->hosts[slot].epoch != known->epoch)
        return NULL;
    const struct known_host *host = &known->hosts[slot];
    const struct probe_spec *spec = &block->specs[spec_index];
    const struct template *template = find_template(known, spec->technique, &known->ways[host->way]);
    if (!template)
        return NULL;

    struct addr dst = {.family = template->source.family};
    memcpy(dst.bytes, host->dst, sizeof dst.bytes);
    struct token_subject subject = token_subject_of(spec->technique, &dst, spec->port);
    struct token token = token_make(order->key, &subject, order->try_number, now_ns);
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
    uint64_t slot = probe->bit % order->block->host_count;
    uint16_t way;
    /* Addresses with a scope are few, and their token depends on it. */
    if (slot >= KNOWN_HOSTS_MAX || probe->dst.scope || !find_way(known, route, &way))
        return;
    if (!find_template(known, probe->technique, &known->ways[way])) {
        if (known->template_count == KNOWN_TEMPLATES_MAX ||
            !template_make(probe->technique, &route->source, route->link, known->ttl,
                           &known->templates[known->template_count]))
            return;
        known->template_count++;
    }
    struct known_host *host = &known->hosts[slot];
    *host = (struct known_host){.epoch = known->epoch, .way = way};
    memcpy(host->mac, mac, sizeof host->mac);
    memcpy(host->dst, probe->dst.bytes, sizeof host->dst);
}
