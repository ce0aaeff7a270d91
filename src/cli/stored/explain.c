#include "cli/stored/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/time.h"
#include "cli/job/session.h"
#include "cli/options/number.h"
#include "cli/stored/limit.h"
#include "cli/stored/story.h"
#include "store/query.h"
#include "store/text.h"

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
    if (!colon || host_len >= sizeof host || !text_addr(host, &question.host) ||
        !number_read(digits, 0, UINT16_MAX, &port) ||
        (slash && !text_protocol(slash + 1, &question.protocol)))
        return error_set(err, EX_USAGE,
                         "'%s' is not HOST:PORT, such as 198.18.0.1:80 or [2001:db8::1]:53/udp", text);
    question.port = (uint16_t)port;
    *ret = question;
    return 0;
}

/* How it is known that this answers our probe. */
static const char *proof_of(const struct stored_scan *scan, const struct port_result *port)
{
    if (strstr(scan->scans, "idle"))
        return "the IDs of the zombie's packets";
    if (strstr(scan->scans, "bounce"))
        return "the word of the FTP server";
    if (port->flags & RECORD_WEAK)
        return "a port number alone, confirmed by a second answer";
    if (strstr(scan->scans, "connect") && port->protocol == PROTOCOL_TCP)
        return "the kernel's, whose connection it was";
    return "the answer carries the number of its probe";
}

/* No probe of it left: there was no way to its host. */
static bool is_unasked(const struct port_result *port)
{
    return port->tries == 0 && (port->reason == REASON_HOST_UNREACH || port->reason == REASON_NET_UNREACH);
}

static void tell_answer(const struct stored_scan *scan, const struct port_result *port)
{
    char text[ADDR_TEXT_MAX];
    char when[STORY_TIME_MAX];
    if (port->tries > 1)
        printf("the tries before it, 1 to %d, decided nothing\n", port->tries - 1);
    if (port->tries > 0)
        printf("answered to try %u ", port->tries);
    printf("%s %s: %s", rows_port_stands_alone(port) ? "at" : "no later than",
           story_time(port->time_ns, when), reason_name((enum reason)port->reason));
    if (port->ttl)
        printf(", TTL %u", port->ttl);
    if (port->source.family != ADDR_NONE) {
        fputs(", from ", stdout);
        escape_write(ESCAPE_TEXT, addr_format(&port->source, text), stdout);
    }
    if (port->rtt_ns)
        printf(", %.3f ms after the probe, which left at %s", (double)port->rtt_ns / (double)MSEC,
               story_time(port->time_ns - port->rtt_ns, when));
    printf("\nproof: %s\n", proof_of(scan, port));
    if (port->flags & RECORD_LATE)
        puts("it came late: the host had been reported already");
    if (port->confirmation != CONFIRMATION_NONE)
        printf("--verify: %s\n", confirmation_name((enum confirmation)port->confirmation));
    if (port->foreign)
        puts("its TTL is not that of the host's own answers: somebody on the way may have sent it");
}

static void tell_silence(const struct stored_scan *scan, const struct host_result *host,
                         const struct port_result *port)
{
    char from[STORY_TIME_MAX];
    char until[STORY_TIME_MAX];
    if (port->state == PORT_UNKNOWN) {
        puts(host->timed_out ? "not known: the host took too long"
                             : "not known yet: the scan has not finished it");
        return;
    }
    printf("silent: asked %u times, not counting what our own side lost, between %s and %s, and nothing that "
           "proves itself came back\n",
           port->tries, story_time(host->start_ns, from), story_time(host->end_ns, until));
    if (host->capped)
        puts("--max-retries allowed no more tries: it is less certain than silence usually is");
    if (scan->has_account)
        printf("of %" PRIu64 " tries in this scan that were answered in the end %" PRIu64 " were lost\n",
               scan->account[END_TRIES], scan->account[END_TRIES_LOST]);
}

/* What is known of the host as a whole, and says how to take what it answers. */
static void tell_manners(const struct host_result *host)
{
    if (host->srtt_ns)
        printf("round trip: %.3f ms, time-out: %.3f ms\n", (double)host->srtt_ns / (double)MSEC,
               (double)host->rto_ns / (double)MSEC);
    if (host->answers_all)
        puts("ports on which nobody listens look open on this host");
    if (host->proxied)
        puts("its open ports answered as only somebody in between does");
}

