#include "cli/stored/diff.h"

#include <jansson.h>
#include <stdio.h>

#include "cli/job/session.h"
#include "cli/stored/limit.h"
#include "store/compare.h"

#define DIFF_FAILED 2

struct telling {
    bool json;
    uint64_t count;
};

static void tell_as_json(const struct compare_run *run)
{
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:i, s:i, s:s, s:s}", "change", change_name(run->change), "ip",
                  run->address, "protocol", protocol_name((enum protocol)run->protocol), "first", run->first,
                  "last", run->last, "before", run->before, "after", run->after);
    if (object)
        json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(object);
}

static int tell(void *context, const struct compare_run *run)
{
    struct telling *telling = context;
    char ports[16];
    telling->count++;
    if (telling->json) {
        tell_as_json(run);
        return 0;
    }
    if (run->first == run->last)
        snprintf(ports, sizeof ports, "%u", run->first);
    else
        snprintf(ports, sizeof ports, "%u-%u", run->first, run->last);
    printf("%-17s %s %s/%s: %s, was %s\n", change_name(run->change), run->address, ports,
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
        r = session_look_at(options->targets[0], &before, &err);
    if (r == 0)
        r = session_look_at(options->targets[1], &after, &err);
    if (r == 0)
        r = compare_stores(before->database, &before->scan, after->database, &after->scan, &sink, &err);
    if (r == 0 && fflush(stdout) != 0)
        r = error_set(&err, EX_IOERR, "cannot write standard output");
    if (r < 0)
        talk_error(talk, &err);
    session_free(before);
    session_free(after);
    return r < 0 ? DIFF_FAILED : telling.count > 0;
}
