#include "cli/supervisor/zombies.h"

#include <stdlib.h>

#include "base/time.h"

/* How the time of an idle scan grows with the distance, traffic and loss of its zombie: about as
 * bench/idle_matrix shows. */
#define COST_NEAR_NS    (36 * MSEC) /* what even the nearest takes */
#define COST_DOUBLE_PPS 70.0        /* as much traffic doubles it */
#define COST_OF_LOSS    5.0

static bool make_room(struct zombies *zombies)
{
    if (zombies->count < zombies->capacity)
        return true;
    size_t capacity = zombies->capacity ? 2 * zombies->capacity : 16;
    struct report_zombie *fit = reallocarray(zombies->fit, capacity, sizeof *fit);
    if (!fit)
        return false;
    zombies->fit = fit;
    zombies->capacity = capacity;
    return true;
}

bool zombies_take(struct zombies *zombies, const struct record *record)
{
    enum ipid_class class =
        record->value[0] < IPID_CLASS_COUNT ? (enum ipid_class)record->value[0] : IPID_SILENT;
    if (!ipid_class_fits(class)) {
        zombies->unfit[class].why = ipid_class_trouble(class);
        zombies->unfit[class].count++;
        return true;
    }
    if (!make_room(zombies))
        return false;
    zombies->fit[zombies->count++] = (struct report_zombie){
        .addr = record->host,
        .ids = ipid_class_name(class),
        .pps = (double)record->value[1] / 1e3,
        .loss = (double)record->value[2] / 1e6,
        .rtt_ns = record->value[3] < INT64_MAX ? (int64_t)record->value[3] : 0,
    };
    return true;
}

static double cost_of(const struct report_zombie *zombie)
{
    return (double)(COST_NEAR_NS + zombie->rtt_ns) * (1 + zombie->pps / COST_DOUBLE_PPS) *
           (1 + COST_OF_LOSS * zombie->loss);
}

static int compare(const void *a, const void *b)
{
    const struct report_zombie *one = a, *other = b;
    double one_cost = cost_of(one), other_cost = cost_of(other);
    if (one_cost != other_cost)
        return one_cost < other_cost ? -1 : 1;
    return addr_compare(&one->addr, &other->addr);
}

void zombies_describe(struct zombies *zombies, struct report_end *end)
{
    if (zombies->count > 0)
        qsort(zombies->fit, zombies->count, sizeof *zombies->fit, compare);
    end->zombies = zombies->fit;
    end->zombie_count = zombies->count;
    end->unfit = zombies->unfit;
    end->unfit_count = IPID_CLASS_COUNT;
}

void zombies_done(struct zombies *zombies)
{
    free(zombies->fit);
    *zombies = (struct zombies){.count = 0};
}
