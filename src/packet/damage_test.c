/* Whatever becomes of a packet on its way, decoding it ends, keeps to its bytes and misses no damage it can
 * see. Each damaged packet lies in memory of just its size, so that a sanitizer sees one byte too far. */
#include "packet/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/test_packets.h"

#define MACS     "020000000001 020000000002 "
#define HOST_US  "c6120002 c6120001 "
#define HOST_US6 "20010db8 00000000 00000000 00000002 20010db8 00000000 00000000 00000001 "

/* Whole packets of every layer, all checksums right; the transport's checksum covers all behind the IP
 * header. */
static const char *const frames[] = {
    /* SYN/ACK with options */
    MACS "0800 4500003c 12344000 40069c60" HOST_US "0050 9c40 01020304 0a0b0c0e a012 faf0 0a27 0000"
         "020405b4 0402080a 00000001 00000000 01030307",
    /* the same over IPv6 behind four extension headers, in a VLAN */
    MACS "8100 0005 86dd 60000000 00580040" HOST_US6 "3c00000000000000 2b00000000000000 3300000000000000"
         "0604000000000000 0000000000000000 0000000000000000"
         "0050 9c40 01020304 0a0b0c0e a012 faf0 3ada 0000 020405b4 0402080a 00000001 00000000 01030307",
    /* UDP */
    MACS "0800 45000022 12344000 40119c6f" HOST_US "0035 9c40 000e 9cdc 616e7377 6572",
    MACS "86dd 60000000 000e1140" HOST_US6 "0035 9c40 000e cd8f 616e7377 6572",
    /* SCTP: INIT-ACK, and ERROR with a cause */
    MACS "0800 4500003c 12344000 40849be2" HOST_US
         "0050 9c40 0a0b0c0d 286f63f1 0200001c 00000001 00010000 000a000a 00000001 00070008 01020304",
    MACS "0800 4500002c 12344000 40849bf2" HOST_US "0050 9c40 0a0b0c0d 16291bb5 0900000c 00030008 00000010",
    /* port unreachable that quotes a SYN */
    MACS "0800 45000048 12344000 40013831 c6336409 c6120001 0303 8943 00000000"
         "4500002c 12344000 40069c70 c6120001 c6120002 9c400050 01020304 0a0b0c0e 6002faf0 5a5e0000 020405b4",
    /* time exceeded that quotes UDP behind destination options */
    MACS "86dd 60000000 00403a40 20010db8 ffff0000 00000000 00000009 20010db8 00000000 00000000 00000001"
         "0300f3d1 00000000 60000000 00103c40 20010db8 00000000 00000000 00000001"
         "20010db8 00000000 00000000 00000002 11000000 00000000 9c400035 000807f4",
    /* neighbour advertisement */
    MACS "86dd 60000000 00203aff" HOST_US6
         "8800 8a71 60000000 20010db8 00000000 00000000 00000002 0201 020000000002",
    /* ARP reply */
    MACS "0806 0001 0800 06 04 0002 020000000002 c6120002 020000000001 c6120001",
};
#define FRAME_COUNT (sizeof frames / sizeof frames[0])

static const struct packet_reading verifying = {.checksums = true};
static const struct packet_reading trusting = {.checksums = false};

static void assert_within(const uint8_t *part, size_t part_len, const uint8_t *data, size_t len)
{
    assert_true(part >= data && part <= data + len);
    assert_true(part_len <= (size_t)(data + len - part));
}

/* Decode from memory of its own, and hold what comes out to the bytes that went in. */
static enum packet_fault read_alone(const uint8_t *data, size_t len, struct packet_reading how)
{
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    struct packet packet;
    enum packet_fault fault = packet_read_ethernet(copy, len, how, &packet);
    assert_true(fault < PACKET_FAULT_COUNT);
    if (fault == PACKET_OK) {
        assert_within(packet.payload, packet.payload_len, copy, len);
        if (packet.has_quote)
            assert_within(packet.quote.bytes, packet.quote.len, copy, len);
        if (packet.layer == LAYER_TCP)
            assert_within(packet.tcp.options, packet.tcp.options_len, copy, len);
    }
    free(copy);
    return fault;
}

static void whole_packets_are_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < FRAME_COUNT; i++) {
        struct test_bytes frame = from_hex(frames[i]);
        assert_int_equal(read_alone(frame.data, frame.len, verifying), PACKET_OK);
    }
}

static void a_packet_cut_anywhere_is_truncated(void **state)
{
    (void)state;
    for (size_t i = 0; i < FRAME_COUNT; i++) {
        struct test_bytes frame = from_hex(frames[i]);
        for (size_t len = 0; len < frame.len; len++) {
            assert_int_equal(read_alone(frame.data, len, verifying), PACKET_TRUNCATED);
            assert_int_equal(read_alone(frame.data, len, trusting), PACKET_TRUNCATED);
        }
    }
}

/* Where the IP packet begins: behind one or no VLAN tag. */
static size_t ip_start(const struct test_bytes *frame)
{
    return get_be16(frame->data + 12) == ETHERTYPE_VLAN_TAG ? 18 : 14;
}

/* An internet checksum sees every change of a single byte, and so does CRC32c; over IPv4 all bytes are
 * summed. */
static void no_byte_of_an_ipv4_packet_changes_unseen(void **state)
{
    (void)state;
    for (size_t i = 0; i < FRAME_COUNT; i++) {
        struct test_bytes frame = from_hex(frames[i]);
        size_t start = ip_start(&frame);
        if (get_be16(frame.data + start - 2) != ETHERTYPE_IPV4)
            continue;
        for (size_t at = start; at < frame.len; at++) {
            uint8_t right = frame.data[at];
            for (unsigned change = 1; change < 256; change++) {
                frame.data[at] = right ^ (uint8_t)change;
                if (read_alone(frame.data, frame.len, verifying) == PACKET_OK)
                    fail_msg("frame %zu, byte %zu, change %02x", i, at, change);
            }
            frame.data[at] = right;
        }
    }
}

static void any_byte_may_be_anything(void **state)
{
    (void)state;
    for (size_t i = 0; i < FRAME_COUNT; i++) {
        struct test_bytes frame = from_hex(frames[i]);
        for (size_t at = 0; at < frame.len; at++) {
            uint8_t right = frame.data[at];
            for (unsigned value = 0; value < 256; value++) {
                frame.data[at] = (uint8_t)value;
                enum packet_fault strict = read_alone(frame.data, frame.len, verifying);
                enum packet_fault lax = read_alone(frame.data, frame.len, trusting);
                assert_true(lax == PACKET_OK || strict != PACKET_OK); /* verifying only takes away */
            }
            frame.data[at] = right;
        }
    }
}

static void random_damage_of_any_size_is_survived(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        struct rand rand = {.state = seed};
        struct test_bytes frame = from_hex(frames[rand_below(&rand, FRAME_COUNT)]);
        size_t len = (size_t)rand_below(&rand, frame.len + 1);
        for (uint64_t changes = rand_below(&rand, 8); changes > 0; changes--)
            frame.data[rand_below(&rand, frame.len)] = (uint8_t)rand_next(&rand);
        read_alone(frame.data, rand_below(&rand, 2) ? len : frame.len, trusting);
        read_alone(frame.data, frame.len, verifying);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_packets_are_taken),
        cmocka_unit_test(a_packet_cut_anywhere_is_truncated),
        cmocka_unit_test(no_byte_of_an_ipv4_packet_changes_unseen),
        cmocka_unit_test(any_byte_may_be_anything),
        cmocka_unit_test(random_damage_of_any_size_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
