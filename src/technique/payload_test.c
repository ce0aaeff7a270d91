/* The table of payloads is sane, each payload knows its own answer, and the UDP judge makes the right thing
 * of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "packet/packet.h"
#include "technique/payload_table.h"
#include "technique/rows.h"

#define NUMBER    UINT32_C(0x9a3c5e71)
#define PROTOCOLS 60 /* at least so many are promised */

/* The number as text; servers may write it in capitals. */
static const uint8_t text_sent[] = {'9', 'a', '3', 'c', '5', 'e', '7', '1'};
static const uint8_t text_echoed[] = {'9', 'A', '3', 'c', '5', 'E', '7', '1'};

static void put_number(const struct payload *payload, unsigned at, uint8_t *bytes)
{
    if (payload->id == PAYLOAD_ID_HALF)
        put_be16(bytes + at, NUMBER >> 16);
    else if (payload->id == PAYLOAD_ID_WHOLE)
        put_be32(bytes + at, NUMBER);
    else if (payload->id == PAYLOAD_ID_TEXT)
        memcpy(bytes + at, text_echoed, sizeof text_echoed);
}

/* The sample answer of a payload, with the number in it where there is an echo. */
static size_t sample_of(const struct payload *payload, uint8_t bytes[static PAYLOAD_MAX])
{
    memcpy(bytes, payload->sample.at, payload->sample.len);
    if (payload->echo != PAYLOAD_ECHO_NONE)
        put_number(payload, payload->sample_id_at, bytes);
    return payload->sample.len;
}

static void every_payload_has_bytes_and_a_source(void **state)
{
    (void)state;
    assert_true(payload_table_len >= PROTOCOLS);
    for (unsigned i = 0; i < payload_table_len; i++) {
        const struct payload *payload = &payload_table[i];
        assert_in_range(payload->bytes.len, 1, PAYLOAD_MAX - 1);
        assert_true(strlen(payload->source) > 0);
        assert_true(strlen(payload->verified) > 0);
        assert_true(payload->echo == PAYLOAD_ECHO_NONE || payload->id != PAYLOAD_ID_NONE);
        assert_int_equal(payload->match.len, payload->match_mask.len);
    }
}

static void every_port_is_there_once_and_its_tries_cycle(void **state)
{
    (void)state;
    for (unsigned i = 0; i < payload_ports_len; i++) {
        uint16_t port = payload_ports[i].port;
        unsigned tries = payload_tries(port);
        if (i > 0)
            assert_true(port > payload_ports[i - 1].port);
        for (unsigned t = 0; t < tries; t++) {
            const struct payload *payload = payload_of_try(port, (uint8_t)t);
            assert_non_null(payload);
            assert_ptr_equal(payload, payload_of_try(port, (uint8_t)(t + tries)));
            /* What proves nothing by itself is asked again at once. */
            if (payload->echo == PAYLOAD_ECHO_NONE)
                assert_true(payload == payload_of_try(port, (uint8_t)(t + 1)) ||
                            (t > 0 && payload == payload_of_try(port, (uint8_t)(t - 1))));
        }
    }
}

static void a_port_without_a_payload_has_none(void **state)
{
    (void)state;
    assert_null(payload_of_try(40125, 0));
    assert_null(payload_of_try(0, 0));
    assert_null(payload_of_try(65535, 3));
    assert_int_equal(payload_tries(40125), 1);
}

static void the_number_is_written_where_the_payload_says(void **state)
{
    (void)state;
    for (unsigned i = 0; i < payload_table_len; i++) {
        const struct payload *payload = &payload_table[i];
        uint8_t one[PAYLOAD_MAX], expected[PAYLOAD_MAX];
        struct writer out = writer_over(one, sizeof one);
        payload_write(payload, NUMBER, &out);
        assert_true(out.ok);
        assert_int_equal(writer_len(&out), payload->bytes.len);
        memcpy(expected, payload->bytes.at, payload->bytes.len);
        if (payload->id == PAYLOAD_ID_TEXT)
            memcpy(expected + payload->id_at, text_sent, sizeof text_sent);
        else
            put_number(payload, payload->id_at, expected);
        assert_memory_equal(one, expected, payload->bytes.len);
    }
}

