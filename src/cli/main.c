/* Portolan, the program: takes its sockets, gives up every privilege, and only then looks at what it was
 * given; then two processes do the scan. */
#include <stdio.h>
#include <string.h>

#include "base/descriptors.h"
#include "cli/crew.h"
#include "cli/doctor.h"
#include "cli/job/job.h"
#include "cli/job/session.h"
#include "cli/options/number.h"
#include "cli/options/option_doc.h"
#include "cli/options/options.h"
#include "cli/stored/diff.h"
#include "cli/stored/explain.h"
#include "cli/stored/report.h"
#include "cli/supervisor/names.h"
#include "cli/supervisor/supervisor.h"
#include "cli/talk.h"
#include "cli/verbs.h"
#include "netio/live/sockets.h"
#include "netio/xdp/wire.h"
#include "sandbox/caps.h"

/* A set for each worker. */
struct all_sockets {
    struct sockets sets[WORKERS_MAX];
    unsigned count; /* that are open */
};

/* The value of an option in the one look at the command line before privilege is given up. NULL: it is not
 * there. */
static const char *glimpse(int argc, char *argv[], const char *option)
{
    size_t len = strlen(option);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], option) == 0 && i + 1 < argc)
            return argv[i + 1];
        if (strncmp(argv[i], option, len) == 0 && argv[i][len] == '=')
            return argv[i] + len + 1;
    }
    return NULL;
}

/* A backend that needs more than sockets, or the question whether that would work? The store of a scan that
 * goes on may name one, and is not read before privilege is given up. */
static bool names_wire(int argc, char *argv[])
{
    const char *name = glimpse(argc, argv, "--backend");
    enum options_verb verb = argc > 1 ? verb_find(argv[1]) : VERB_SCAN;
    return verb == VERB_DOCTOR || verb == VERB_RESUME ||
           (name && (wire_is_backend(name) || strcmp(name, WIRE_BEST) == 0));
}

/* How many sets of sockets to open. What is no such number is refused when the command line is read. */
static unsigned names_workers(int argc, char *argv[])
{
    const char *value = glimpse(argc, argv, "--workers");
    uint64_t count = 1;
    return value && number_read(value, 1, WORKERS_MAX, &count) ? (unsigned)count : 1;
}

static int open_sockets(struct all_sockets *sockets, unsigned count, struct error *err)
{
    int r = 0;
    for (sockets->count = 0; sockets->count < count && r == 0; sockets->count += r == 0)
        r = sockets_open(&sockets->sets[sockets->count], err);
    return r;
}

static void close_sockets(struct all_sockets *sockets)
{
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        sockets_close(&sockets->sets[i]);
    sockets->count = 0;
}

/* What the backends xdp and kernel need. Without it they are refused, when the command line is read, with
 * this reason. */
static void take_wire(struct sockets *sockets, struct error *why_not)
{
    if (caps_raise_wire(why_not) == 0)
        wire_open(&sockets->wire, why_not);
}

/* Open the sockets if CAP_NET_RAW allows it, whoever we are; then be nobody special. */
static int take_privilege(int argc, char *argv[], struct all_sockets *sockets, struct scan_privilege *ret,
                          struct error *why_not, struct error *err)
{
    struct sockets *first = &sockets->sets[0];
    *ret = (struct scan_privilege){
        .why_not = "this program does not have the capability cap_net_raw",
        .why_no_wire = "this program does not have the capability cap_net_raw",
    };
    if (caps_have_net_raw()) {
        int r = caps_raise_net_raw(why_not);
        if (r == 0)
            r = open_sockets(sockets, names_workers(argc, argv), why_not);
        if (r == 0 && names_wire(argc, argv))
            take_wire(first, &first->why_no_wire);
        ret->why_no_wire = first->wire ? NULL : first->why_no_wire.text;
        caps_lower_net_raw();
        ret->raw = r == 0;
        ret->why_not = why_not->text;
    }
    return caps_drop_all(err);
}

