/* What the user should know beside the results. */
#include "cli/supervisor/internal.h"

#include <inttypes.h>
#include <string.h>

#include "cli/options/option_table.h"
#include "engine/idle/ipid.h"
#include "plan/ports.h"

void supervisor_note_plan(struct supervisor *supervisor)
{
    const struct job *job = supervisor->job;
    for (unsigned i = 0; i < SPECIAL_COUNT; i++) {
        uint64_t count = job->plan.special_count[i];
        if (count > 0)
            talk_note(supervisor->talk, "%" PRIu64 " %s left out: %s; --allow-special scans them", count,
                      count == 1 ? "address is" : "addresses are", special_kind_name((enum special_kind)i));
    }
    if (job->targets.unresolved_count > 0)
        talk_note(supervisor->talk, "%" PRIu64 " names are left out; the first: %s",
                  job->targets.unresolved_count, supervisor->names->failure.text);
    if (job->plan.excluded_count > 0 && supervisor->run.fold.verbosity > 0)
        talk_note(supervisor->talk, "%" PRIu64 " excluded addresses are left out", job->plan.excluded_count);
    for (unsigned i = 0; i < PROTOCOL_COUNT; i++) {
        if (job->dropped_ports & PORTS_BIT(i))
            talk_note(supervisor->talk, "-p names %s ports, but no %s scan is asked for",
                      protocol_name((enum protocol)i), protocol_name((enum protocol)i));
    }
    if ((job->scans.idle || job->scans.bounces) && job->discovery.count > 0)
        talk_note(supervisor->talk,
                  "-%s asks the targets from our own address whether they are up: they see it",
                  job->options->pings[0].option->letters);
    if (job->scans.idle && !job->options->no_names)
        talk_note(supervisor->talk,
                  "names of the targets are looked up from here, which name servers can see; "
                  "-n looks up none");
    if (supervisor->run.fold.debugging > 0)
        talk_note(supervisor->talk, "the order of hosts and ports is that of --seed %" PRIu64,
                  job->plan.options.seed);
}

void supervisor_note_means(struct supervisor *supervisor)
{
    char text[SANDBOX_TEXT_MAX];
    if (supervisor->run.fold.verbosity == 0)
        return;
    sandbox_describe(&supervisor->sandbox, text);
    talk_note(supervisor->talk, "sandbox: %s", text);
    talk_note(supervisor->talk, "backend: %s", supervisor->crew->members[0].backend);
    if (supervisor->crew->count > 1)
        talk_note(supervisor->talk, "workers: %u", supervisor->crew->count);
}

/* How much must be asked for before a kind of note is shown. */
static unsigned note_level(enum note note)
{
    switch (note) {
    case NOTE_SEND_ERRORS:
    case NOTE_WAY_GONE:
    case NOTE_WAY_BACK:
    case NOTE_NEW_SOURCE:
    case NOTE_REROUTED:
    case NOTE_ZOMBIE:
    case NOTE_IDLE_STOPPED:
    case NOTE_IDLE_SEEN:
    case NOTE_RELAY:
        return 0;
    case NOTE_RING_DROPS:
    case NOTE_LOCAL_PORTS:
    case NOTE_NO_ROUTE:
    case NOTE_CONFLICT:
    case NOTE_RATE:
    case NOTE_SWALLOWED:
    case NOTE_PATH_SPLIT:
    case NOTE_PATH_JOINED:
    case NOTE_PATH_CROWDED:
    case NOTE_PATH_SILENT:
    case NOTE_PATH_ANSWERS:
        return 1;
    case NOTE_RETRY_CAP:
    case NOTE_LIMITED:
    case NOTE_POLICED:
        return 2;
    case NOTE_COUNT:
        break;
    }
    return 0;
}

