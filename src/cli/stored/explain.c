#include "cli/stored/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/escape.h"
#include "base/time.h"
#include "cli/job/session.h"
#include "cli/options/number.h"
#include "cli/stored/limit.h"
#include "store/text.h"

#define TIME_TEXT_MAX 48

struct question {
    struct addr host;
    uint16_t port;
    uint8_t protocol; /* enum protocol */
};

/* "198.18.0.1:80", "[2001:db8::1]:53/udp" */
static int read_question(const char *text, struct question *ret, struct error *err)
{
    struct question question = {.protocol = PROTOCOL_TCP};
    char host[ADDR_TEXT_MAX];
    const char *colon = strrchr(text, ':');
    const char *slash = colon ? strchr(colon, '/') : NULL;
    size_t host_len = colon ? (size_t)(colon - text) : 0;
    bool brackets = host_len >= 2 && text[0] == '[' && text[host_len - 1] == ']';
    uint64_t port = 0;
    char digits[8] = "";
    if (brackets) {
        text++;
        host_len -= 2;
    }
    if (colon && host_len < sizeof host) {
        memcpy(host, text, host_len);
        host[host_len] = '\0';
        snprintf(digits, sizeof digits, "%.*s", (int)strcspn(colon + 1, "/"), colon + 1);
    }
    if (!colon || host_len >= sizeof host || !addr_parse(host, &question.host) ||
        !number_read(digits, 0, UINT16_MAX, &port) ||
        (slash && !text_protocol(slash + 1, &question.protocol)))
        return error_set(err, EX_USAGE,
                         "'%s' is not HOST:PORT, such as 198.18.0.1:80 or [2001:db8::1]:53/udp", text);
    question.port = (uint16_t)port;
    *ret = question;
    return 0;
}

static const char *time_text(int64_t time_ns, char text[static TIME_TEXT_MAX])
{
    time_t seconds = (time_t)(time_ns / SEC);
    struct tm broken;
    char date[32];
    if (!localtime_r(&seconds, &broken) || strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &broken) == 0)
        date[0] = '\0';
    snprintf(text, TIME_TEXT_MAX, "%s.%06" PRId64, date, time_ns % SEC / USEC);
    return text;
}

static void tell_answer(const struct port_result *port)
{
    char text[ADDR_TEXT_MAX];
    char when[TIME_TEXT_MAX];
    printf("answered to try %u at %s: %s", port->tries, time_text(port->time_ns, when),
           reason_name((enum reason)port->reason));
    if (port->ttl)
        printf(", TTL %u", port->ttl);
    if (port->source.family != ADDR_NONE) {
        fputs(", from ", stdout);
        escape_write(ESCAPE_TEXT, addr_format(&port->source, text), stdout);
    }
    if (port->rtt_ns)
        printf(", %.3f ms after the probe", (double)port->rtt_ns / (double)MSEC);
    putchar('\n');
    if (port->flags & RECORD_WEAK)
        puts("proof: a port number alone, confirmed by a second answer");
    else
        puts("proof: the answer carries the number of its probe");
    if (port->flags & RECORD_LATE)
        puts("it came late: the host had been reported already");
}

static void tell_silence(const struct host_result *host, const struct port_result *port)
{
    if (port->state == PORT_UNKNOWN)
        puts(host->timed_out ? "not known: the host took too long"
                             : "not known yet: the scan has not finished it");
    else
        printf("silent: asked %u times, and nothing that proves itself came back\n", port->tries);
}

static int tell_evidence(struct database *database, const struct question *question, uint64_t position,
                         struct error *err)
{
    char sql[160];
    struct sqlite3_stmt *query = NULL;
    snprintf(sql, sizeof sql,
             "SELECT evidence FROM port WHERE position=? AND port=? AND protocol='%s' AND evidence NOT NULL",
             protocol_name((enum protocol)question->protocol));
    int r = database_query(database, sql, &query, err);
    if (r == 0) {
        query_bind(query, 1, (int64_t)position);
        query_bind(query, 2, question->port);
        r = query_next(database, query, err);
    }
    if (r == 1) {
        size_t len = 0;
        const uint8_t *bytes = query_blob(query, 0, &len);
        printf("the packet that decided, its first %zu bytes:", len);
        for (size_t i = 0; i < len; i++)
            printf("%s%02x", i % 16 ? " " : "\n    ", bytes[i]);
        putchar('\n');
    }
    query_done(query);
    return r < 0 ? r : 0;
}

static const struct port_result *find_port(const struct host_result *host, const struct question *question)
{
    for (uint32_t i = 0; i < host->port_count; i++) {
        if (host->ports[i].port == question->port && host->ports[i].protocol == question->protocol)
            return &host->ports[i];
    }
    return NULL;
}

/* The host has a row. */
static int tell_host(struct session *session, struct host_cursor *cursor, const struct question *question,
                     struct error *err)
{
    int r = host_cursor_ports(cursor, err);
    const struct host_result *host = host_cursor_host(cursor);
    char when[TIME_TEXT_MAX];
    if (r < 0)
        return r;
    printf("host: %s since %s, because of %s\n", host->up ? "up" : "down", time_text(host->start_ns, when),
           reason_name((enum reason)host->reason));
    const struct port_result *port = find_port(host, question);
    if (!port) {
        puts(host->up ? "this port was not asked" : "so none of its ports was asked");
        return 0;
    }
    printf("state: %s\n", state_name((enum port_state)port->state));
    if (port->reason == REASON_NO_RESPONSE || port->state == PORT_UNKNOWN)
        tell_silence(host, port);
    else
        tell_answer(port);
    return tell_evidence(session->database, question, host->position, err);
}

static int explain(struct session *session, const struct question *question, struct error *err)
{
    char when[TIME_TEXT_MAX];
    uint64_t position;
    uint64_t index;
    enum host_progress progress = HOST_DONE;
    printf("scan: %s, begun %s, %s\n", session->scan.scans, time_text(session->scan.started_ns, when),
           session->scan.progress.state);
    if (!plan_host_find(session->scan.plan, &question->host, &position)) {
        puts("this host is not among the targets of the scan, or is of another shard");
        return 0;
    }
    if (addr_set_find(&session->excluded, &question->host, &index))
        puts("the host was excluded when the scan was resumed");
    struct host_cursor *cursor = NULL;
    int r = host_cursor_open(session->database, &session->scan, LOAD_ONE, &cursor, err);
    if (r < 0)
        return r;
    r = host_cursor_find(cursor, position, &progress, err);
    if (r == 1)
        r = tell_host(session, cursor, question, err);
    else if (r == 0)
        puts(position < session->scan.progress.next_position
                 ? "host: it did not answer, and is down or not done yet"
                 : "host: the scan has not come to it yet");
    host_cursor_close(cursor);
    return r;
}

int stored_explain(const struct options *options, struct talk *talk)
{
    struct error err = {.status = 0};
    struct question question = {.port = 0};
    struct session *session = NULL;
    int r = read_question(options->targets[1], &question, &err);
    if (r == 0)
        r = stored_limit(options, 1, talk, &err);
    if (r == 0)
        r = session_look_at(options->targets[0], &session, &err);
    if (r == 0)
        r = explain(session, &question, &err);
    if (r == 0 && fflush(stdout) != 0)
        r = error_set(&err, EX_IOERR, "cannot write standard output");
    if (r < 0)
        talk_error(talk, &err);
    session_free(session);
    return -r;
}
