#include "cli/stored/diff.h"

#include <jansson.h>
#include <stdio.h>

#include "base/escape.h"
#include "cli/job/session.h"
#include "cli/stored/limit.h"
#include "store/compare.h"

#define DIFF_FAILED 2

struct telling {
    bool json;
    bool incomplete; /* no memory for a line */
    uint64_t count;
};

/* The name of an interface, in a link-local address, may hold any byte. */
static void tell_as_json(struct telling *telling, const struct compare_run *run)
{
    char address[ESCAPE_MAX(ADDR_TEXT_MAX)];
    escape_copy(ESCAPE_JSON, run->address, address, sizeof address);
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:i, s:i, s:s, s:s}", "change", change_name(run->change), "ip", address,
                  "protocol", protocol_name((enum protocol)run->protocol), "first", run->first, "last",
                  run->last, "before", run->before, "after", run->after);
    if (!object || json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII))
        telling->incomplete = true;
    putchar('\n');
    json_decref(object);
}

static int tell(void *context, const struct compare_run *run)
{
    struct telling *telling = context;
    char ports[16];
    char address[ESCAPE_MAX(ADDR_TEXT_MAX)];
    telling->count++;
    if (telling->json) {
        tell_as_json(telling, run);
        return 0;
    }
    escape_copy(ESCAPE_TEXT, run->address, address, sizeof address);
    if (run->first == run->last)
        snprintf(ports, sizeof ports, "%u", run->first);
    else
        snprintf(ports, sizeof ports, "%u-%u", run->first, run->last);
    printf("%-17s %s %s/%s: %s, was %s\n", change_name(run->change), address, ports,
           protocol_name((enum protocol)run->protocol), run->after, run->before);
    return 0;
}

int stored_diff(const struct options *options, struct talk *talk)
{
    struct error err = {.status = 0};
    struct session *before = NULL;
    struct session *after = NULL;
    struct telling telling = {.json = options->json};
    struct compare_sink sink = {tell, &telling};
    int r = stored_limit(options, 2, talk, &err);
    if (r == 0)
        r = stored_look_at(options->targets[0], talk, &before, &err);
    if (r == 0)
        r = stored_look_at(options->targets[1], talk, &after, &err);
    if (r == 0)
        r = compare_stores(before->database, &before->scan, after->database, &after->scan, &sink, &err);
    if (r == 0 && telling.incomplete)
        r = error_set(&err, EX_OSERR, "out of memory");
    if (r == 0 && fflush(stdout) != 0)
        r = error_set(&err, EX_IOERR, "cannot write standard output");
    if (r < 0)
        talk_error(talk, &err);
    session_free(before);
    session_free(after);
    return r < 0 ? DIFF_FAILED : telling.count > 0;
}