/* What is wrong with the server of a bounce scan. The text of its replies stays where it was read. */
static void describe_relay(const struct record *record, char text[static FAILURE_MAX])
{
    static const char *const sentences[RELAY_TROUBLE_COUNT] = {
        [RELAY_UNREACHABLE] = "cannot be reached",
        [RELAY_NO_FTP] = "does not speak FTP",
        [RELAY_SILENT] = "takes our connection and says nothing",
        [RELAY_HANGS_UP] = "ends our connections",
        [RELAY_FULL] = "lets nobody in at present",
        [RELAY_NO_LOGIN] = "does not accept this user and password",
        [RELAY_FORBIDS] = "refuses to connect to other hosts for us",
        [RELAY_NO_LIST] = "lists no files for us, and connects to others only for that",
        [RELAY_FORBIDS_LOW] = "refuses to connect to ports below 1024, which stay unknown",
        [RELAY_FORBIDS_V6] = "refuses to connect to IPv6 addresses, whose ports stay unknown",
        [RELAY_TELLS_NOTHING] = "never said what became of an order: no port answers it, or it never asks",
    };
    char host[ADDR_TEXT_MAX], why[FAILURE_MAX / 2] = "";
    uint64_t trouble = record->value[0] < RELAY_TROUBLE_COUNT ? record->value[0] : RELAY_HANGS_UP;
    int number = (int)(record->value[1] % 1000);
    if (number && (trouble == RELAY_UNREACHABLE || trouble == RELAY_HANGS_UP))
        snprintf(why, sizeof why, ": %s", strerror(number));
    else if (number)
        snprintf(why, sizeof why, " (it answered %d)", number);
    snprintf(text, FAILURE_MAX, "the FTP server %s %s%s", addr_format(&record->host, host),
             sentences[trouble], why);
}

/* What may be the end of the scan is said at its end. */
static void take_relay(struct supervisor *supervisor, const struct record *record)
{
    char text[FAILURE_MAX];
    uint64_t trouble = record->value[0];
    describe_relay(record, text);
    if (trouble == RELAY_FORBIDS_LOW || trouble == RELAY_FORBIDS_V6 || trouble == RELAY_TELLS_NOTHING)
        talk_note(supervisor->talk, "%s", text);
    else
        memcpy(supervisor->failure, text, sizeof supervisor->failure);
}

/* The zombie of an idle scan: how it numbers its packets, and whether it is of use. */
static void take_zombie(struct supervisor *supervisor, const struct record *record)
{
    char host[ADDR_TEXT_MAX];
    enum ipid_class class =
        record->value[0] < IPID_CLASS_COUNT ? (enum ipid_class)record->value[0] : IPID_SILENT;
    addr_format(&record->host, host);
    if (supervisor->job->scans.finds_zombie) {
        if (!zombies_take(&supervisor->zombies, record))
            talk_note(supervisor->talk, "memory ran out: %s is not listed", host);
        if (!ipid_class_fits(class) && supervisor->run.fold.verbosity > 0)
            talk_note(supervisor->talk, "%s is not fit as a zombie: it %s", host, ipid_class_trouble(class));
        return;
    }
    if (ipid_class_fits(class))
        talk_note(supervisor->talk, "zombie %s: its IDs are %s, and it sends %.1f packets a second by itself",
                  host, ipid_class_name(class), (double)record->value[1] / 1e3);
    else
        snprintf(supervisor->failure, sizeof supervisor->failure, "%s cannot be the zombie: it %s", host,
                 ipid_class_trouble(class));
}

static const char *idle_trouble(uint64_t trouble)
{
    switch (trouble) {
    case IDLE_ZOMBIE_SILENT:
        return "the zombie stopped answering; ports not decided stay unknown";
    case IDLE_NOT_SHARED:
        return "packets to the zombie in this host's name do not move its ID: they are filtered on the way, "
               "or it "
               "counts for each destination apart";
    case IDLE_NO_STATION:
        return "nobody answers for this host on the attached network";
    case IDLE_NO_ROUTE:
        return "there is no route to this host";
    case IDLE_OWN_ADDRESS:
        return "an idle scan cannot ask this machine, or the zombie, for itself";
    case IDLE_OTHER_FAMILY:
        return "the zombie does not speak this host's IP version";
    default:
        return "the zombie's IDs jump as no traffic explains; ports not decided stay unknown";
    }
}

static void note_idle(struct supervisor *supervisor, const struct record *record, const char *host)
{
    if (record->note == NOTE_ZOMBIE)
        take_zombie(supervisor, record);
    else if (record->note == NOTE_IDLE_STOPPED)
        talk_note(supervisor->talk, "%s: %s", host, idle_trouble(record->value[0]));
    else
        talk_note(supervisor->talk,
                  "%s is on an attached network: it can see that we ask for its hardware address", host);
}

