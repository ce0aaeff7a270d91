#include "netio/sim/relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/time.h"
#include "netio/sim/answer.h"
#include "netio/stream.h"

#define KERNEL_TIMEOUT_NS (127 * SEC) /* of connect(), after the SYN and six repeats */
#define FLOOD_GAP_NS      (100 * USEC)
#define DRIP_GAP_NS       (10 * SEC)
#define VERB_LEN          4 /* of every command that is ever said to it */

/* What became of the server's own connect(). */
enum dialled { DIALLED, DIALLED_REFUSED, DIALLED_UNREACHABLE, DIALLED_TIMED_OUT };

/* What a command is carried out with. */
struct turn {
    struct sim_session *session;
    const struct sim_config *config;
    struct rand *rand;
    const char *argument;
};

static bool chance(struct rand *rand, double probability)
{
    return probability > 0 && rand_unit(rand) < probability;
}

static struct sim_saying *add_saying(struct sim_session *session, enum sim_saying_kind kind)
{
    if (session->saying_count == SIM_SAYINGS_MAX || session->ends)
        return NULL;
    struct sim_saying *saying = &session->sayings[session->saying_count++];
    saying->kind = (uint8_t)kind;
    saying->time_ns = session->free_ns + session->relay->rtt_ns / 2;
    saying->text[0] = '\0';
    session->ends = kind != SIM_SAYS;
    return saying;
}

static void say(struct sim_session *session, unsigned code, const char *text)
{
    struct sim_saying *saying = add_saying(session, SIM_SAYS);
    if (saying && session->relay->several_lines)
        snprintf(saying->text, sizeof saying->text, "%u-%s\r\n %u is not all\r\n\r\n%u %s\r\n", code, text,
                 code, code, text);
    else if (saying)
        snprintf(saying->text, sizeof saying->text, "%u %s\r\n", code, text);
}

static void say_raw(struct sim_session *session, const char *text)
{
    struct sim_saying *saying = add_saying(session, SIM_SAYS);
    if (saying)
        snprintf(saying->text, sizeof saying->text, "%s", text);
}

static void repeat(struct sim_session *session, const char *text, unsigned len, int64_t gap_ns)
{
    struct sim_saying *saying = add_saying(session, SIM_REPEATS);
    if (!saying)
        return;
    snprintf(saying->text, sizeof saying->text, "%s", text);
    saying->len = len;
    saying->gap_ns = gap_ns;
}

