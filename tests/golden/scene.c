#include "scene.h"

#include <stdlib.h>

#include "base/time.h"
#include "render.h"

#define START_NS (INT64_C(1767323045) * SEC) /* 2026-01-02 03:04:05 UTC */
#define END_NS   (START_NS + 6 * SEC + 250 * MSEC)

#define HOST(n) addr_v4(0xc6120000 + (n)) /* 198.18.0.n */
#define ROUTER  addr_v4(0xcb0071fe)       /* 203.0.113.254 */

static struct addr host_v6(const char *text)
{
    struct addr addr;
    if (!addr_parse(text, &addr))
        abort();
    return addr;
}

static void put(struct results *results, struct record record)
{
    record.time_ns += START_NS;
    if (!results_record(results, &record))
        abort();
}

static struct record up(struct addr host, enum reason reason, uint8_t ttl, int64_t rtt_ns)
{
    return (struct record){
        .type = RECORD_HOST_UP, .host = host, .reason = (uint8_t)reason, .ttl = ttl, .rtt_ns = rtt_ns};
}

static struct record done(struct addr host, int64_t srtt_ns)
{
    return (struct record){.type = RECORD_HOST_DONE,
                           .host = host,
                           .tries = 2,
                           .time_ns = 5 * SEC,
                           .rtt_ns = srtt_ns,
                           .rttvar_ns = srtt_ns / 4,
                           .rto_ns = srtt_ns ? 100 * MSEC : 0};
}

static struct record tcp(struct addr host, uint16_t port, enum port_state state, enum reason reason)
{
    return (struct record){.type = RECORD_PORT,
                           .host = host,
                           .protocol = PROTOCOL_TCP,
                           .port = port,
                           .state = (uint8_t)state,
                           .reason = (uint8_t)reason,
                           .ttl = 63,
                           .tries = 1,
                           .time_ns = SEC + port * 1001 * USEC,
                           .rtt_ns = 420 * USEC};
}

static struct record other(struct addr host, enum protocol protocol, uint16_t port, enum port_state state,
                           enum reason reason)
{
    struct record record = tcp(host, port, state, reason);
    record.protocol = (uint8_t)protocol;
    return record;
}

/* --- a scan of TCP, UDP and SCTP over both families, with every state and kind of evidence */

static void choose_mixed(struct addr_set *targets, struct port_set *ports)
{
    addr_set_add(targets, HOST(1), HOST(4));
    addr_set_add(targets, host_v6("2001:db8::1"), host_v6("2001:db8::1"));
    addr_set_add(targets, host_v6("fe80::5:1%1"), host_v6("fe80::5:1%1"));
    for (uint16_t port = 1; port <= 60; port++)
        port_set_add(ports, PORTS_TCP, port);
    port_set_add(ports, PORTS_TCP, 443);
    port_set_add(ports, PORTS_UDP, 53);
    port_set_add(ports, PORTS_UDP, 161);
    port_set_add(ports, PORTS_SCTP, 2905);
}

static void play_mixed_host(struct results *results)
{
    struct addr host = HOST(1);
    results_set_user_name(results, &host, "www.example.org");
    put(results, up(host, REASON_ECHO_REPLY, 63, 420 * USEC));
    results_await_ptr_name(results, &host);
    put(results, (struct record){.type = RECORD_MAC, .host = host, .mac = {0, 0, 0x5e, 0, 0x53, 1}});
    put(results, tcp(host, 22, PORT_OPEN, REASON_SYN_ACK));
    put(results, tcp(host, 443, PORT_OPEN, REASON_SPLIT_HANDSHAKE_SYN));
    for (uint16_t port = 23; port <= 52; port++)
        put(results, tcp(host, port, PORT_CLOSED, REASON_RESET));
    for (uint16_t port = 53; port <= 56; port++) {
        struct record record = tcp(host, port, PORT_FILTERED, REASON_ADMIN_PROHIBITED);
        record.source = ROUTER;
        record.ttl = 250;
        put(results, record);
    }
    put(results, other(host, PROTOCOL_UDP, 53, PORT_OPEN, REASON_UDP_RESPONSE));
    struct record abort_chunk = other(host, PROTOCOL_SCTP, 2905, PORT_CLOSED, REASON_ABORT);
    abort_chunk.flags = RECORD_WEAK;
    put(results, abort_chunk);
    put(results, done(host, 424242));
    results_set_ptr_name(results, &host, "h1.example.org");
}