/* What became of our own side of the way to the targets. */
static void note_way(struct supervisor *supervisor, const struct record *record)
{
    if (record->note == NOTE_WAY_GONE)
        talk_note(supervisor->talk,
                  "the way to the targets is gone (link, route or address): waiting for it");
    else if (record->note == NOTE_WAY_BACK)
        talk_note(supervisor->talk,
                  "the way to the targets is back after %.1f seconds; %" PRIu64 " probes are sent again",
                  (double)record->value[1] / 1e3, record->value[0]);
    else if (record->note == NOTE_NEW_SOURCE)
        talk_note(supervisor->talk,
                  "our address towards the targets has changed; %" PRIu64 " probes are sent again",
                  record->value[0]);
    else if (record->note == NOTE_SWALLOWED)
        talk_note(supervisor->talk,
                  "what the backend hands to the interface by its faster way gets nowhere: the packet socket "
                  "sends from now on; %" PRIu64 " probes are sent again",
                  record->value[0]);
    else
        talk_note(supervisor->talk, "the route to the targets has changed; %" PRIu64 " probes are sent again",
                  record->value[0]);
}

static void note_rate(struct supervisor *supervisor, const struct record *record)
{
    static const char *const causes[RATE_CAUSE_COUNT] = {
        [RATE_PROVED] = "the path answers",
        [RATE_KEEPS_UP] = "answers keep up",
        [RATE_QUEUES] = "answers are late, so probes queue up on the way",
        [RATE_LOSES] = "too few probes come back that were always answered",
        [RATE_OVERRUN] = "our own side dropped packets",
    };
    double seconds = (double)(record->time_ns - supervisor->run.start_ns) / 1e9;
    char source[ADDR_TEXT_MAX];
    if (record->value[2] < RATE_CAUSE_COUNT)
        talk_note(supervisor->talk,
                  "after %.2f s the rate from %s goes from %" PRIu64 " to %" PRIu64 " packets a second: %s",
                  seconds, addr_format(&record->source, source), record->value[0], record->value[1],
                  causes[record->value[2]]);
}

/* Whose hosts have a path of their own from now on, or no longer; and why. */
static void note_path(struct supervisor *supervisor, const struct record *record)
{
    static const char *const differences[PATH_DIFFERENCE_COUNT] = {
        [PATH_LATE] = "of its answers are late",
        [PATH_LOST] = "of its probes are lost",
        [PATH_FAR] = "of its hosts are far away",
    };
    char address[ADDR_TEXT_MAX];
    if (record->note == NOTE_PATH_CROWDED) {
        talk_note(supervisor->talk,
                  "more than %" PRIu64
                  " networks are behind %s: the others are not compared with one another",
                  record->value[0], addr_format(&record->source, address));
        return;
    }
    if (record->value[1] >= PATH_DIFFERENCE_COUNT)
        return;
    bool is_split = record->note == NOTE_PATH_SPLIT;
    talk_note(supervisor->talk, "%s/%" PRIu64 " is %s: %.1f %% %s, and %.1f %% of the others",
              addr_format(&record->host, address), record->value[0],
              is_split ? "asked at a rate of its own" : "asked at the rate of the others again",
              (double)record->value[2] / 100, differences[record->value[1]], (double)record->value[3] / 100);
}

static void note_silence(struct supervisor *supervisor, const struct record *record)
{
    char source[ADDR_TEXT_MAX];
    double seconds = (double)record->value[0] / 1e3;
    addr_format(&record->source, source);
    if (record->note == NOTE_PATH_SILENT)
        talk_note(supervisor->talk, "nothing that is reached from %s has answered for %.1f seconds", source,
                  seconds);
    else
        talk_note(supervisor->talk, "what is reached from %s answers again, after %.1f seconds", source,
                  seconds);
}

