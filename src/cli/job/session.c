#include "cli/job/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/job/job.h"
#include "cli/job/session_blocks.h"
#include "store/query.h"

static int split_words(struct session *session, struct error *err)
{
    const struct stored_scan *scan = &session->scan;
    size_t count = 0;
    for (size_t i = 0; i < scan->words_len; i++)
        count += scan->words[i] == '\0';
    session->words = calloc(count + 1, sizeof *session->words);
    if (!session->words)
        return error_set(err, EX_OSERR, "out of memory");
    char *word = scan->words;
    for (size_t i = 0; i < count; i++) {
        session->words[i] = word;
        word += strlen(word) + 1;
    }
    session->word_count = (int)count;
    return 0;
}

static int refuse_interface(void *context, const char *interface, uint32_t scope)
{
    (void)scope;
    return error_set(context, EX_UNAVAILABLE,
                     "the store has link-local addresses of the interface '%.64s', which this machine does "
                     "not have",
                     interface);
}

static int open_as(const char *path, enum database_use use, struct session **ret, struct error *err)
{
    struct session *session = calloc(1, sizeof *session);
    if (!session)
        return error_set(err, EX_OSERR, "out of memory");
    int r = database_open(path, use, &session->database, err);
    if (r == 0 && use == DATABASE_WRITE)
        r = database_check(session->database, err);
    if (r == 0)
        r = load_scan(session->database, &session->scan, err);
    if (r == 0)
        r = split_words(session, err);
    if (r == 0)
        r = load_excluded(session->database, &session->excluded, err);
    if (r == 0 && use == DATABASE_WRITE)
        r = load_missing_interfaces(session->database, refuse_interface, err, err);
    if (r < 0) {
        session_free(session);
        return r;
    }
    *ret = session;
    return 0;
}

int session_open(const char *path, struct session **ret, struct error *err)
{
    return open_as(path, DATABASE_WRITE, ret, err);
}

int session_look_at(const char *path, struct session **ret, struct error *err)
{
    return open_as(path, DATABASE_READ, ret, err);
}

void session_free(struct session *session)
{
    if (!session)
        return;
    database_close(session->database);
    stored_scan_done(&session->scan);
    addr_set_done(&session->excluded);
    session_blocks_done(&session->resume);
    free(session->words);
    free(session->again);
    free(session->up);
    free(session);
}

static int take_name(void *context, const struct addr *address, const char *name)
{
    struct targets *targets = context;
    return targets_add_name(targets, address, name);
}

int session_targets(struct session *session, struct targets *targets, struct error *err)
{
    int r = load_targets(session->database, &targets->set, err);
    return r == 0 ? load_names(session->database, take_name, targets, err) : r;
}

int session_exclude(struct session *session, struct addr_set *excluded, struct error *err)
{
    int r = 0;
    for (size_t i = 0; i < excluded->v4_count && r == 0; i++)
        r = addr_set_add(&session->excluded, addr_v4(excluded->v4[i].first), addr_v4(excluded->v4[i].last));
    for (size_t i = 0; i < excluded->v6_count && r == 0; i++) {
        const struct addr_range_v6 *range = &excluded->v6[i];
        r = addr_set_add(&session->excluded, addr_v6(range->first, range->scope),
                         addr_v6(range->last, range->scope));
    }
    addr_set_done(excluded);
    if (r == 0)
        r = addr_set_normalize(&session->excluded) == -ENOMEM ? -ENOMEM : 0;
    return r == 0 ? 0 : error_set(err, EX_OSERR, "out of memory");
}

/* The first thing that differs. */
static int check_plan(const struct session *session, const struct job *job, struct error *err)
{
    const struct stored_scan *scan = &session->scan;
    char digest[DIGEST_TEXT_MAX];
    char scans[JOB_SCANS_MAX];
    job_digest(job, digest);
    job_scan_names(job, scans);
    if (strcmp(digest, scan->digest) == 0)
        return 0;
    if (strcmp(scans, scan->scans) != 0)
        return error_set(
            err, EX_DATAERR,
            "this would be another scan: its technique is now '%s' and was '%s' (raw sockets make "
            "the difference, unless the kind of scan is named)",
            scans, scan->scans);
    if (memcmp(&job->plan.ports, &scan->plan->ports, sizeof job->plan.ports) != 0)
        return error_set(err, EX_DATAERR,
                         "this would be another scan: other ports (was --servicedb changed?)");
    if (strcmp(PORTOLAN_VERSION, scan->portolan) != 0)
        return error_set(err, EX_DATAERR,
                         "this would be another scan: Portolan %s began it, and " PORTOLAN_VERSION
                         " asks in another order",
                         scan->portolan);
    return error_set(err, EX_DATAERR, "this would be another scan: what it asks, or its order, has changed");
}

int session_load(struct session *session, const struct job *job, struct error *err)
{
    int r = check_plan(session, job, err);
    if (r == 0 && job->options->via)
        r = error_set(err, EX_USAGE,
                      "a scan through another host cannot be resumed; portolan report shows what was found");
    if (r == 0)
        r = session_blocks_load(session, err);
    database_close(session->database);
    session->database = NULL;
    return r;
}
