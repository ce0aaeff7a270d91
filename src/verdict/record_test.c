#include "verdict/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct record port_record(void)
{
    return (struct record){
        .type = RECORD_PORT,
        .protocol = PROTOCOL_TCP,
        .state = PORT_OPEN,
        .reason = REASON_SYN_ACK,
        .ttl = 64,
        .tries = 1,
        .port = 22,
        .host = addr_v4(0xc6120001),
        .time_ns = 1,
        .rtt_ns = 1,
    };
}

static void a_plain_port_record_is_valid(void **state)
{
    (void)state;
    struct record record = port_record();
    assert_true(record_valid(&record));
}

static void an_enum_out_of_range_is_refused(void **state)
{
    (void)state;
    struct record record = port_record();
    record.type = RECORD_TYPE_COUNT;
    assert_false(record_valid(&record));
    record = port_record();
    record.protocol = PROTOCOL_COUNT;
    assert_false(record_valid(&record));
    record = port_record();
    record.state = PORT_STATE_COUNT;
    assert_false(record_valid(&record));
    record = port_record();
    record.reason = REASON_COUNT;
    assert_false(record_valid(&record));
    record = port_record();
    record.note = NOTE_COUNT;
    assert_false(record_valid(&record));
}

static void a_host_record_must_name_a_host(void **state)
{
    (void)state;
    static const enum record_type types[] = {RECORD_HOST_UP, RECORD_HOST_DOWN, RECORD_MAC, RECORD_PORT,
                                             RECORD_HOST_DONE};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct record record = {.type = (uint8_t)types[i], .host = addr_v4(1)};
        assert_true(record_valid(&record));
        record.host = (struct addr){0};
        assert_false(record_valid(&record));
    }
}

static void a_note_may_name_no_host(void **state)
{
    (void)state;
    struct record record = {.type = RECORD_NOTE, .note = NOTE_RING_DROPS};
    assert_true(record_valid(&record));
}

static void an_unknown_address_family_is_refused(void **state)
{
    (void)state;
    struct record record = port_record();
    record.host.family = 5;
    assert_false(record_valid(&record));
    record = port_record();
    record.source.family = 5;
    assert_false(record_valid(&record));
}

static void an_ipv4_address_with_a_tail_or_a_scope_is_refused(void **state)
{
    (void)state;
    struct record record = port_record();
    record.host.bytes[15] = 1;
    assert_false(record_valid(&record));
    record = port_record();
    record.host.scope = 1;
    assert_false(record_valid(&record));
}

static void a_source_of_the_other_family_is_refused(void **state)
{
    (void)state;
    static const uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8};
    struct record record = port_record();
    record.source = addr_v4(0xc6120002);
    assert_true(record_valid(&record));
    record.source = addr_v6(bytes, 0);
    assert_false(record_valid(&record));
}

static void a_negative_time_is_refused(void **state)
{
    (void)state;
    struct record record = port_record();
    record.time_ns = -1;
    assert_false(record_valid(&record));
    record = port_record();
    record.rtt_ns = -1;
    assert_false(record_valid(&record));
    record = (struct record){.type = RECORD_HOST_DONE, .host = addr_v4(1), .rttvar_ns = -1};
    assert_false(record_valid(&record));
    record = (struct record){.type = RECORD_HOST_DONE, .host = addr_v4(1), .rto_ns = -1};
    assert_false(record_valid(&record));
}

static void the_packet_in_the_record_of_a_port_is_whole_or_not_there(void **state)
{
    (void)state;
    struct record record = port_record();
    record.part = (struct evidence_part){.len = RECORD_PACKET_MAX, .kept_len = RECORD_PACKET_MAX};
    assert_true(record_valid(&record));
    record.part.kept_len++;
    assert_false(record_valid(&record));
    record.part.len++;
    assert_false(record_valid(&record));
    record = port_record();
    record.part = (struct evidence_part){.number = 1, .len = 40, .kept_len = 40};
    assert_false(record_valid(&record));
}

static void a_part_of_a_packet_is_in_the_packet_and_in_its_record(void **state)
{
    (void)state;
    struct record record = port_record();
    record.type = RECORD_EVIDENCE;
    record.part = (struct evidence_part){.number = 1, .len = 20, .kept_len = RECORD_BYTES + 20};
    assert_true(record_valid(&record));
    record.part.kept_len--;
    assert_false(record_valid(&record));
    record.part = (struct evidence_part){.len = RECORD_BYTES + 1, .kept_len = EVIDENCE_MAX};
    assert_false(record_valid(&record));
    record.part = (struct evidence_part){.len = RECORD_BYTES, .kept_len = EVIDENCE_MAX + 1};
    assert_false(record_valid(&record));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_port_record_is_valid),
        cmocka_unit_test(an_enum_out_of_range_is_refused),
        cmocka_unit_test(a_host_record_must_name_a_host),
        cmocka_unit_test(a_note_may_name_no_host),
        cmocka_unit_test(an_unknown_address_family_is_refused),
        cmocka_unit_test(an_ipv4_address_with_a_tail_or_a_scope_is_refused),
        cmocka_unit_test(a_source_of_the_other_family_is_refused),
        cmocka_unit_test(a_negative_time_is_refused),
        cmocka_unit_test(the_packet_in_the_record_of_a_port_is_whole_or_not_there),
        cmocka_unit_test(a_part_of_a_packet_is_in_the_packet_and_in_its_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
