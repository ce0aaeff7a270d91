/* The table of connections in flight. Sockets are stood in for by event descriptors: the table only closes
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/rand.h"
#include "base/time.h"
#include "netio/connect/slots.h"

static const struct connect_patience patience = {.superseded_ns = SEC, .last_try_ns = 3 * SEC};

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* As the backend does: with the socket that is there, or a new one. */
static uint32_t add_to(struct connect_slots *slots, struct addr host, const struct connect_slot *what)
{
    uint32_t index = connect_slots_reserve(slots, &host);
    struct connect_slot slot = *what;
    slot.host = host;
    slot.fd = slots->slots[index].fd;
    if (slot.fd < 0)
        slot.fd = eventfd(0, EFD_CLOEXEC);
    assert_true(slot.fd >= 0);
    connect_slots_enter(slots, index, &slot);
    return index;
}

static uint32_t add(struct connect_slots *slots, uint64_t bit, uint8_t try_number, int64_t start_ns)
{
    return add_to(
        slots, addr_v4(1),
        &(struct connect_slot){.block_id = 1, .bit = bit, .try_number = try_number, .start_ns = start_ns});
}

static void a_full_table_has_room_again_when_one_is_removed(void **state)
{
    (void)state;
    struct connect_slots slots;
    assert_int_equal(connect_slots_init(&slots, 3), 0);
    for (uint64_t bit = 0; bit < 3; bit++) {
        assert_false(connect_slots_full(&slots));
        add(&slots, bit, 0, 0);
    }
    assert_true(connect_slots_full(&slots));
    connect_slots_remove(&slots, 1);
    assert_false(connect_slots_full(&slots));
    connect_slots_done(&slots);
}

static void a_kept_socket_is_used_again_for_its_host_only(void **state)
{
    (void)state;
    static const struct connect_slot probe = {.block_id = 1, .bit = 5};
    struct connect_slots slots;
    assert_int_equal(connect_slots_init(&slots, 4), 0);
    uint32_t first = add_to(&slots, addr_v4(1), &probe);
    int fd = slots.slots[first].fd;
    connect_slots_keep(&slots, first);
    assert_true(is_open(fd));
    assert_false(connect_slots_in_flight(&slots, first));

    uint32_t other = add_to(&slots, addr_v4(2), &probe);
    assert_int_not_equal(slots.slots[other].fd, fd);
    assert_int_equal(add_to(&slots, addr_v4(1), &probe), first);
    assert_int_equal(slots.slots[first].fd, fd);
    assert_true(connect_slots_in_flight(&slots, first));
    connect_slots_done(&slots);
    assert_false(is_open(fd));
}

static void kept_sockets_make_room_for_other_hosts(void **state)
{
    (void)state;
    static const struct connect_slot probe = {.block_id = 1, .bit = 5};
    struct connect_slots slots;
    assert_int_equal(connect_slots_init(&slots, 2), 0);
    for (uint32_t i = 0; i < 2; i++)
        connect_slots_keep(&slots, add_to(&slots, addr_v4(i), &probe));
    assert_int_equal(slots.idle_count, 2);
    assert_false(connect_slots_full(&slots));
    add_to(&slots, addr_v4(2), &probe);
    assert_int_equal(slots.idle_count, 1);
    add_to(&slots, addr_v4(3), &probe);
    assert_true(connect_slots_full(&slots));
    assert_false(connect_slots_drop_idle(&slots));
    connect_slots_done(&slots);
}

static void all_tries_of_a_probe_are_closed_together_and_no_other(void **state)
{
    (void)state;
    struct connect_slots slots;
    assert_int_equal(connect_slots_init(&slots, 8), 0);
    int same[2], other[2];
    same[0] = slots.slots[add(&slots, 5, 0, 0)].fd;
    other[0] = slots.slots[add(&slots, 6, 0, 0)].fd;
    same[1] = slots.slots[add(&slots, 5, 1, 0)].fd;
    const struct connect_slot of_another_block = {.block_id = 2, .bit = 5};
    other[1] = slots.slots[add_to(&slots, addr_v4(1), &of_another_block)].fd;

    connect_slots_remove_probe(&slots, 1, 5);
    for (int i = 0; i < 2; i++) {
        assert_false(is_open(same[i]));
        assert_true(is_open(other[i]));
    }
    connect_slots_done(&slots);
    assert_false(is_open(other[0]));
    assert_false(is_open(other[1]));
}

