/* What each answer means, technique by technique, from bytes that were really written and read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "packet/checksum.h"
#include "technique/connect.h"
#include "technique/rows.h"
#include "technique/tcp_probe.h"
#include "technique/unreachable.h"

#define NUMBER UINT32_C(0x12345678)

/* A TCP answer with these flags, as it would have been decoded. */
static struct packet tcp_answer(uint8_t flags, uint32_t seq, uint32_t ack)
{
    return (struct packet){
        .layer = LAYER_TCP,
        .ip_proto = IP_PROTO_TCP,
        .ttl = 63,
        .src = addr_v4(0xc6120002),
        .dst = addr_v4(0xc6120001),
        .tcp = {.flags = flags, .seq = seq, .ack = ack},
    };
}

static struct packet icmp_error(uint8_t type, uint8_t code, bool from_target)
{
    struct packet packet = {
        .layer = LAYER_ICMP4,
        .ip_proto = IP_PROTO_ICMP,
        .ttl = 62,
        .src = addr_v4(from_target ? 0xc6120002 : 0xc61200fe),
        .icmp = {.type = type, .code = code},
        .has_quote = true,
        .quote = {.dst = addr_v4(0xc6120002), .number = NUMBER},
    };
    return packet;
}

static void assert_answer(const struct technique *technique, struct packet packet, enum port_state state,
                          enum reason reason, uint32_t number)
{
    struct answer answer;
    assert_true(technique->judge(technique, &packet, &answer));
    assert_string_equal(state_name(answer.verdict.state), state_name(state));
    assert_string_equal(reason_name(answer.verdict.reason), reason_name(reason));
    assert_int_equal(answer.verdict.ttl, packet.ttl);
    bool proved = false;
    for (unsigned i = 0; i < answer.number_count; i++)
        proved |= answer.numbers[i] == number;
    assert_true(proved);
}

static void assert_says_nothing(const struct technique *technique, struct packet packet)
{
    struct answer answer;
    assert_false(technique->judge(technique, &packet, &answer));
}

static void syn_scan_reads_handshakes_and_resets(void **state)
{
    (void)state;
    const struct technique *syn = &technique_syn;
    assert_answer(syn, tcp_answer(TCP_SYN | TCP_ACK, 9, NUMBER + 1), PORT_OPEN, REASON_SYN_ACK, NUMBER);
    assert_answer(syn, tcp_answer(TCP_SYN | TCP_ACK | TCP_ECE, 9, NUMBER + 1), PORT_OPEN, REASON_SYN_ACK,
                  NUMBER);
    assert_answer(syn, tcp_answer(TCP_RST | TCP_ACK, 0, NUMBER + 1), PORT_CLOSED, REASON_RESET, NUMBER);
    assert_answer(syn, tcp_answer(TCP_RST | TCP_ACK | TCP_SYN, 0, NUMBER + 1), PORT_CLOSED, REASON_RESET,
                  NUMBER);
    assert_says_nothing(syn, tcp_answer(TCP_RST, NUMBER, 0)); /* acknowledges nothing: proves nothing */
    assert_says_nothing(syn, tcp_answer(TCP_ACK, 9, NUMBER + 1));
    assert_says_nothing(syn, tcp_answer(TCP_FIN, 9, NUMBER + 1));
}

static void a_bare_syn_is_open_but_proved_by_its_port_alone(void **state)
{
    (void)state;
    struct packet packet = tcp_answer(TCP_SYN, 9, 0);
    struct answer answer;
    assert_true(technique_syn.judge(&technique_syn, &packet, &answer));
    assert_int_equal(answer.verdict.state, PORT_OPEN);
    assert_int_equal(answer.verdict.reason, REASON_SPLIT_HANDSHAKE_SYN);
    assert_int_equal(answer.number_count, 0);
}