static int tell_evidence(struct database *database, const struct question *question, uint64_t position,
                         struct error *err)
{
    char sql[160];
    struct sqlite3_stmt *query = NULL;
    snprintf(
        sql, sizeof sql,
        "SELECT evidence FROM port WHERE position=? AND port=? AND protocol='%s' ORDER BY id DESC LIMIT 1",
        protocol_name((enum protocol)question->protocol));
    int r = database_query(database, sql, &query, err);
    if (r == 0) {
        query_bind(query, 1, (int64_t)position);
        query_bind(query, 2, question->port);
        r = query_next(database, query, err);
    }
    size_t len = 0;
    const uint8_t *bytes = r == 1 ? query_blob(query, 0, &len) : NULL;
    if (bytes) {
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

/* Until when the port may have been asked, or its answer have been on its way. */
static int64_t last_ns(const struct session *session, const struct host_result *host,
                       const struct port_result *port)
{
    int64_t end_ns = host->unfinished ? session->scan.progress.saved_ns : host->end_ns;
    return port->time_ns > end_ns ? port->time_ns : end_ns;
}

/* The host has a row. */
static int tell_host(struct session *session, struct host_cursor *cursor, const struct question *question,
                     struct error *err)
{
    int r = host_cursor_ports(cursor, err);
    const struct host_result *host = host_cursor_host(cursor);
    char when[STORY_TIME_MAX];
    if (r < 0)
        return r;
    printf("host: %s since %s, because of %s\n", host->up ? "up" : "down", story_time(host->start_ns, when),
           reason_name((enum reason)host->reason));
    tell_manners(host);
    const struct port_result *port = find_port(host, question);
    if (!port) {
        puts(host->up ? "this port was not asked" : "so none of its ports was asked");
        return 0;
    }
    printf("state: %s\n", state_name((enum port_state)port->state));
    if (port->reason == REASON_NO_RESPONSE || port->state == PORT_UNKNOWN)
        tell_silence(&session->scan, host, port);
    else if (is_unasked(port))
        printf("not asked: %s, as this machine itself found out\n", reason_name((enum reason)port->reason));
    else
        tell_answer(&session->scan, port);
    r = tell_evidence(session->database, question, host->position, err);
    struct story story = {question->host, question->port, host->start_ns, last_ns(session, host, port)};
    return r == 0 ? story_tell(session->database, &story, err) : r;
}

/* The host has none. */
static int tell_down(struct session *session, const struct question *question, uint64_t position,
                     struct error *err)
{
    struct story story = {question->host, question->port, session->scan.started_ns,
                          session->scan.progress.saved_ns};
    struct sqlite3_stmt *query = NULL;
    char when[STORY_TIME_MAX];
    uint8_t reason = 0;
    int r = database_query(session->database,
                           "SELECT reason, time_ns FROM down WHERE first <= ?1 AND last >= ?1", &query, err);
    if (r == 0) {
        query_bind(query, 1, (int64_t)position);
        r = query_next(session->database, query, err);
    }
    if (r == 1 && (!text_reason(query_text(query, 0), &reason) || query_int(query, 1) < 0)) {
        r = error_set(err, EX_DATAERR, "the store is damaged: a range of hosts that are down");
    } else if (r == 1) {
        printf("host: down, found so at %s or later, because of %s\n", story_time(query_int(query, 1), when),
               reason_name((enum reason)reason));
        r = story_tell(session->database, &story, err);
    } else if (r == 0) {
        puts(position < session->scan.progress.next_position ? "host: nothing has come from it yet"
                                                             : "host: the scan has not come to it yet");
    }
    query_done(query);
    return r;
}

static int explain(struct session *session, const struct question *question, struct error *err)
{
    char when[STORY_TIME_MAX];
    uint64_t position;
    uint64_t index;
    enum host_progress progress = HOST_DONE;
    printf("scan: %s, begun %s, %s\n", session->scan.scans, story_time(session->scan.started_ns, when),
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
        r = tell_down(session, question, position, err);
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
        r = stored_look_at(options->targets[0], talk, &session, &err);
    if (r == 0)
        r = explain(session, &question, &err);
    if (r == 0 && fflush(stdout) != 0)
        r = error_set(&err, EX_IOERR, "cannot write standard output");
    if (r < 0)
        talk_error(talk, &err);
    session_free(session);
    return -r;
}
