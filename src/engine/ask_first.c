#include "engine/ask_first.h"

#include <stdlib.h>

struct ask_first {
    struct scanner scanner;
    struct engine_config config; /* of the scan */
    struct scanner *discovery;   /* owned; NULL: it is over */
    struct scanner *then;        /* owned */
    struct found_hosts *found;
    const struct netio_events *events; /* of the other scan, when both have the same io */
    void *context;
    struct record end; /* of the discovery */
};

static struct ask_first *ask_first_of(struct scanner *scanner)
{
    return (struct ask_first *)scanner; /* the scanner is the first member */
}

/* What the discovery says. Hosts that are up are not done yet, and neither is the scan. */
static void take_record(void *context, const struct record *record)
{
    struct ask_first *ask_first = context;
    uint64_t position;
    if (record->type == RECORD_HOST_UP && plan_host_find(ask_first->config.plan, &record->host, &position))
        found_hosts_add(ask_first->found, position);
    if (record->type == RECORD_END)
        ask_first->end = *record;
    else if (record->type != RECORD_HOST_DONE)
        ask_first->config.emit(ask_first->config.context, record);
}

static void end_discovery(struct ask_first *ask_first)
{
    struct netio *io = ask_first->config.io;
    ask_first->discovery->ops->free(ask_first->discovery);
    ask_first->discovery = NULL;
    io->events = ask_first->events;
    io->context = ask_first->context;
    if (ask_first->end.flags & RECORD_UNFINISHED)
        ask_first->then->ops->stop(ask_first->then);
}

static bool ask_first_turn(struct scanner *scanner, int64_t until_ns)
{
    struct ask_first *ask_first = ask_first_of(scanner);
    if (!ask_first->discovery)
        return ask_first->then->ops->turn(ask_first->then, until_ns);
    if (ask_first->discovery->ops->turn(ask_first->discovery, until_ns))
        return true;
    end_discovery(ask_first);
    if (ask_first->found->count > 0 || (ask_first->end.flags & RECORD_UNFINISHED))
        return true;
    ask_first->config.emit(ask_first->config.context, &ask_first->end); /* nobody is left to be scanned */
    return false;
}

static void ask_first_stop(struct scanner *scanner)
{
    struct ask_first *ask_first = ask_first_of(scanner);
    struct scanner *at_work = ask_first->discovery ? ask_first->discovery : ask_first->then;
    at_work->ops->stop(at_work);
}

static void ask_first_free(struct scanner *scanner)
{
    struct ask_first *ask_first = ask_first_of(scanner);
    if (ask_first->discovery)
        ask_first->discovery->ops->free(ask_first->discovery);
    ask_first->then->ops->free(ask_first->then);
    free(ask_first);
}

int ask_first_new(const struct engine_config *config, struct found_hosts *found, struct scanner *then,
                  struct scanner **ret, struct error *err)
{
    static const struct scanner_ops ops = {
        .turn = ask_first_turn, .stop = ask_first_stop, .free = ask_first_free};
    struct ask_first *ask_first = calloc(1, sizeof *ask_first);
    if (!ask_first)
        return error_set(err, EX_OSERR, "out of memory");
    ask_first->scanner.ops = &ops;
    ask_first->config = *config;
    ask_first->found = found;
    ask_first->events = config->io->events;
    ask_first->context = config->io->context;
    struct engine_config discovery = *config;
    discovery.spec_count = discovery.early_count = 0;
    discovery.checkpoints = false;
    discovery.evidence = EVIDENCE_NONE;
    discovery.emit = take_record;
    discovery.context = ask_first;
    int r = engine_new(&discovery, &ask_first->discovery, err);
    if (r < 0) {
        free(ask_first);
        return r;
    }
    ask_first->then = then;
    *ret = &ask_first->scanner;
    return 0;
}