static void play_mixed(struct results *results)
{
    play_mixed_host(results);

    struct addr all_closed = HOST(2);
    put(results, up(all_closed, REASON_RESET, 64, 18 * MSEC));
    for (uint16_t port = 1; port <= 60; port++)
        put(results, tcp(all_closed, port, PORT_CLOSED, REASON_RESET));
    put(results, tcp(all_closed, 443, PORT_CLOSED, REASON_RESET));
    put(results, other(all_closed, PROTOCOL_UDP, 53, PORT_CLOSED, REASON_PORT_UNREACH));
    put(results, other(all_closed, PROTOCOL_UDP, 161, PORT_CLOSED, REASON_PORT_UNREACH));
    put(results, other(all_closed, PROTOCOL_SCTP, 2905, PORT_CLOSED, REASON_ABORT));
    put(results, done(all_closed, 1234 * MSEC));

    struct addr v6 = host_v6("2001:db8::1");
    put(results, up(v6, REASON_ND_RESPONSE, 0, 0));
    put(results, tcp(v6, 22, PORT_OPEN, REASON_SYN_ACK));
    put(results, done(v6, 12 * SEC));
    results_set_ptr_name(results, &v6,
                         "late.example.org"); /* after the host was handed over: without effect */

    struct addr scoped = host_v6("fe80::5:1%1");
    put(results, done(scoped, 0));

    struct record down = {.type = RECORD_HOST_DOWN, .reason = REASON_HOST_UNREACH, .ttl = 64};
    down.host = HOST(3);
    down.source = ROUTER;
    put(results, down);
    down = (struct record){.type = RECORD_HOST_DOWN, .reason = REASON_NO_RESPONSE, .host = HOST(4)};
    put(results, down);

    struct record late = tcp(v6, 443, PORT_OPEN, REASON_SYN_ACK);
    late.flags = RECORD_LATE;
    late.time_ns = 6 * SEC;
    put(results, late);
}

/* --- a scan that was stopped: one host done, one timed out, one open */

static void choose_stopped(struct addr_set *targets, struct port_set *ports)
{
    addr_set_add(targets, HOST(1), HOST(3));
    for (uint16_t port = 20; port <= 25; port++)
        port_set_add(ports, PORTS_TCP, port);
}

static void play_stopped(struct results *results)
{
    put(results, up(HOST(1), REASON_USER_SET, 0, 0));
    put(results, tcp(HOST(1), 22, PORT_OPEN, REASON_SYN_ACK));
    put(results, done(HOST(1), 5 * MSEC));

    put(results, up(HOST(2), REASON_SYN_ACK, 57, 10 * MSEC));
    put(results, tcp(HOST(2), 25, PORT_OPEN, REASON_SYN_ACK));
    put(results, tcp(HOST(2), 20, PORT_CLOSED, REASON_RESET));
    struct record timed_out = done(HOST(2), 10 * MSEC);
    timed_out.flags = RECORD_UNFINISHED | RECORD_TIMED_OUT;
    put(results, timed_out);

    put(results, up(HOST(3), REASON_SYN_ACK, 57, 10 * MSEC));
    for (uint16_t port = 20; port <= 24; port++)
        put(results, tcp(HOST(3), port, PORT_CLOSED, REASON_RESET));
}

/* --- -sO */

static void choose_protocols(struct addr_set *targets, struct port_set *ports)
{
    addr_set_add(targets, HOST(1), HOST(1));
    for (uint16_t protocol = 0; protocol <= 255; protocol++)
        port_set_add(ports, PORTS_IP, protocol);
}

static void play_protocols(struct results *results)
{
    put(results, up(HOST(1), REASON_ARP_RESPONSE, 0, 350 * USEC));
    put(results, other(HOST(1), PROTOCOL_IP, 1, PORT_OPEN, REASON_ECHO_REPLY));
    put(results, other(HOST(1), PROTOCOL_IP, 6, PORT_OPEN, REASON_PROTO_RESPONSE));
    put(results, other(HOST(1), PROTOCOL_IP, 17, PORT_OPEN, REASON_PORT_UNREACH));
    put(results, other(HOST(1), PROTOCOL_IP, 132, PORT_CLOSED, REASON_PROTO_UNREACH));
    put(results, done(HOST(1), 350 * USEC));
}

/* --- -sn */

static void choose_discovery(struct addr_set *targets, struct port_set *ports)
{
    (void)ports;
    addr_set_add(targets, HOST(1), HOST(2));
}

static void play_discovery(struct results *results)
{
    put(results, up(HOST(1), REASON_ARP_RESPONSE, 0, 350 * USEC));
    put(results, (struct record){.type = RECORD_MAC, .host = HOST(1), .mac = {2, 0, 0, 0xab, 0xcd, 0xef}});
    put(results, done(HOST(1), 350 * USEC));
    put(results, (struct record){.type = RECORD_HOST_DOWN, .reason = REASON_NO_RESPONSE, .host = HOST(2)});
}