static int scan(const struct options *options, struct session *session,
                const struct scan_privilege *privilege, struct all_sockets *sockets, struct talk *talk)
{
    struct error err = {.status = 0};
    struct names names;
    struct job *job = NULL;
    struct crew crew = {.count = 0};
    names_init(&names, options);
    int r = job_new(options, session, privilege, &names, &job, &err);
    if (r == 0 && session)
        r = session_load(session, job, &err);
    if (r == 0)
        r = names_prepare_reverse(&names, &err);
    if (r == 0) {
        supervisor_block_signals();
        r = crew_start(job, sockets->sets, &crew, &err);
    }
    int status = -r;
    if (r == 0)
        status = supervisor_run(job, &names, &crew, talk);
    else
        talk_error(talk, &err);
    names_done(&names);
    job_free(job);
    return status;
}

/* Go on with the scan of a store. */
static int resume(const struct options *given, const struct scan_privilege *privilege,
                  struct all_sockets *sockets, struct talk *talk)
{
    struct error err = {.status = 0};
    struct session *session = NULL;
    struct options options;
    int r = session_open(given->targets[0], &session, &err);
    if (r == 0)
        r = options_resume(session->word_count, session->words, given, &options, &err);
    if (r < 0) {
        talk_error(talk, &err);
        session_free(session);
        return -r;
    }
    int status = -options_check(&options, &err);
    if (status != 0)
        talk_error(talk, &err);
    else
        status = scan(&options, session, privilege, sockets, talk);
    options_done(&options);
    session_free(session);
    return status;
}

/* Do what the first word says. */
static int obey(const struct options *options, const struct scan_privilege *privilege,
                struct all_sockets *sockets, struct talk *talk)
{
    struct error err = {.status = 0};
    int r = options->verb == VERB_SCAN ? options_check(options, &err) : verb_check(options, &err);
    if (r == 0 && options->verb == VERB_DOCTOR)
        r = caps_no_new_privs(&err); /* all others are limited further, when they know to what */
    if (r < 0) {
        talk_error(talk, &err);
        return -r;
    }
    switch ((enum options_verb)options->verb) {
    case VERB_DOCTOR:
        return doctor(privilege, stdout);
    case VERB_RESUME:
        return resume(options, privilege, sockets, talk);
    case VERB_REPORT:
        return stored_report(options, talk);
    case VERB_DIFF:
        return stored_diff(options, talk);
    case VERB_EXPLAIN:
        return stored_explain(options, talk);
    case VERB_SCAN:
    case VERB_COUNT:
        break;
    }
    return scan(options, NULL, privilege, sockets, talk);
}

static int run(int argc, char *argv[], struct scan_privilege *privilege, struct all_sockets *sockets,
               struct talk *talk)
{
    struct error err = {.status = 0};
    struct options options;
    int status = -options_parse(argc, argv, &options, &err);
    if (status != 0) {
        talk_error(talk, &err);
        return status;
    }
    if (options.unprivileged) {
        privilege->raw = false;
        privilege->why_not = "--unprivileged is given";
        close_sockets(sockets);
    }
    if (options.help || options.version) {
        if (options.help)
            option_doc_help(stdout);
        else
            puts("Portolan " PORTOLAN_VERSION);
        status = fflush(stdout) == 0 ? EX_OK : EX_IOERR;
    } else {
        status = obey(&options, privilege, sockets, talk);
    }
    options_done(&options);
    return status;
}

int main(int argc, char *argv[])
{
    struct all_sockets sockets;
    struct scan_privilege privilege;
    struct error why_not = {.status = 0};
    struct error err = {.status = 0};
    descriptors_hold_standard();
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        sockets.sets[i] = (struct sockets)SOCKETS_CLOSED;
    struct talk talk = talk_new(stderr);
    int status = -take_privilege(argc, argv, &sockets, &privilege, &why_not, &err);
    privilege.program = argc > 0 ? argv[0] : "portolan";
    if (status == 0)
        status = run(argc, argv, &privilege, &sockets, &talk);
    else
        talk_error(&talk, &err);
    close_sockets(&sockets);
    return status;
}