/* True: at this step it did something else than it should. */
static bool misbehave(struct sim_session *session, const char *step)
{
    const struct sim_relay *relay = session->relay;
    if (!relay->fault_at || strcmp(relay->fault_at, step) != 0)
        return false;
    switch ((enum sim_relay_fault)relay->fault) {
    case SIM_FAULT_NONE:
    case SIM_FAULT_COUNT:
        return false;
    case SIM_FAULT_SILENCE:
        session->ends = true;
        break;
    case SIM_FAULT_GARBAGE:
        say_raw(session, "\x16\x03\x01\x02 no FTP\n\xff\xfe\n");
        break;
    case SIM_FAULT_LINES:
        repeat(session, "220-and another thing\r\n", STREAM_CHUNK_MAX, FLOOD_GAP_NS);
        break;
    case SIM_FAULT_LINE:
        repeat(session, "220 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", STREAM_CHUNK_MAX,
               FLOOD_GAP_NS);
        break;
    case SIM_FAULT_DRIP:
        repeat(session, "220 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1, DRIP_GAP_NS);
        break;
    case SIM_FAULT_HANG_UP:
        add_saying(session, SIM_HANGS_UP);
        break;
    case SIM_FAULT_RESET:
        add_saying(session, SIM_RESETS);
        break;
    }
    return true;
}

void sim_session_open(struct sim_session *session, const struct sim_relay *relay, unsigned others,
                      int64_t now_ns, struct rand *rand)
{
    int64_t jitter_ns = relay->jitter_ns ? (int64_t)rand_below(rand, (uint64_t)relay->jitter_ns) : 0;
    *session = (struct sim_session){.relay = relay, .free_ns = now_ns + relay->rtt_ns + jitter_ns};
    if (misbehave(session, ""))
        return;
    if (relay->sessions_max && others >= relay->sessions_max) {
        say(session, 421, "Too many connections from your address.");
        add_saying(session, SIM_HANGS_UP);
        return;
    }
    say(session, 220, "Service ready.");
}

/* The server connects: to see what comes of it takes until session->free_ns. A lost SYN, or its answer, is
 * sent again by its kernel after 1, 3, 7 s and so on. */
static enum dialled dial(struct turn *turn)
{
    struct sim_session *session = turn->session;
    const struct sim_relay *relay = session->relay;
    int64_t limit_ns = relay->connect_timeout_ns ? relay->connect_timeout_ns : KERNEL_TIMEOUT_NS;
    const struct sim_host *host = sim_host_of(turn->config, &session->target);
    enum sim_behaviour behaviour = SIM_DROP;
    if (host && !host->down)
        behaviour = (enum sim_behaviour)sim_port_of(host, IP_PROTO_TCP, session->port).behaviour;
    bool answers = behaviour == SIM_OPEN || behaviour == SIM_CLOSED || behaviour == SIM_ICMP;
    for (int64_t sent_ns = 0; answers && sent_ns + host->rtt_ns < limit_ns; sent_ns = 2 * sent_ns + SEC) {
        if (chance(turn->rand, relay->loss) || chance(turn->rand, relay->loss))
            continue;
        session->free_ns += sent_ns + host->rtt_ns;
        return behaviour == SIM_OPEN     ? DIALLED
               : behaviour == SIM_CLOSED ? DIALLED_REFUSED
                                         : DIALLED_UNREACHABLE;
    }
    session->free_ns += limit_ns;
    return DIALLED_TIMED_OUT;
}

static void say_no_connection(struct sim_session *session, enum dialled dialled)
{
    static const char *const reasons[] = {
        [DIALLED_REFUSED] = "Unable to build data connection: Connection refused",
        [DIALLED_UNREACHABLE] = "Unable to build data connection: No route to host",
        [DIALLED_TIMED_OUT] = "Unable to build data connection: Connection timed out",
    };
    say(session, 425, session->relay->gives_reasons ? reasons[dialled] : "Failed to establish connection.");
}

static void do_user(struct turn *turn)
{
    turn->session->logged_in = turn->session->relay->wants_no_password;
    if (turn->session->logged_in)
        say(turn->session, 230, "Welcome.");
    else
        say(turn->session, 331, "Please specify the password.");
}

static void do_pass(struct turn *turn)
{
    turn->session->logged_in = !turn->session->relay->knows_nobody;
    say(turn->session, turn->session->logged_in ? 230 : 530,
        turn->session->logged_in ? "Login successful." : "Login incorrect.");
}

/* Takes the target; true when it is to be connected to. */
static bool accept_target(struct turn *turn, bool valid)
{
    struct sim_session *session = turn->session;
    const struct sim_relay *relay = session->relay;
    if (!valid || !session->logged_in) {
        say(session, valid ? 530 : 501, "No.");
    } else if (relay->forbids || (relay->forbids_low && session->port < 1024)) {
        say(session, 500, "Illegal PORT command.");
        session->target = (struct addr){0};
    } else {
        return true;
    }
    return false;
}

static void do_target(struct turn *turn, bool valid)
{
    struct sim_session *session = turn->session;
    if (!accept_target(turn, valid))
        return;
    if (!session->relay->connects_at_port) {
        say(session, 200, "PORT command successful. Consider using PASV.");
        return;
    }
    enum dialled dialled = dial(turn);
    if (dialled == DIALLED)
        say(session, 200, "Active data connection established.");
    else if (dialled == DIALLED_TIMED_OUT)
        say(session, 421, "Active data channel timed out.");
    else
        say(session, 425, "Can't connect to specified address.");
}

/* A number up to `max` that is followed by `mark`; *text then stands behind both. */
static bool take_number(const char **text, unsigned long max, char mark, unsigned *ret)
{
    char *end;
    unsigned long number = strtoul(*text, &end, 10);
    if (end == *text || *end != mark || number > max)
        return false;
    *text = mark ? end + 1 : end;
    *ret = (unsigned)number;
    return true;
}

/* RFC 959 section 4.1.2: h1,h2,h3,h4,p1,p2 */
static void do_port(struct turn *turn)
{
    unsigned bytes[6] = {0};
    bool valid = true;
    for (unsigned i = 0; i < 6 && valid; i++)
        valid = take_number(&turn->argument, 255, i < 5 ? ',' : '\0', &bytes[i]);
    if (valid) {
        turn->session->target = addr_v4(bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]);
        turn->session->port = (uint16_t)(bytes[4] << 8 | bytes[5]);
    }
    do_target(turn, valid);
}

