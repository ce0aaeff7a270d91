/* A scan goes on from a store that a stranger has written: whatever is in it, the engine takes what is
 * possible, says nothing that cannot be, and comes to an end. */
#include "base/time.h"
#include "cli/job/session.h"
#include "cli/job/session_blocks.h"
#include "engine/engine.h"
#include "netio/sim/sim.h"
#include "store_input.h"
#include "technique/rows.h"

#define HOSTS_MAX 4096 /* more take long, and show nothing new */
#define SPECS_MAX 64
#define TURNS_MAX 200

static void take_record(void *context, const struct record *record)
{
    (void)context;
    assert(record_valid(record));
}

/* The network is empty: what matters is that the scan goes on, and ends. */
static void scan_on(const struct session *session, const struct probe_spec *specs, uint32_t spec_count)
{
    static const struct probe_spec discovery[] = {{&technique_neighbor, 0}, {&technique_ping_echo, 0}};
    const struct sim_config sim = {.seed = 1, .source4 = addr_v4(0xcb007101), .router4 = addr_v4(0xcb0071fe)};
    struct netio *io = sim_new(&sim);
    struct engine_config config = {
        .plan = session->scan.plan,
        .specs = specs,
        .spec_count = spec_count,
        .discovery = discovery,
        .discovery_count = 2,
        .timing = {.min_rto_ns = 10 * MSEC,
                   .initial_rto_ns = SEC,
                   .max_rto_ns = 10 * SEC,
                   .max_retries = 2,
                   .default_rate_pps = 10000},
        .key = {.first_port = 40000, .port_count = 64},
        .io = io,
        .checkpoints = true,
        .resume = &session->resume,
        .emit = take_record,
    };
    struct scanner *scanner = NULL;
    assert(io);
    int r = engine_new(&config, &scanner, NULL);
    assert(r == 0);
    bool more = true;
    for (unsigned turn = 0; turn < TURNS_MAX && more; turn++)
        more = scanner->ops->turn(scanner, TIME_NEVER);
    scanner->ops->stop(scanner);
    while (more)
        more = scanner->ops->turn(scanner, TIME_NEVER);
    scanner->ops->free(scanner);
    io->ops->close(io);
}

/* Its TCP ports. 0: this store is not for us. */
static uint32_t choose_specs(const struct stored_scan *scan, struct probe_spec specs[static SPECS_MAX])
{
    uint32_t count = 0;
    if (scan->asked_count > SPECS_MAX || scan->plan->host_count > HOSTS_MAX)
        return 0;
    for (uint32_t i = 0; i < scan->asked_count; i++)
        if (scan->asked[i].protocol == PROTOCOL_TCP)
            specs[count++] = (struct probe_spec){&technique_syn, scan->asked[i].port};
    return count;
}

static void go_on(const char *path)
{
    struct error err = {.status = 0};
    struct session *session = NULL;
    struct probe_spec specs[SPECS_MAX];
    if (session_open(path, &session, &err) < 0) {
        assert(err.status > 0 && err.text[0]);
        return;
    }
    uint32_t count = choose_specs(&session->scan, specs);
    const struct engine_resume *resume = &session->resume;
    if (count > 0 && session_blocks_load(session, &err) == 0 && resume->block_count + resume->up_count > 0)
        scan_on(session, specs, count);
    session_free(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    with_store(data, size, go_on);
    return 0;
}