static void a_payload_that_does_not_fit_clears_ok(void **state)
{
    (void)state;
    uint8_t small[2];
    struct writer out = writer_over(small, sizeof small);
    payload_write(payload_of_try(53, 0), NUMBER, &out);
    assert_false(out.ok);
}

static void every_sample_answer_is_recognised_and_carries_the_number(void **state)
{
    (void)state;
    unsigned samples = 0;
    for (unsigned i = 0; i < payload_table_len; i++) {
        const struct payload *payload = &payload_table[i];
        uint8_t answer[PAYLOAD_MAX];
        if (payload->sample.len == 0)
            continue;
        size_t len = sample_of(payload, answer);
        struct payload_proof proof;
        if (!payload_recognise(payload, answer, len, &proof))
            fail_msg("%s does not know its own sample", payload->name);
        assert_int_equal(proof.id, payload->echo == PAYLOAD_ECHO_NONE ? PAYLOAD_ID_NONE : payload->id);
        if (proof.id == PAYLOAD_ID_HALF)
            assert_int_equal(proof.number, NUMBER & 0xffff0000);
        else if (proof.id != PAYLOAD_ID_NONE)
            assert_int_equal(proof.number, NUMBER);
        samples++;
    }
    assert_true(samples >= 30);
}

/* A cut answer is no answer, or a shorter one; nothing is read beyond its end (which the sanitizers would
 * show). */
static void every_cut_of_an_answer_is_read_within_its_bounds(void **state)
{
    (void)state;
    for (unsigned i = 0; i < payload_table_len; i++) {
        const struct payload *payload = &payload_table[i];
        uint8_t answer[PAYLOAD_MAX];
        size_t len = sample_of(payload, answer);
        for (size_t cut = 0; cut < len; cut++) {
            struct payload_proof proof;
            uint8_t *part = test_malloc(cut + 1);
            memcpy(part, answer, cut);
            bool known = payload_recognise(payload, part, cut, &proof);
            if (known && payload->echo == PAYLOAD_ECHO_AT)
                assert_true(cut > payload->echo_at);
            test_free(part);
        }
    }
}

static void our_own_question_is_not_taken_for_an_answer(void **state)
{
    (void)state;
    static const uint16_t ports[] = {53, 88, 123, 137, 500, 520, 623, 3478, 5351, 19132};
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        uint8_t bytes[PAYLOAD_MAX];
        struct writer out = writer_over(bytes, sizeof bytes);
        struct payload_proof proof;
        payload_write(payload_of_try(ports[i], 0), NUMBER, &out);
        if (payload_recognise(payload_of_try(ports[i], 0), bytes, writer_len(&out), &proof))
            fail_msg("the question to port %u passes for an answer", ports[i]);
    }
}

/* --- the technique
 * -------------------------------------------------------------------------------------------------- */

static struct packet datagram_from(uint16_t port, const uint8_t *bytes, size_t len)
{
    return (struct packet){
        .layer = LAYER_UDP,
        .ip_proto = IP_PROTO_UDP,
        .ttl = 61,
        .src = addr_v4(0xc6120002),
        .dst = addr_v4(0xc6120001),
        .udp = {.source_port = port, .port = 61000},
        .payload = bytes,
        .payload_len = len,
    };
}

static void any_datagram_from_the_port_is_open(void **state)
{
    (void)state;
    static const uint16_t ports[] = {53, 161, 69, 40125};
    static const uint8_t nonsense[] = {'?'};
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        for (size_t len = 0; len <= 1; len++) {
            struct packet packet = datagram_from(ports[i], nonsense, len);
            struct answer answer;
            assert_true(technique_udp.judge(&technique_udp, &packet, &answer));
            assert_int_equal(answer.verdict.state, PORT_OPEN);
            assert_int_equal(answer.verdict.reason, REASON_UDP_RESPONSE);
            assert_int_equal(answer.verdict.rank, RANK_SERVICE);
            assert_int_equal(answer.verdict.ttl, 61);
            assert_int_equal(answer.number_count, 0);
        }
    }
}

