#include "cli/stored/story.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/escape.h"
#include "base/time.h"
#include "store/query.h"
#include "store/text.h"

struct event {
    int64_t time_ns;
    const char *what;
    struct addr host; /* ADDR_NONE: of no host */
    int64_t first, second;
};

const char *story_time(int64_t time_ns, char text[static STORY_TIME_MAX])
{
    time_t seconds = (time_t)(time_ns / SEC);
    struct tm broken;
    char date[32];
    if (!localtime_r(&seconds, &broken) || strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &broken) == 0)
        date[0] = '\0';
    snprintf(text, STORY_TIME_MAX, "%s.%06" PRId64, date, time_ns % SEC / USEC);
    return text;
}

static void tell_rate(const struct event *event)
{
    printf("the rate went from %" PRId64 " to %" PRId64 " packets a second", event->first, event->second);
}

static void tell_ring(const struct event *event)
{
    printf("our own receive ring lost %" PRId64 " packets; %" PRId64 " probes were sent again", event->first,
           event->second);
}

static void tell_refused(const struct event *event)
{
    printf("the kernel refused %" PRId64 " probes (%s); they were sent again", event->second,
           strerror((int)event->first));
}

static void tell_no_route(const struct event *event)
{
    printf("there was no route to it: %s", strerror((int)event->first));
}

static void tell_local_ports(const struct event *event)
{
    printf("local ports ran out %" PRId64 " times; connections waited for one", event->first);
}

static void tell_gone(const struct event *event)
{
    (void)event;
    fputs("the way to the targets was gone (link, route or address); the scan waited", stdout);
}

static void tell_back(const struct event *event)
{
    printf("the way was back after %.1f seconds; %" PRId64 " probes were sent again",
           (double)event->second / 1e3, event->first);
}

static void tell_source(const struct event *event)
{
    printf("our own address changed; %" PRId64 " probes were sent again", event->first);
}

static void tell_rerouted(const struct event *event)
{
    printf("the route changed; %" PRId64 " probes were sent again", event->first);
}

static void tell_swallowed(const struct event *event)
{
    printf("the backend's faster way led nowhere and was left; %" PRId64 " probes were sent again",
           event->first);
}

static void tell_limiter(const struct event *event)
{
    printf("it limits its %s; from here on it was asked at its pace",
           event->first ? "ICMP errors" : "resets");
}

static void tell_policer(const struct event *event)
{
    (void)event;
    fputs("it looked as if only so many probes get through to it; from here on it was asked at a pace that "
          "does",
          stdout);
}

static void tell_conflict(const struct event *event)
{
    (void)event;
    fputs("answers about this port contradicted each other; the first stood", stdout);
}

static void tell_cap(const struct event *event)
{
    printf("--max-retries ended it, with %" PRId64 " ports silent to all %" PRId64 " tries", event->first,
           event->second);
}

static void tell_split(const struct event *event)
{
    printf("its network of %" PRId64 " bits was found to differ, and got a rate of its own", event->first);
}

static void tell_joined(const struct event *event)
{
    printf("its network of %" PRId64 " bits went on at the rate of the others", event->first);
}

static void tell_silence(const struct event *event)
{
    printf("nothing on the way had answered for %.1f seconds", (double)event->first / 1e3);
}

static void tell_answers(const struct event *event)
{
    printf("it answered again, after %.1f seconds", (double)event->first / 1e3);
}

static void tell_idle(const struct event *event)
{
    (void)event;
    fputs("its idle scan ended early", stdout);
}

static void tell_what(const struct event *event)
{
    printf("the scan was %s", event->what);
}

/* Whom an event concerns. */
enum scope { ALL, HOST, PORT, NETWORK };

