/* results_record: records as the packet process writes them into shared memory, any bytes. No more hosts are
 * open than the plan has, and whatever is handed over can be reported. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "report/report.h"

#define HOST_COUNT 8

struct tally {
    struct report *report;
    uint64_t hosts;
};

static void on_host(void *context, const struct host_result *host)
{
    struct tally *tally = context;
    tally->hosts++;
    assert(host->port_count == 0 || host->up);
    for (uint32_t i = 0; i < host->port_count; i++)
        assert(host->ports[i].state < PORT_STATE_COUNT && host->ports[i].reason < REASON_COUNT);
    report_normal.host(tally->report, host);
}

static void on_port(void *context, const struct addr *host, const struct port_result *port)
{
    const struct tally *tally = context;
    report_normal.port(tally->report, host, port);
}

/* 198.18.0.0 to .7 and 2001:db8::, tcp ports 1 to 20, udp 53. */
static struct plan *make_plan(void)
{
    static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8};
    struct plan *plan = calloc(1, sizeof *plan);
    struct port_set *ports = calloc(1, sizeof *ports);
    struct addr_set targets = {0};
    assert(plan && ports);
    addr_set_add(&targets, addr_v4(0xc6120000), addr_v4(0xc6120000 + HOST_COUNT - 2));
    addr_set_add(&targets, addr_v6(v6, 0), addr_v6(v6, 0));
    for (uint16_t port = 1; port <= 20; port++)
        port_set_add(ports, PORTS_TCP, port);
    port_set_add(ports, PORTS_UDP, 53);
    const struct plan_options options = {.seed = 1, .shard_count = 1};
    int error = plan_init(plan, &targets, NULL, NULL, ports, &options, NULL);
    assert(!error && plan->host_count == HOST_COUNT);
    free(ports);
    return plan;
}

static void take_records(struct results *results, const uint8_t *data, size_t size)
{
    struct record record;
    for (; size >= sizeof record; data += sizeof record, size -= sizeof record) {
        memcpy(&record, data, sizeof record);
        results_record(results, &record);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plan *plan = make_plan();
    char *text = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&text, &len);
    assert(file);
    const struct report_run run = {.version = "0", .command_line = "", .plan = plan, .show_reason = true};
    struct tally tally = {.report = report_normal.open(file, &run)};
    const struct results_config config = {.plan = plan,
                                          .scanned = {[PROTOCOL_TCP] = true, [PROTOCOL_UDP] = true},
                                          .context = &tally,
                                          .host = on_host,
                                          .port = on_port};
    struct results *results;
    int error = results_new(&config, &results, NULL);
    assert(tally.report && !error);

    take_records(results, data, size);
    uint64_t before = tally.hosts;
    results_flush(results, INT64_MAX);
    assert(tally.hosts - before <= HOST_COUNT);
    const struct results_totals *totals = results_totals(results);
    assert(totals->hosts_up + totals->hosts_down == tally.hosts);

    report_normal.close(tally.report);
    fclose(file);
    for (size_t i = 0; i < len; i++)
        assert((text[i] >= 0x20 && text[i] <= 0x7e) || text[i] == '\n');
    free(text);
    results_free(results);
    plan_done(plan);
    free(plan);
    return 0;
}