static void an_echoed_id_is_the_proof(void **state)
{
    (void)state;
    for (unsigned i = 0; i < payload_ports_len; i++) {
        for (unsigned t = 0; t < payload_ports[i].turn_count; t++) {
            const struct payload *payload = payload_of_try(payload_ports[i].port, (uint8_t)t);
            uint8_t bytes[PAYLOAD_MAX];
            if (payload->sample.len == 0 || payload->echo == PAYLOAD_ECHO_NONE)
                continue;
            struct packet packet = datagram_from(payload_ports[i].port, bytes, sample_of(payload, bytes));
            struct answer answer;
            assert_true(technique_udp.judge(&technique_udp, &packet, &answer));
            assert_int_equal(answer.number_count, 1);
            assert_true(answer.port_will_do);
            bool half = payload->id == PAYLOAD_ID_HALF;
            assert_int_equal(answer.upper_half, half);
            assert_int_equal(answer.numbers[0], half ? NUMBER & 0xffff0000 : NUMBER);
        }
    }
}

static struct packet error_about(uint8_t type, uint8_t code, bool from_target)
{
    return (struct packet){
        .layer = LAYER_ICMP4,
        .ip_proto = IP_PROTO_ICMP,
        .ttl = 62,
        .src = addr_v4(from_target ? 0xc6120002 : 0xc61200fe),
        .icmp = {.type = type, .code = code},
        .has_quote = true,
        .quote = {.dst = addr_v4(0xc6120002), .ip_proto = IP_PROTO_UDP, .port = 53, .number = NUMBER},
    };
}

static void only_the_targets_own_port_unreachable_is_closed(void **state)
{
    (void)state;
    for (unsigned code = 0; code < 16; code++) {
        for (unsigned from_target = 0; from_target <= 1; from_target++) {
            struct packet packet = error_about(ICMP4_UNREACHABLE, (uint8_t)code, from_target);
            struct answer answer;
            assert_true(technique_udp.judge(&technique_udp, &packet, &answer));
            bool closed = code == 3 && from_target;
            assert_int_equal(answer.verdict.state, closed ? PORT_CLOSED : PORT_FILTERED);
            assert_int_equal(answer.verdict.reason == REASON_PORT_UNREACH, code == 3);
            assert_int_equal(answer.verdict.source.family, from_target ? ADDR_NONE : ADDR_V4);
            assert_int_equal(answer.number_count, 0); /* 8 quoted bytes of UDP hold no number */
        }
    }
}

static void other_packets_say_nothing(void **state)
{
    (void)state;
    struct packet tcp = {.layer = LAYER_TCP, .ip_proto = IP_PROTO_TCP, .tcp = {.flags = TCP_RST}};
    struct packet redirect = error_about(ICMP4_REDIRECT, 1, false);
    struct answer answer;
    assert_false(technique_udp.judge(&technique_udp, &tcp, &answer));
    assert_false(technique_udp.judge(&technique_udp, &redirect, &answer));
}

static struct packet built_by(const struct technique *technique, uint16_t port, uint8_t try_number,
                              uint8_t bytes[static 2048])
{
    struct probe probe = {
        .technique = technique,
        .src = addr_v4(0xc6120001),
        .dst = addr_v4(0xc6120002),
        .source_port = 61000,
        .port = port,
        .number = NUMBER,
        .try_number = try_number,
    };
    struct writer out = writer_over(bytes + IPV4_HEADER_LEN, 2048 - IPV4_HEADER_LEN);
    technique->build(&probe, &out);
    assert_true(out.ok);
    struct ip_header header = {.src = probe.src,
                               .dst = probe.dst,
                               .proto = technique_ip_proto(technique, &probe.dst, port),
                               .ttl = 64};
    struct writer head = writer_over(bytes, IPV4_HEADER_LEN);
    ip_write(&head, &header, writer_len(&out));
    struct packet packet;
    struct packet_reading strict = {.checksums = true};
    assert_int_equal(packet_read_ip(bytes, IPV4_HEADER_LEN + writer_len(&out), strict, &packet), PACKET_OK);
    return packet;
}

