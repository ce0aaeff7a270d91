#include "cli/job/specs.h"

#include <stdlib.h>
#include <string.h>

#include "cli/options/option_table.h"
#include "plan/ports.h"
#include "technique/payload.h"

#define EARLY_PORTS_MAX 32 /* of each protocol: most hosts that answer at all answer on one of these */

static int add_spec(struct specs *specs, const struct technique *technique, uint16_t port, struct error *err)
{
    struct probe_spec *list = realloc(specs->list, (specs->count + 1) * sizeof *list);
    if (!list)
        return error_set(err, EX_OSERR, "out of memory");
    list[specs->count++] = (struct probe_spec){.technique = technique, .port = port};
    specs->list = list;
    return 0;
}

static void add_early(struct specs *specs, const struct technique *technique, const struct port_set *ports,
                      const struct service_table *services)
{
    uint16_t popular[EARLY_PORTS_MAX];
    size_t count =
        services_popular(services, (enum port_protocol)technique->protocol, EARLY_PORTS_MAX, ports, popular);
    for (size_t i = 0; i < count; i++)
        specs->list[specs->count++] = (struct probe_spec){.technique = technique, .port = popular[i]};
}

/* Ports whose service we know how to ask. */
static void add_known(struct specs *specs, const struct technique *technique, const struct port_set *ports)
{
    uint32_t popular = specs->count;
    uint16_t port;
    for (unsigned i = 0; payload_port_at(i, &port); i++) {
        bool skip = !port_set_has(ports, PORTS_UDP, port);
        for (uint32_t j = 0; j < popular && !skip; j++)
            skip = specs->list[j].technique == technique && specs->list[j].port == port;
        if (!skip)
            specs->list[specs->count++] = (struct probe_spec){.technique = technique, .port = port};
    }
}

static bool is_early(const struct specs *specs, const struct technique *technique, uint16_t port)
{
    for (uint32_t i = 0; i < specs->early_count; i++) {
        if (specs->list[i].technique == technique && specs->list[i].port == port)
            return true;
    }
    return false;
}

static void add_rest(struct specs *specs, const struct technique *technique, const struct port_set *ports)
{
    for (uint32_t port = 0; port <= UINT16_MAX; port++) {
        if (port_set_has(ports, (enum port_protocol)technique->protocol, (uint16_t)port) &&
            !is_early(specs, technique, (uint16_t)port))
            specs->list[specs->count++] = (struct probe_spec){.technique = technique, .port = (uint16_t)port};
    }
}

int specs_of_scans(const struct scans *scans, const struct port_set *ports,
                   const struct service_table *services, bool in_order, struct specs *ret, struct error *err)
{
    size_t total = 0;
    for (unsigned i = 0; i < scans->count; i++)
        total += port_set_count(ports, (enum port_protocol)scans->techniques[i]->protocol);
    struct specs specs = {.list = calloc(total + 1, sizeof *specs.list)};
    if (!specs.list)
        return error_set(err, EX_OSERR, "out of memory");
    for (unsigned i = 0; i < scans->count && !in_order; i++)
        add_early(&specs, scans->techniques[i], ports, services);
    for (unsigned i = 0; i < scans->count && !in_order; i++) {
        if (scans->techniques[i]->protocol == PROTOCOL_UDP && !scans->techniques[i]->data)
            add_known(&specs, scans->techniques[i], ports);
    }
    specs.early_count = specs.count;
    for (unsigned i = 0; i < scans->count; i++)
        add_rest(&specs, scans->techniques[i], ports);
    *ret = specs;
    return 0;
}

/* Without privilege a connection asks the same as a SYN probe does. */
static const struct technique *ping_technique(const char *name, bool raw)
{
    if (!raw && strcmp(name, "ping-syn") == 0)
        name = "ping-connect";
    return technique_find(name);
}

static const char *usual_ports(const struct technique *technique)
{
    return technique->protocol == PROTOCOL_UDP ? "40125" : "80";
}

static int add_ping(struct specs *specs, const struct option_ping *ping, bool raw,
                    const struct service_table *services, struct error *err)
{
    const struct technique *technique = ping_technique(ping->technique, raw);
    if (!technique->has_ports)
        return add_spec(specs, technique, 0, err);

    char spelled[8];
    snprintf(spelled, sizeof spelled, "-%s", ping->option->letters);
    struct port_set *ports = calloc(1, sizeof *ports);
    if (!ports)
        return error_set(err, EX_OSERR, "out of memory");
    int r = ports_parse(spelled, ping->ports ? ping->ports : usual_ports(technique),
                        PORTS_BIT(technique->protocol), services, ports, NULL, err);
    for (uint32_t port = 0; port <= UINT16_MAX && r == 0; port++) {
        if (port_set_has(ports, (enum port_protocol)technique->protocol, (uint16_t)port))
            r = add_spec(specs, technique, (uint16_t)port, err);
    }
    free(ports);
    return r;
}

static int add_usual(struct specs *specs, bool raw, struct error *err)
{
    static const struct {
        const char *technique;
        uint16_t port;
        bool raw, connecting;
    } usual[] = {{"echo", 0, true, true},           {"timestamp", 0, true, false},
                 {"ping-syn", 443, true, false},    {"ping-ack", 80, true, false},
                 {"ping-connect", 80, false, true}, {"ping-connect", 443, false, true}};
    int r = 0;
    for (unsigned i = 0; i < sizeof usual / sizeof usual[0] && r == 0; i++) {
        if (raw ? usual[i].raw : usual[i].connecting)
            r = add_spec(specs, technique_find(usual[i].technique), usual[i].port, err);
    }
    return r;
}

int specs_of_discovery(const struct options *options, bool raw, const struct service_table *services,
                       struct specs *ret, struct error *err)
{
    struct specs specs = {.list = NULL};
    int r = 0;
    if (raw && !options->no_neighbor)
        r = add_spec(&specs, technique_find("neighbor"), 0, err);
    uint32_t neighbor_count = specs.count;
    for (unsigned i = 0; i < options->ping_count && r == 0; i++) {
        if (strcmp(options->pings[i].technique, "neighbor") != 0)
            r = add_ping(&specs, &options->pings[i], raw, services, err);
    }
    /* -PR alone says nothing of hosts beyond the attached networks. */
    if (r == 0 && !options->assume_up && specs.count == neighbor_count)
        r = add_usual(&specs, raw, err);
    if (r < 0) {
        specs_done(&specs);
        return r;
    }
    *ret = specs;
    return 0;
}

void specs_done(struct specs *specs)
{
    free(specs->list);
    *specs = (struct specs){.list = NULL};
}