/* --- nobody there */

static void choose_one(struct addr_set *targets, struct port_set *ports)
{
    addr_set_add(targets, HOST(9), HOST(9));
    port_set_add(ports, PORTS_TCP, 80);
}

static void play_silence(struct results *results)
{
    put(results, (struct record){.type = RECORD_HOST_DOWN, .reason = REASON_NO_RESPONSE, .host = HOST(9)});
}

static const struct report_scan mixed_scans[] = {
    {.type = "syn", .flags = "FINPSHURG", .protocol = PROTOCOL_TCP},
    {.type = "udp", .protocol = PROTOCOL_UDP},
    {.type = "sctpinit", .protocol = PROTOCOL_SCTP},
};
static const struct report_scan syn_scan[] = {{.type = "syn", .protocol = PROTOCOL_TCP}};
static const struct report_scan protocol_scan[] = {{.type = "ipproto", .protocol = PROTOCOL_IP}};

#define MIXED_COMMAND                                                                                        \
    "portolan -sS -sU -sY --scanflags FINPSHURG -oX - 198.18.0.1-4 <b> --x --- \"q\" 'a' \x1b[2J"

const struct scene scenes[] = {
    {"mixed", MIXED_COMMAND, mixed_scans, 3, .show_reason = true, .choose = choose_mixed, .play = play_mixed},
    {"verbose", MIXED_COMMAND, mixed_scans, 3, .color = true, .fold = {.verbosity = 2},
     .choose = choose_mixed, .play = play_mixed},
    {"open_only", MIXED_COMMAND, mixed_scans, 3, .fold = {.open_only = true}, .choose = choose_mixed,
     .play = play_mixed},
    {"stopped", "portolan -Pn -p20-25 198.18.0.1-3", syn_scan, 1, .interrupted = "interrupted by SIGINT",
     .choose = choose_stopped, .play = play_stopped},
    {"protocols", "portolan -sO 198.18.0.1", protocol_scan, 1, .fold = {.ip_protocols = true},
     .choose = choose_protocols, .play = play_protocols},
    {"discovery", "portolan -sn 198.18.0.1-2", NULL, 0, .discovery_only = true, .choose = choose_discovery,
     .play = play_discovery},
    {"silence", "portolan -p80 198.18.0.9", syn_scan, 1, .choose = choose_one, .play = play_silence},
};
const size_t scene_count = sizeof scenes / sizeof scenes[0];

static const char *service(void *context, enum protocol protocol, uint16_t port)
{
    static const struct {
        enum protocol protocol;
        uint16_t port;
        const char *name;
    } services[] = {
        {PROTOCOL_TCP, 22, "ssh"},    {PROTOCOL_TCP, 25, "smtp"},  {PROTOCOL_TCP, 443, "https"},
        {PROTOCOL_UDP, 53, "domain"}, {PROTOCOL_UDP, 161, "snmp"}, {PROTOCOL_IP, 1, "icmp"},
        {PROTOCOL_IP, 6, "tcp"},      {PROTOCOL_IP, 17, "udp"},    {PROTOCOL_IP, 132, "sctp"},
    };
    (void)context;
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
        if (services[i].protocol == protocol && services[i].port == port)
            return services[i].name;
    return NULL;
}

static void choose(void *context, struct addr_set *targets, struct port_set *ports)
{
    const struct scene *scene = context;
    scene->choose(targets, ports);
}

static void play(void *context, struct results *results)
{
    const struct scene *scene = context;
    scene->play(results);
}

bool scene_render(const struct scene *scene, const struct report_ops *ops, FILE *file)
{
    struct scene copy = *scene;
    struct rendering rendering = {
        .ops = ops,
        .run = {.version = "0.1.0",
                .command_line = scene->command_line,
                .start_ns = START_NS,
                .scans = scene->scans,
                .scan_count = scene->scan_count,
                .risk = 1e-6,
                .show_reason = scene->show_reason,
                .color = scene->color,
                .discovery_only = scene->discovery_only,
                .fold = scene->fold,
                .service = service},
        .end = {.end_ns = END_NS,
                .packets_sent = 1004,
                .bytes_sent = 44176,
                .packets_received = 999,
                .bytes_received = 999,
                .probes_sent = 1000,
                .tries = 990,
                .tries_lost = 12,
                .hosts_limited = 1,
                .doubt = 0.0000125,
                .answers = 990,
                .rejected = 3,
                .rejects = {{"bad checksum", 1}, {"not proved", 2}},
                .reject_count = 2,
                .interrupted = scene->interrupted,
                .exit_status = scene->interrupted ? 130 : 0},
        .choose = choose,
        .play = play,
        .context = &copy,
    };
    return render(&rendering, file);
}