/* RFC 2428 section 2: |family|address|port| */
static bool read_eprt(const char *text, struct addr *ret_addr, unsigned *ret_port)
{
    char address[ADDR_TEXT_MAX];
    unsigned family;
    if (*text++ != '|' || !take_number(&text, 2, '|', &family))
        return false;
    size_t len = strcspn(text, "|");
    if (len >= sizeof address || text[len] == '\0')
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    text += len + 1;
    return addr_parse(address, ret_addr) && ret_addr->family == (family == 1 ? ADDR_V4 : ADDR_V6) &&
           take_number(&text, UINT16_MAX, '|', ret_port);
}

static void do_eprt(struct turn *turn)
{
    struct sim_session *session = turn->session;
    unsigned port = 0;
    if (!session->relay->has_eprt) {
        say(session, 500, "Unknown command.");
        return;
    }
    bool valid = read_eprt(turn->argument, &session->target, &port);
    session->port = (uint16_t)port;
    do_target(turn, valid);
}

static void transfer(struct turn *turn)
{
    struct sim_session *session = turn->session;
    const struct sim_relay *relay = session->relay;
    bool has_target = session->logged_in && session->target.family != ADDR_NONE;
    if (!has_target) {
        say(session, 425, "Use PORT or PASV first.");
        return;
    }
    if (relay->low_ends && session->port < 1024) {
        say(session, 500, "OOPS: Illegal port request");
        add_saying(session, SIM_HANGS_UP);
        return;
    }
    if (relay->marks_first)
        say(session, 150, "Opening data connection.");
    enum dialled dialled = relay->connects_at_port ? DIALLED : dial(turn);
    session->target = (struct addr){0};
    if (dialled != DIALLED) {
        say_no_connection(session, dialled);
        return;
    }
    if (!relay->marks_first)
        say(session, 150, "Here comes the directory listing.");
    if (!misbehave(session, "226"))
        say(session, 226, "Directory send OK.");
}

static void do_list(struct turn *turn)
{
    if (turn->session->relay->no_list)
        say(turn->session, 502, "Command not implemented.");
    else
        transfer(turn);
}

static void do_quit(struct turn *turn)
{
    say(turn->session, 221, "Goodbye.");
    add_saying(turn->session, SIM_HANGS_UP);
}

static void carry_out(struct turn *turn, const char *command)
{
    static const struct {
        const char *verb;
        void (*act)(struct turn *turn);
    } verbs[] = {{"USER ", do_user}, {"PASS ", do_pass}, {"PORT ", do_port}, {"EPRT ", do_eprt},
                 {"LIST", do_list},  {"NLST", transfer}, {"QUIT", do_quit}};
    struct sim_session *session = turn->session;
    char verb[VERB_LEN + 1] = "";
    memcpy(verb, command, strnlen(command, VERB_LEN));
    if (misbehave(session, verb))
        return;
    if (chance(turn->rand, session->relay->drop)) {
        add_saying(session, SIM_HANGS_UP);
        return;
    }
    for (unsigned i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        size_t len = strlen(verbs[i].verb);
        if (strncasecmp(command, verbs[i].verb, len) != 0)
            continue;
        turn->argument = command + len;
        verbs[i].act(turn);
        return;
    }
    say(session, 502, "Command not implemented.");
}

void sim_session_take(struct sim_session *session, const struct sim_config *config, const char *bytes,
                      size_t len, int64_t now_ns, struct rand *rand)
{
    const struct sim_relay *relay = session->relay;
    struct turn turn = {.session = session, .config = config, .rand = rand};
    int64_t jitter_ns = relay->jitter_ns ? (int64_t)rand_below(rand, (uint64_t)relay->jitter_ns) : 0;
    int64_t arrives_ns = now_ns + relay->rtt_ns / 2 + jitter_ns;
    if (session->free_ns < arrives_ns)
        session->free_ns = arrives_ns;
    for (size_t i = 0; i < len; i++) {
        if (session->command_len == sizeof session->command - 1)
            session->command_len = 0; /* too long for any command it knows */
        session->command[session->command_len++] = bytes[i];
        if (bytes[i] != '\n')
            continue;
        session->command[session->command_len - (session->command_len > 1 ? 2 : 1)] = '\0';
        session->command_len = 0;
        carry_out(&turn, session->command);
    }
}
