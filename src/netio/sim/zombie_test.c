/* Simulated zombies number their packets, send to others, answer and are lost as their parameters say; and
 * what is sent in another's name takes its way without us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "netio/sim/zombie.h"
#include "packet/ip.h"
#include "packet/packet.h"

#define NUMBER 0x12345678 /* of our questions */

/* A zombie, a target with port 80 open, and ourselves. */
struct stage {
    struct sim_zombie zombie;
    struct sim_port open;
    struct sim_host target;
    struct sim_config config;
    struct sim_zombies *zombies;
    struct addr us;
};

static const struct addr zombie_addr = {.family = ADDR_V4, .bytes = {198, 18, 0, 9}};
static const struct addr target_addr = {.family = ADDR_V4, .bytes = {198, 18, 0, 2}};

/* *stage has its zombie set, but for the address. */
static void raise(struct stage *stage)
{
    stage->us = addr_v4(0xcb007101);
    stage->zombie.addr = zombie_addr;
    stage->zombie.rtt_ns = stage->zombie.rtt_ns ? stage->zombie.rtt_ns : 10 * MSEC;
    stage->open = (struct sim_port){IP_PROTO_TCP, 80, 80, SIM_OPEN, 0, 0, false};
    stage->target.first = stage->target.last = target_addr;
    stage->target.rtt_ns = 10 * MSEC;
    stage->target.ports = &stage->open;
    stage->target.port_count = 1;
    stage->config = (struct sim_config){.seed = 1,
                                        .hosts = &stage->target,
                                        .host_count = 1,
                                        .zombies = &stage->zombie,
                                        .zombie_count = 1,
                                        .source4 = stage->us};
    stage->zombies = sim_zombies_new(&stage->config);
    assert_non_null(stage->zombies);
}

static void send_segment(struct stage *stage, const struct addr *from, const struct addr *to, uint16_t port,
                         uint8_t flags, int64_t now_ns)
{
    uint8_t bytes[64];
    struct writer out = writer_over(bytes, sizeof bytes);
    struct ip_header ip = {.src = *from, .dst = *to, .proto = IP_PROTO_TCP, .ttl = 64};
    struct tcp_build build = {
        .header = {.source_port = 61000, .port = port, .ack = NUMBER, .flags = flags, .window = 1024}};
    ip_write(&out, &ip, TCP_HEADER_LEN);
    tcp_write(&out, from, to, &build);
    assert_true(out.ok);
    assert_true(sim_zombies_take(stage->zombies, bytes, writer_len(&out), now_ns));
}

/* Let everything happen that does until then. How many packets come to us; *ret_id is the ID of the last. */
static unsigned run_until(struct stage *stage, int64_t until_ns, uint16_t *ret_id, int64_t *ret_time_ns)
{
    struct sim_zombie_answer answer;
    struct packet_reading strict = {.checksums = true};
    struct packet packet;
    unsigned count = 0;
    while (sim_zombies_step(stage->zombies, until_ns, &answer)) {
        if (answer.len == 0)
            continue;
        count++;
        assert_int_equal(packet_read_ip(answer.bytes, answer.len, strict, &packet), PACKET_OK);
        assert_true(packet.tcp.flags == TCP_RST && addr_equal(&packet.dst, &stage->us));
        *ret_id = packet.ip_id;
        *ret_time_ns = answer.time_ns;
    }
    return count;
}

/* The ID with which it answers a question that leaves now. */
static uint16_t ask(struct stage *stage, int64_t now_ns)
{
    uint16_t id = 0;
    int64_t time_ns = 0;
    send_segment(stage, &stage->us, &zombie_addr, 80, TCP_SYN | TCP_ACK, now_ns);
    assert_int_equal(run_until(stage, now_ns + stage->zombie.rtt_ns, &id, &time_ns), 1);
    assert_int_equal(time_ns - now_ns, stage->zombie.rtt_ns);
    return id;
}

static void ids_follow_from_the_kind_of_counter(void **state)
{
    (void)state;
    static const struct {
        uint8_t kind;
        uint16_t ids[3];
    } cases[] = {
        {SIM_IPID_COUNTER, {0xffff, 0, 1}},
        {SIM_IPID_BY_TWO, {0, 2, 4}},
        {SIM_IPID_SWAPPED, {0xffff, 0, 0x100}},
        {SIM_IPID_ZERO, {0, 0, 0}},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stage stage = {.zombie = {.ipid = cases[i].kind, .first_id = 0xfffe}};
        raise(&stage);
        for (unsigned k = 0; k < 3; k++)
            assert_int_equal(ask(&stage, SEC + k * SEC), cases[i].ids[k]);
        sim_zombies_free(stage.zombies);
    }
}

static void traffic_of_its_own_moves_the_counter_at_its_rate(void **state)
{
    (void)state;
    struct stage stage = {
        .zombie = {.background_pps = 100, .bursts_per_s = 10, .burst_len = 5, .burst_gap_ns = MSEC}};
    raise(&stage);
    uint16_t first = ask(&stage, SEC);
    uint16_t packets = (uint16_t)(ask(&stage, 101 * SEC) - first);
    assert_in_range(packets, 14000, 16000); /* 150 a second */
    sim_zombies_free(stage.zombies);
}

static void an_open_port_moves_the_counter_once_and_a_closed_one_never(void **state)
{
    (void)state;
    for (unsigned spoofable = 0; spoofable < 2; spoofable++) {
        struct stage stage = {.target = {.not_to_be_spoofed = !spoofable}};
        raise(&stage);
        assert_int_equal(ask(&stage, SEC), 1);
        send_segment(&stage, &zombie_addr, &target_addr, 81, TCP_SYN, 2 * SEC);
        assert_int_equal(ask(&stage, 12 * SEC), 2);
        send_segment(&stage, &zombie_addr, &target_addr, 80, TCP_SYN, 13 * SEC);
        assert_int_equal(ask(&stage, 23 * SEC), 3 + spoofable);
        sim_zombies_free(stage.zombies);
    }
}