static void a_probe_that_comes_back_leaves_the_port_silent(void **state)
{
    (void)state;
    const struct technique push = tcp_probe_with_flags(&technique_syn, TCP_SYN | TCP_PSH);
    const struct technique reset = tcp_probe_with_flags(&technique_ack, TCP_RST);
    const struct technique *const techniques[] = {
        &technique_null,   &technique_fin, &technique_xmas, &technique_maimon,
        &technique_window, &technique_ack, &push,           &reset};
    for (size_t i = 0; i < sizeof techniques / sizeof *techniques; i++)
        assert_answer(techniques[i], tcp_answer(techniques[i]->tcp_flags, NUMBER, 0),
                      (enum port_state)techniques[i]->silent_state, REASON_PROBE_RETURNED, NUMBER);
    assert_answer(&technique_ip_protocol, tcp_answer(TCP_ACK, NUMBER, NUMBER), PORT_OPEN_FILTERED,
                  REASON_PROBE_RETURNED, NUMBER);
}

static void icmp_errors_are_one_table_for_all(void **state)
{
    (void)state;
    static const enum reason reasons[16] = {
        REASON_NET_UNREACH,  REASON_HOST_UNREACH,     REASON_PROTO_UNREACH,   REASON_PORT_UNREACH,
        REASON_DEST_UNREACH, REASON_DEST_UNREACH,     REASON_DEST_UNREACH,    REASON_DEST_UNREACH,
        REASON_DEST_UNREACH, REASON_NET_PROHIBITED,   REASON_HOST_PROHIBITED, REASON_DEST_UNREACH,
        REASON_DEST_UNREACH, REASON_ADMIN_PROHIBITED, REASON_DEST_UNREACH,    REASON_DEST_UNREACH,
    };
    for (uint8_t code = 0; code < 16; code++)
        assert_answer(&technique_syn, icmp_error(ICMP4_UNREACHABLE, code, false), PORT_FILTERED,
                      reasons[code], NUMBER);
    assert_answer(&technique_syn, icmp_error(ICMP4_TIME_EXCEEDED, 0, false), PORT_FILTERED,
                  REASON_TIME_EXCEEDED, NUMBER);
    assert_says_nothing(&technique_syn, icmp_error(ICMP4_SOURCE_QUENCH, 0, false));
    assert_says_nothing(&technique_syn, icmp_error(ICMP4_REDIRECT, 0, false));
}

static void who_sent_an_error_is_kept_unless_it_was_the_target(void **state)
{
    (void)state;
    struct packet path = icmp_error(ICMP4_UNREACHABLE, 13, false),
                  target = icmp_error(ICMP4_UNREACHABLE, 13, true);
    struct answer answer;
    assert_true(unreachable_judge(&path, &answer));
    assert_true(addr_equal(&answer.verdict.source, &path.src));
    assert_int_equal(answer.verdict.rank, RANK_ICMP_PATH);
    assert_true(unreachable_judge(&target, &answer));
    assert_int_equal(answer.verdict.source.family, ADDR_NONE);
    assert_int_equal(answer.verdict.rank, RANK_ICMP_TARGET);
}

