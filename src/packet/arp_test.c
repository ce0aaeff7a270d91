#include "packet/arp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "packet/test_packets.h"

/* "198.18.0.2 is at 02:00:00:00:00:02", to 198.18.0.1 at 02:00:00:00:00:01 */
static const char *const reply = "0001 0800 06 04 0002 020000000002 c6120002 020000000001 c6120001";

static void the_fields_of_an_arp_packet_are_read(void **state)
{
    (void)state;
    struct test_bytes bytes = from_hex(reply);
    struct reader in = read_test_bytes(&bytes);
    struct addr host = host_v4(), us = us_v4();
    struct arp_packet arp;
    assert_true(arp_read(&in, &arp));
    assert_int_equal(arp.operation, ARP_REPLY);
    assert_memory_equal(arp.sender_mac, ((uint8_t[6]){2, 0, 0, 0, 0, 2}), 6);
    assert_memory_equal(arp.target_mac, ((uint8_t[6]){2, 0, 0, 0, 0, 1}), 6);
    assert_true(addr_equal(&arp.sender, &host) && addr_equal(&arp.target, &us));
    assert_int_equal(reader_left(&in), 0);
}

static void arp_of_another_kind_is_refused(void **state)
{
    (void)state;
    for (size_t at = 0; at < 6; at++) { /* hardware, protocol, and the length of each */
        struct test_bytes bytes = from_hex(reply);
        bytes.data[at] ^= 0x10;
        struct reader in = read_test_bytes(&bytes);
        struct arp_packet arp;
        assert_false(arp_read(&in, &arp));
        assert_true(in.ok);
    }
}

static void a_written_arp_packet_is_byte_for_byte_the_known_one(void **state)
{
    (void)state;
    struct test_bytes expected = from_hex(reply);
    struct arp_packet arp = {.operation = ARP_REPLY,
                             .sender_mac = {2, 0, 0, 0, 0, 2},
                             .sender = host_v4(),
                             .target_mac = {2, 0, 0, 0, 0, 1},
                             .target = us_v4()};
    uint8_t bytes[28];
    struct writer out = writer_over(bytes, sizeof bytes);
    arp_write(&out, &arp);
    assert_true(out.ok);
    assert_int_equal(writer_len(&out), expected.len);
    assert_memory_equal(bytes, expected.data, expected.len);
}

static void the_ethertype_is_found_behind_two_vlan_tags(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint16_t ethertype;
        size_t len;
    } frames[] = {
        {"020000000001 020000000002 0800 45", ETHERTYPE_IPV4, 14},
        {"020000000001 020000000002 8100 0005 86dd 60", ETHERTYPE_IPV6_PACKET, 18},
        {"020000000001 020000000002 88a8 0005 8100 0006 0806 00", ETHERTYPE_ARP_PACKET, 22},
        {"020000000001 020000000002 88a8 0005 8100 0006 8100 0007 0800", ETHERTYPE_VLAN_TAG, 22},
    };
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        struct test_bytes bytes = from_hex(frames[i].text);
        struct reader in = read_test_bytes(&bytes);
        struct ethernet_header ethernet;
        assert_true(ethernet_read(&in, &ethernet));
        assert_int_equal(ethernet.ethertype, frames[i].ethertype);
        assert_int_equal(in.at - bytes.data, frames[i].len);
        assert_memory_equal(ethernet.destination, ((uint8_t[6]){2, 0, 0, 0, 0, 1}), 6);
        assert_memory_equal(ethernet.source, ((uint8_t[6]){2, 0, 0, 0, 0, 2}), 6);
        for (size_t len = 0; len < frames[i].len; len++) {
            in = reader_over(bytes.data, len);
            assert_false(ethernet_read(&in, &ethernet));
            assert_false(in.ok);
        }
    }
}

static void an_arp_packet_cut_anywhere_is_truncated(void **state)
{
    (void)state;
    struct test_bytes bytes = from_hex(reply);
    for (size_t len = 0; len < bytes.len; len++) {
        struct reader in = reader_over(bytes.data, len);
        struct arp_packet arp = {.operation = 77};
        assert_false(arp_read(&in, &arp));
        assert_false(in.ok);
        assert_int_equal(arp.operation, 77);
    }
}

static void a_written_ethernet_header_is_read_back(void **state)
{
    (void)state;
    struct ethernet_header header = {{1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12}, ETHERTYPE_ARP_PACKET};
    struct ethernet_header back;
    uint8_t bytes[ETHERNET_HEADER_LEN];
    struct writer out = writer_over(bytes, sizeof bytes);
    ethernet_write(&out, &header);
    assert_int_equal(writer_len(&out), ETHERNET_HEADER_LEN);
    struct reader in = reader_over(bytes, sizeof bytes);
    assert_true(ethernet_read(&in, &back));
    assert_memory_equal(&back, &header, sizeof back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fields_of_an_arp_packet_are_read),
        cmocka_unit_test(arp_of_another_kind_is_refused),
        cmocka_unit_test(a_written_arp_packet_is_byte_for_byte_the_known_one),
        cmocka_unit_test(the_ethertype_is_found_behind_two_vlan_tags),
        cmocka_unit_test(an_arp_packet_cut_anywhere_is_truncated),
        cmocka_unit_test(a_written_ethernet_header_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