static const struct {
    const char *what; /* event.what */
    enum scope scope;
    void (*tell)(const struct event *event);
} kinds[] = {
    {"rate", ALL, tell_rate},
    {"ring drops", ALL, tell_ring},
    {"send errors", ALL, tell_refused},
    {"local ports", ALL, tell_local_ports},
    {"way gone", ALL, tell_gone},
    {"way back", ALL, tell_back},
    {"new source", ALL, tell_source},
    {"rerouted", ALL, tell_rerouted},
    {"swallowed", ALL, tell_swallowed},
    {"path silent", ALL, tell_silence},
    {"path answers", ALL, tell_answers},
    {"stopped", ALL, tell_what},
    {"resumed", ALL, tell_what},
    {"path split", NETWORK, tell_split},
    {"path joined", NETWORK, tell_joined},
    {"no route", HOST, tell_no_route},
    {"limiter", HOST, tell_limiter},
    {"policer", HOST, tell_policer},
    {"retry cap", HOST, tell_cap},
    {"idle scan stopped", HOST, tell_idle},
    {"conflict", PORT, tell_conflict},
};

#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

static size_t kind_of(const struct event *event)
{
    size_t kind = 0;
    while (kind < KIND_COUNT && strcmp(kinds[kind].what, event->what) != 0)
        kind++;
    return kind;
}

/* Is the host in the network of so many bits that begins with this address? */
static bool is_within(const struct addr *host, const struct addr *network, int64_t bits)
{
    if (host->family != network->family || bits < 0 || bits > (int64_t)(8 * addr_len(host)))
        return false;
    for (unsigned bit = 0; bit < (unsigned)bits; bit++)
        if ((host->bytes[bit / 8] ^ network->bytes[bit / 8]) & (0x80u >> (bit % 8)))
            return false;
    return true;
}

static bool concerns(const struct event *event, enum scope scope, const struct story *story)
{
    bool in_time = event->time_ns >= story->from_ns && event->time_ns <= story->until_ns;
    switch (scope) {
    case ALL:
        return in_time;
    case NETWORK:
        return in_time && is_within(&story->host, &event->host, event->first);
    case HOST:
        return addr_equal(&story->host, &event->host);
    case PORT:
        return addr_equal(&story->host, &event->host) && event->first == story->port;
    }
    return false;
}

static void tell(const struct event *event, size_t kind)
{
    char text[ADDR_TEXT_MAX];
    char when[STORY_TIME_MAX];
    printf("    %s  ", story_time(event->time_ns, when));
    kinds[kind].tell(event);
    if (kinds[kind].scope == ALL && event->host.family != ADDR_NONE) {
        fputs(", of the way from ", stdout);
        escape_write(ESCAPE_TEXT, addr_format(&event->host, text), stdout);
    }
    putchar('\n');
}

int story_tell(struct database *database, const struct story *story, struct error *err)
{
    struct sqlite3_stmt *query = NULL;
    unsigned lines = 0;
    uint64_t left = 0;
    int r = database_query(database, "SELECT time_ns, what, host, first, second FROM event ORDER BY id",
                           &query, err);
    while (r == 0 && (r = query_next(database, query, err)) == 1) {
        struct event event = {.time_ns = query_int(query, 0),
                              .what = query_text(query, 1),
                              .first = query_int(query, 3),
                              .second = query_int(query, 4)};
        r = 0;
        if (!event.what || event.time_ns < 0 || !text_addr(query_text(query, 2), &event.host)) {
            r = error_set(err, EX_DATAERR, "the store is damaged: an event");
            break;
        }
        size_t kind = kind_of(&event);
        if (kind == KIND_COUNT || !concerns(&event, kinds[kind].scope, story))
            continue;
        if (lines >= STORY_LINES && kinds[kind].scope == ALL) {
            left++;
            continue;
        }
        if (lines++ == 0)
            puts("meanwhile:");
        tell(&event, kind);
    }
    if (left)
        printf("    and %" PRIu64 " more of the kind, in the table `event`\n", left);
    query_done(query);
    return r < 0 ? r : 0;
}