/* Its SYN/ACK goes from us to the target, to the zombie: half of each round trip, and one of both. */
static void the_way_through_the_target_is_longer(void **state)
{
    (void)state;
    struct stage stage = {.zombie = {.rtt_ns = 10 * MSEC}};
    raise(&stage);
    send_segment(&stage, &zombie_addr, &target_addr, 80, TCP_SYN, SEC);
    assert_int_equal(sim_zombies_due_ns(stage.zombies), SEC + 15 * MSEC);
    sim_zombies_free(stage.zombies);
}

static void a_syn_ack_whose_reset_is_lost_comes_again_after_1_3_and_7_seconds(void **state)
{
    (void)state;
    static const int64_t times_ns[] = {0, 1 * SEC, 3 * SEC, 7 * SEC};
    struct stage stage = {.zombie = {.loss = 1}};
    struct sim_zombie_answer answer;
    raise(&stage);
    send_segment(&stage, &zombie_addr, &target_addr, 80, TCP_SYN, SEC);
    for (unsigned i = 0; i < sizeof times_ns / sizeof times_ns[0]; i++) {
        int64_t due_ns = sim_zombies_due_ns(stage.zombies);
        assert_int_equal(due_ns, SEC + 15 * MSEC + times_ns[i]);
        assert_true(sim_zombies_step(stage.zombies, due_ns, &answer));
    }
    assert_int_equal(sim_zombies_due_ns(stage.zombies), TIME_NEVER);
    sim_zombies_free(stage.zombies);
}

static void a_counter_for_each_destination_does_not_show_what_others_get(void **state)
{
    (void)state;
    struct stage stage = {.zombie = {.ipid = SIM_IPID_PER_HOST}};
    raise(&stage);
    uint16_t first = ask(&stage, SEC);
    send_segment(&stage, &zombie_addr, &target_addr, 80, TCP_SYN, 2 * SEC);
    assert_int_equal(ask(&stage, 3 * SEC), first + 1);
    sim_zombies_free(stage.zombies);
}

static void a_silent_zombie_answers_nothing_until_it_speaks_again(void **state)
{
    (void)state;
    struct stage stage = {.zombie = {.silent_from_ns = 2 * SEC, .silent_to_ns = 4 * SEC}};
    uint16_t id = 0;
    int64_t time_ns = 0;
    raise(&stage);
    assert_int_equal(ask(&stage, SEC), 1);
    send_segment(&stage, &stage.us, &zombie_addr, 80, TCP_SYN | TCP_ACK, 3 * SEC);
    assert_int_equal(run_until(&stage, 4 * SEC, &id, &time_ns), 0);
    assert_int_equal(ask(&stage, 5 * SEC), 2);
    sim_zombies_free(stage.zombies);
}

static void one_that_restarts_counts_from_zero(void **state)
{
    (void)state;
    struct stage stage = {.zombie = {.first_id = 5000, .restarts_at_ns = 2 * SEC}};
    raise(&stage);
    assert_int_equal(ask(&stage, SEC), 5001);
    assert_int_equal(ask(&stage, 3 * SEC), 1);
    assert_int_equal(ask(&stage, 4 * SEC), 2);
    sim_zombies_free(stage.zombies);
}

static void forged_answers_come_beside_the_true_one(void **state)
{
    (void)state;
    struct stage stage = {.zombie = {.forgeries = 3}};
    uint16_t id = 0;
    int64_t time_ns = 0;
    raise(&stage);
    send_segment(&stage, &stage.us, &zombie_addr, 80, TCP_SYN | TCP_ACK, SEC);
    assert_int_equal(run_until(&stage, 2 * SEC, &id, &time_ns), 4);
    sim_zombies_free(stage.zombies);
}

static void packets_of_ours_to_others_are_left_alone(void **state)
{
    (void)state;
    struct stage stage = {.zombie = {.rtt_ns = MSEC}};
    uint8_t bytes[64];
    struct writer out = writer_over(bytes, sizeof bytes);
    raise(&stage);
    struct ip_header ip = {.src = stage.us, .dst = target_addr, .proto = IP_PROTO_TCP, .ttl = 64};
    struct tcp_build build = {.header = {.source_port = 61000, .port = 80, .flags = TCP_SYN}};
    ip_write(&out, &ip, TCP_HEADER_LEN);
    tcp_write(&out, &ip.src, &ip.dst, &build);
    assert_false(sim_zombies_take(stage.zombies, bytes, writer_len(&out), SEC));
    assert_int_equal(sim_zombies_due_ns(stage.zombies), TIME_NEVER);
    sim_zombies_free(stage.zombies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_follow_from_the_kind_of_counter),
        cmocka_unit_test(traffic_of_its_own_moves_the_counter_at_its_rate),
        cmocka_unit_test(an_open_port_moves_the_counter_once_and_a_closed_one_never),
        cmocka_unit_test(the_way_through_the_target_is_longer),
        cmocka_unit_test(a_syn_ack_whose_reset_is_lost_comes_again_after_1_3_and_7_seconds),
        cmocka_unit_test(a_counter_for_each_destination_does_not_show_what_others_get),
        cmocka_unit_test(a_silent_zombie_answers_nothing_until_it_speaks_again),
        cmocka_unit_test(one_that_restarts_counts_from_zero),
        cmocka_unit_test(forged_answers_come_beside_the_true_one),
        cmocka_unit_test(packets_of_ours_to_others_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