/* What this machine could not send or take in. */
static void note_our_side(struct supervisor *supervisor, const struct record *record)
{
    if (record->note == NOTE_SEND_ERRORS)
        talk_note(supervisor->talk, "the kernel refused %" PRIu64 " probes (%s); they are sent again",
                  record->value[1], strerror((int)record->value[0]));
    else if (record->note == NOTE_RING_DROPS)
        talk_note(supervisor->talk,
                  "our own receive ring lost %" PRIu64 " packets; %" PRIu64 " probes are sent again",
                  record->value[0], record->value[1]);
    else
        talk_note(supervisor->talk, "local ports ran out %" PRIu64 " times; connections waited for one",
                  record->value[0]);
}

/* Why the ports of a host are asked otherwise than those of others. */
static void note_limits(struct supervisor *supervisor, const struct record *record, const char *host)
{
    if (record->note == NOTE_RETRY_CAP)
        talk_note(supervisor->talk, "%s: %" PRIu64 " ports were silent to the last try", host,
                  record->value[0]);
    else if (record->note == NOTE_LIMITED)
        talk_note(supervisor->talk, "%s limits its %s: it is asked at its pace", host,
                  record->value[0] ? "ICMP errors" : "resets");
    else
        talk_note(supervisor->talk,
                  "%s: somebody may let only so many probes through to it: it is asked calmly", host);
}

void supervisor_note_record(struct supervisor *supervisor, const struct record *record)
{
    enum note note = (enum note)record->note;
    char host[ADDR_TEXT_MAX] = "";
    supervisor->notes[note]++;
    if (supervisor->run.fold.verbosity < note_level(note))
        return;
    if (record->host.family != ADDR_NONE)
        addr_format(&record->host, host);
    switch (note) {
    case NOTE_RETRY_CAP:
    case NOTE_LIMITED:
    case NOTE_POLICED:
        note_limits(supervisor, record, host);
        break;
    case NOTE_SEND_ERRORS:
    case NOTE_RING_DROPS:
    case NOTE_LOCAL_PORTS:
        note_our_side(supervisor, record);
        break;
    case NOTE_NO_ROUTE:
        talk_note(supervisor->talk, "%s: no route: %s", host, strerror((int)record->value[0]));
        break;
    case NOTE_CONFLICT:
        talk_note(supervisor->talk,
                  "%s: answers about port %" PRIu64 " contradict each other; the first stands", host,
                  record->value[0]);
        break;
    case NOTE_WAY_GONE:
    case NOTE_WAY_BACK:
    case NOTE_NEW_SOURCE:
    case NOTE_REROUTED:
    case NOTE_SWALLOWED:
        note_way(supervisor, record);
        break;
    case NOTE_RATE:
        note_rate(supervisor, record);
        break;
    case NOTE_PATH_SPLIT:
    case NOTE_PATH_JOINED:
    case NOTE_PATH_CROWDED:
        note_path(supervisor, record);
        break;
    case NOTE_PATH_SILENT:
    case NOTE_PATH_ANSWERS:
        note_silence(supervisor, record);
        break;
    case NOTE_RELAY:
        take_relay(supervisor, record);
        break;
    case NOTE_ZOMBIE:
    case NOTE_IDLE_STOPPED:
    case NOTE_IDLE_SEEN:
        note_idle(supervisor, record, host);
        break;
    case NOTE_COUNT:
        break;
    }
}

void supervisor_note_end(struct supervisor *supervisor)
{
    const struct results_totals *totals = results_totals(supervisor->results);
    if (supervisor->notes[NOTE_NO_ROUTE] > 0 && supervisor->run.fold.verbosity == 0)
        talk_note(supervisor->talk, "there was no route to %" PRIu64 " hosts; -v names them",
                  supervisor->notes[NOTE_NO_ROUTE]);
    if (supervisor->failure[0] && !supervisor_cut_short(supervisor))
        talk_note(supervisor->talk, "%s", supervisor->failure);
    if (totals->records_refused > 0)
        talk_note(supervisor->talk,
                  "%" PRIu64 " records of the packet process made no sense and were ignored",
                  totals->records_refused);
    if (totals->records_lost > 0)
        talk_note(supervisor->talk,
                  "memory ran out: %" PRIu64 " answers were lost, and their hosts are marked unfinished",
                  totals->records_lost);
    const char *trouble = supervisor->names->resolver ? resolver_trouble(supervisor->names->resolver) : NULL;
    if (trouble && supervisor->run.fold.verbosity > 0)
        talk_note(supervisor->talk, "%s", trouble);
}