static void errors_that_may_pass_are_soft(void **state)
{
    (void)state;
    static const struct {
        uint8_t version, type, code;
        bool soft;
    } cases[] = {
        {4, ICMP4_UNREACHABLE, 0, true},   {4, ICMP4_UNREACHABLE, 1, true},
        {4, ICMP4_UNREACHABLE, 5, true},   {4, ICMP4_TIME_EXCEEDED, 0, true},
        {4, ICMP4_UNREACHABLE, 3, false},  {4, ICMP4_UNREACHABLE, 13, false},
        {6, ICMP6_UNREACHABLE, 0, true},   {6, ICMP6_UNREACHABLE, 3, true},
        {6, ICMP6_TIME_EXCEEDED, 0, true}, {6, ICMP6_UNREACHABLE, 1, false},
        {6, ICMP6_UNREACHABLE, 4, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct verdict verdict;
        assert_true(unreachable_verdict(cases[i].version, cases[i].type, cases[i].code, true, &verdict));
        assert_int_equal(verdict.rank == RANK_ICMP_SOFT, cases[i].soft);
    }
}

static void a_protocol_that_ipv6_does_not_know_is_filtered(void **state)
{
    (void)state;
    struct verdict verdict;
    assert_true(unreachable_verdict(6, ICMP6_PARAM_PROBLEM, 1, true, &verdict));
    assert_int_equal(verdict.state, PORT_FILTERED);
    assert_int_equal(verdict.reason, REASON_PARAM_PROBLEM);
    assert_false(unreachable_verdict(6, ICMP6_PARAM_PROBLEM, 0, true, &verdict));
    assert_false(unreachable_verdict(6, ICMP6_PARAM_PROBLEM, 2, true, &verdict));
}

static void pings_say_up_or_nothing(void **state)
{
    (void)state;
    struct packet echo = {
        .layer = LAYER_ICMP4, .ttl = 60, .icmp = {.type = ICMP4_ECHO_REPLY, .rest = NUMBER}};
    assert_answer(&technique_ping_echo, echo, PORT_OPEN, REASON_ECHO_REPLY, NUMBER);
    assert_says_nothing(&technique_ping_timestamp, echo);
    echo.icmp.type = ICMP4_ECHO; /* somebody else's question */
    assert_says_nothing(&technique_ping_echo, echo);

    assert_answer(&technique_ping_ack, tcp_answer(TCP_RST, NUMBER, 0), PORT_OPEN, REASON_RESET, NUMBER);
    assert_says_nothing(&technique_ping_ack, tcp_answer(TCP_SYN | TCP_ACK, 9, NUMBER + 1));
    assert_answer(&technique_ping_syn, tcp_answer(TCP_RST | TCP_ACK, 0, NUMBER + 1), PORT_OPEN, REASON_RESET,
                  NUMBER);
    assert_answer(&technique_ping_syn, icmp_error(ICMP4_UNREACHABLE, 3, true), PORT_OPEN, REASON_PORT_UNREACH,
                  NUMBER);
    assert_says_nothing(&technique_ping_syn, icmp_error(ICMP4_UNREACHABLE, 3, false));
    assert_says_nothing(&technique_ping_syn, icmp_error(ICMP4_UNREACHABLE, 1, true));
}

static void a_refused_connect_is_closed_only_if_a_segment_came(void **state)
{
    (void)state;
    struct connect_outcome outcome = {.version = 4, .error = ECONNREFUSED, .dst = addr_v4(0xc6120002)};
    struct verdict verdict;
    outcome.reset_seen = true;
    assert_true(connect_judge(&outcome, &verdict));
    assert_int_equal(verdict.state, PORT_CLOSED);
    assert_int_equal(verdict.reason, REASON_CONN_REFUSED);

    outcome.reset_seen = false;
    assert_true(connect_judge(&outcome, &verdict));
    assert_int_equal(verdict.state, PORT_FILTERED);
    assert_int_equal(verdict.reason, REASON_PORT_UNREACH);

    outcome.has_icmp = true;
    outcome.icmp_type = ICMP4_UNREACHABLE;
    outcome.icmp_code = 13;
    outcome.offender = addr_v4(0xc61200fe);
    assert_true(connect_judge(&outcome, &verdict));
    assert_int_equal(verdict.reason, REASON_ADMIN_PROHIBITED);
    assert_true(addr_equal(&verdict.source, &outcome.offender));

    outcome.error = 0;
    assert_true(connect_judge(&outcome, &verdict));
    assert_int_equal(verdict.state, PORT_OPEN);
    outcome = (struct connect_outcome){.version = 4, .error = ETIMEDOUT};
    assert_false(connect_judge(&outcome, &verdict));
}

static void a_probe_reads_back_as_what_its_technique_says(void **state)
{
    (void)state;
    for (unsigned i = 0; i < technique_table_len; i++) {
        const struct technique *technique = technique_table[i];
        if (technique->kind != REQUEST_PACKET || technique->ip_proto != IP_PROTO_TCP)
            continue;
        struct probe probe = {
            .technique = technique,
            .src = addr_v4(0xc6120001),
            .dst = addr_v4(0xc6120002),
            .source_port = 61001,
            .port = 80,
            .number = NUMBER,
        };
        uint8_t bytes[128];
        struct writer out = writer_over(bytes, sizeof bytes);
        technique->build(&probe, &out);
        assert_true(out.ok);
        assert_int_equal(checksum_transport(&probe.src, &probe.dst, IP_PROTO_TCP, bytes, writer_len(&out)),
                         0);
        struct reader in = reader_over(bytes, writer_len(&out));
        struct tcp_header tcp;
        assert_true(tcp_read(&in, &tcp));
        assert_int_equal(tcp.flags, technique->tcp_flags);
        assert_int_equal(tcp.seq, NUMBER); /* always: an ICMP error quotes no further */
        assert_int_equal(tcp.ack, tcp.flags & TCP_ACK ? NUMBER : 0);
        assert_int_equal(tcp.mss, tcp.flags & TCP_SYN ? 1460 : 0);
        assert_true(tcp.options_valid);
    }
}

static void techniques_are_found_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(technique_find("syn"), &technique_syn);
    assert_ptr_equal(technique_find("nonsense"), NULL);
    static const char *const names[] = {
        "syn",     "connect",  "null",           "fin",      "xmas", "maimon",   "ack", "window", "bounce",
        "ipproto", "sctpinit", "sctpcookieecho", "neighbor", "echo", "timestamp"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_string_equal(technique_find(names[i])->name, names[i]);
    for (unsigned i = 0; i < technique_table_len; i++)
        assert_ptr_equal(technique_find(technique_table[i]->name), technique_table[i]);
}

/* Its number tells the time, too, and one that is one off tells another. */
static void a_reset_acknowledges_what_its_probe_takes(void **state)
{
    (void)state;
    static const struct {
        uint8_t flags;
        uint32_t len;
    } probes[] = {{0, 0},
                  {TCP_PSH, 0},
                  {TCP_SYN, 1},
                  {TCP_FIN, 1},
                  {TCP_FIN | TCP_PSH | TCP_URG, 1},
                  {TCP_SYN | TCP_FIN, 2}};
    for (unsigned i = 0; i < sizeof probes / sizeof probes[0]; i++) {
        struct technique technique = tcp_probe_with_flags(&technique_null, probes[i].flags);
        struct packet packet = tcp_answer(TCP_RST | TCP_ACK, 0, NUMBER + probes[i].len);
        struct answer answer;
        assert_true(tcp_probe_reset(&technique, &packet, PORT_CLOSED, &answer));
        assert_int_equal(answer.numbers[0], NUMBER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_acknowledges_what_its_probe_takes),
        cmocka_unit_test(syn_scan_reads_handshakes_and_resets),
        cmocka_unit_test(a_bare_syn_is_open_but_proved_by_its_port_alone),
        cmocka_unit_test(a_probe_that_comes_back_leaves_the_port_silent),
        cmocka_unit_test(icmp_errors_are_one_table_for_all),
        cmocka_unit_test(who_sent_an_error_is_kept_unless_it_was_the_target),
        cmocka_unit_test(errors_that_may_pass_are_soft),
        cmocka_unit_test(a_protocol_that_ipv6_does_not_know_is_filtered),
        cmocka_unit_test(pings_say_up_or_nothing),
        cmocka_unit_test(a_refused_connect_is_closed_only_if_a_segment_came),
        cmocka_unit_test(a_probe_reads_back_as_what_its_technique_says),
        cmocka_unit_test(techniques_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