static void a_superseded_try_is_spared_before_an_older_last_one(void **state)
{
    (void)state;
    struct connect_slots slots;
    assert_int_equal(connect_slots_init(&slots, 8), 0);
    int last_try = slots.slots[add(&slots, 1, 0, 0)].fd;
    int superseded = slots.slots[add(&slots, 2, 0, SEC)].fd;
    int newer = slots.slots[add(&slots, 2, 1, 2 * SEC)].fd;

    assert_int_equal(connect_slots_spare_at(&slots, patience), 2 * SEC);
    assert_false(connect_slots_spare(&slots, 2 * SEC - 1, patience));
    assert_true(connect_slots_spare(&slots, 2 * SEC, patience));
    assert_false(is_open(superseded));
    assert_int_equal(connect_slots_spare_at(&slots, patience), 3 * SEC);
    assert_false(connect_slots_spare(&slots, 3 * SEC - 1, patience));
    assert_true(connect_slots_spare(&slots, 3 * SEC, patience));
    assert_false(is_open(last_try));
    assert_true(is_open(newer));
    assert_true(connect_slots_spare(&slots, 5 * SEC, patience));
    assert_int_equal(connect_slots_spare_at(&slots, patience), TIME_NEVER);
    assert_false(connect_slots_spare(&slots, 1000 * SEC, patience));
    connect_slots_done(&slots);
}

/* What the table must hold, kept the slow way. */
struct model {
    bool used[16];
    uint64_t bit[16];
    unsigned count;
};

static void forget(struct model *model, uint32_t index)
{
    assert_true(model->used[index]);
    model->used[index] = false;
    model->count--;
}

static void step(struct connect_slots *slots, struct model *model, struct rand *rand, int64_t now_ns)
{
    uint64_t bit = rand_below(rand, 6);
    uint32_t index = (uint32_t)rand_below(rand, 16);
    switch (rand_below(rand, 5)) {
    case 0:
        if (!model->used[index])
            return;
        connect_slots_remove(slots, index);
        forget(model, index);
        return;
    case 1:
        if (!model->used[index])
            return;
        connect_slots_keep(slots, index);
        forget(model, index);
        return;
    case 2:
        connect_slots_remove_probe(slots, 1, bit);
        for (uint32_t i = 0; i < 16; i++)
            if (model->used[i] && model->bit[i] == bit)
                forget(model, i);
        return;
    default:
        if (model->count == 16)
            return;
        index = add_to(slots, addr_v4((uint32_t)rand_below(rand, 3)),
                       &(struct connect_slot){.block_id = 1, .bit = bit, .start_ns = now_ns});
        assert_false(model->used[index]);
        model->used[index] = true;
        model->bit[index] = bit;
        model->count++;
        return;
    }
}

static void the_table_holds_what_was_entered_and_not_removed(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct connect_slots slots;
        struct model model = {0};
        struct rand rand = {seed};
        assert_int_equal(connect_slots_init(&slots, 16), 0);
        for (int64_t now_ns = 0; now_ns < 400; now_ns++) {
            step(&slots, &model, &rand, now_ns);
            if (connect_slots_full(&slots) != (model.count == 16))
                fail_msg("seed %llu: fullness", (unsigned long long)seed);
            for (uint32_t i = 0; i < 16; i++)
                if (connect_slots_in_flight(&slots, i) != model.used[i])
                    fail_msg("seed %llu: slot %u", (unsigned long long)seed, i);
        }
        unsigned spared = 0;
        while (connect_slots_spare(&slots, 1000 * SEC, patience))
            spared++;
        if (spared != model.count)
            fail_msg("seed %llu: %u in the lists, %u in the table", (unsigned long long)seed, spared,
                     model.count);
        connect_slots_done(&slots);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_table_has_room_again_when_one_is_removed),
        cmocka_unit_test(a_kept_socket_is_used_again_for_its_host_only),
        cmocka_unit_test(kept_sockets_make_room_for_other_hosts),
        cmocka_unit_test(all_tries_of_a_probe_are_closed_together_and_no_other),
        cmocka_unit_test(a_superseded_try_is_spared_before_an_older_last_one),
        cmocka_unit_test(the_table_holds_what_was_entered_and_not_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