static void a_probe_carries_the_payload_of_its_try(void **state)
{
    (void)state;
    uint8_t bytes[2048];
    for (unsigned i = 0; i < payload_ports_len; i++) {
        for (unsigned t = 0; t < payload_ports[i].turn_count; t++) {
            const struct payload *payload = payload_of_try(payload_ports[i].port, (uint8_t)t);
            struct packet packet = built_by(&technique_udp, payload_ports[i].port, (uint8_t)t, bytes);
            assert_int_equal(packet.udp.port, payload_ports[i].port);
            assert_int_equal(packet.payload_len, payload->bytes.len);
        }
    }
    assert_int_equal(built_by(&technique_udp, 40125, 0, bytes).payload_len, 0);
}

static void data_of_the_user_stands_in_the_place_of_the_payload(void **state)
{
    (void)state;
    static const struct probe_data data = {(const uint8_t *)"hello", 5};
    static const struct technique *const bases[] = {&technique_udp, &technique_syn, &technique_fin};
    uint8_t bytes[2048];
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        struct technique technique = technique_with_data(bases[i], &data);
        struct packet packet = built_by(&technique, 53, 1, bytes);
        assert_int_equal(packet.payload_len, 5);
        assert_memory_equal(packet.payload, "hello", 5);
    }
    struct technique protocols = technique_with_data(&technique_ip_protocol, &data);
    struct packet packet = built_by(&protocols, 200, 0, bytes);
    assert_int_equal(packet.payload_len, 5);
    assert_int_equal(built_by(&protocols, IP_PROTO_UDP, 0, bytes).payload_len, 5);
    assert_int_equal(built_by(&protocols, IP_PROTO_TCP, 0, bytes).payload_len, 5);
}

static void what_answers_data_of_the_user_proves_itself_by_its_port(void **state)
{
    (void)state;
    static const struct probe_data data = {(const uint8_t *)"hello", 5};
    struct technique technique = technique_with_data(&technique_udp, &data);
    uint8_t bytes[PAYLOAD_MAX];
    struct packet packet = datagram_from(53, bytes, sample_of(payload_of_try(53, 0), bytes));
    struct answer answer;
    assert_true(technique.judge(&technique, &packet, &answer));
    assert_int_equal(answer.number_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_payload_has_bytes_and_a_source),
        cmocka_unit_test(every_port_is_there_once_and_its_tries_cycle),
        cmocka_unit_test(a_port_without_a_payload_has_none),
        cmocka_unit_test(the_number_is_written_where_the_payload_says),
        cmocka_unit_test(a_payload_that_does_not_fit_clears_ok),
        cmocka_unit_test(every_sample_answer_is_recognised_and_carries_the_number),
        cmocka_unit_test(every_cut_of_an_answer_is_read_within_its_bounds),
        cmocka_unit_test(our_own_question_is_not_taken_for_an_answer),
        cmocka_unit_test(any_datagram_from_the_port_is_open),
        cmocka_unit_test(an_echoed_id_is_the_proof),
        cmocka_unit_test(only_the_targets_own_port_unreachable_is_closed),
        cmocka_unit_test(other_packets_say_nothing),
        cmocka_unit_test(a_probe_carries_the_payload_of_its_try),
        cmocka_unit_test(data_of_the_user_stands_in_the_place_of_the_payload),
        cmocka_unit_test(what_answers_data_of_the_user_proves_itself_by_its_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
