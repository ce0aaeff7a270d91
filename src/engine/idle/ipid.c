#include "engine/idle/ipid.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/time.h"

/* From one answer to the next a counter that is not random never goes further than this part of its range:
 * eight samples of a random one stay within it with a chance of (1/8)^7. */
#define NEAR_PART 16

const char *ipid_class_name(enum ipid_class class)
{
    static const char *const names[IPID_CLASS_COUNT] = {
        [IPID_INCREMENTAL] = "incremental",
        [IPID_BY_TWO] = "incremental by two",
        [IPID_SWAPPED] = "incremental, bytes swapped",
        [IPID_PER_HOST] = "per destination",
        [IPID_RANDOM] = "random",
        [IPID_ZERO] = "zero",
        [IPID_CONSTANT] = "constant",
        [IPID_BUSY] = "incremental, but busy",
        [IPID_ABSENT] = "absent",
        [IPID_SILENT] = "silent",
    };
    assert(class < IPID_CLASS_COUNT);
    return names[class];
}

bool ipid_class_fits(enum ipid_class class)
{
    return class == IPID_INCREMENTAL || class == IPID_BY_TWO || class == IPID_SWAPPED;
}

const char *ipid_class_trouble(enum ipid_class class)
{
    static const char *const troubles[IPID_CLASS_COUNT] = {
        [IPID_PER_HOST] = "counts its packets to each destination apart",
        [IPID_RANDOM] = "numbers its packets at random",
        [IPID_ZERO] = "gives all its packets the ID 0",
        [IPID_CONSTANT] = "gives all its packets the same ID",
        [IPID_BUSY] = "sends so much to others that nothing of ours would show",
        [IPID_ABSENT] =
            "puts no fragment header on its packets, not even on a path said to be narrow (RFC 8021)",
        [IPID_SILENT] = "does not answer",
    };
    assert(class < IPID_CLASS_COUNT && troubles[class]);
    return troubles[class];
}

static uint32_t swap(uint32_t id)
{
    return (id << 8 & 0xff00) | (id >> 8 & 0xff);
}

/* How far the counter went, the short way round. */
static int64_t difference(uint32_t from, uint32_t to, uint32_t mask)
{
    uint32_t up = (to - from) & mask;
    return up <= mask / 2 ? (int64_t)up : (int64_t)up - (int64_t)mask - 1;
}

int64_t ipid_distance(const struct ipid_scale *scale, uint32_t from, uint32_t to)
{
    if (scale->swapped) {
        from = swap(from);
        to = swap(to);
    }
    return difference(from, to, scale->mask) / (int64_t)scale->step;
}

/* The longest way between two neighbours, under this reading of the counter. */
static int64_t longest_step(const struct ipid_sample *samples, unsigned count, const struct ipid_scale *scale)
{
    int64_t longest = 0;
    for (unsigned i = 1; i < count; i++) {
        int64_t step = llabs(ipid_distance(scale, samples[i - 1].id, samples[i].id));
        longest = step > longest ? step : longest;
    }
    return longest;
}

static bool all_even(const struct ipid_sample *samples, unsigned count, const struct ipid_scale *scale)
{
    for (unsigned i = 1; i < count; i++)
        if (ipid_distance(scale, samples[0].id, samples[i].id) % 2)
            return false;
    return true;
}

static bool all_equal(const struct ipid_sample *samples, unsigned count)
{
    for (unsigned i = 1; i < count; i++)
        if (samples[i].id != samples[0].id)
            return false;
    return true;
}

enum ipid_class ipid_classify(const struct ipid_sample *samples, unsigned count, uint32_t mask,
                              struct ipid_scale *ret_scale, double *ret_pps)
{
    struct ipid_scale scale = {.mask = mask, .step = 1};
    struct ipid_scale swapped = {.mask = mask, .step = 1, .swapped = mask == UINT16_MAX};
    if (count < IPID_SAMPLES_MIN)
        return IPID_SILENT;
    if (all_equal(samples, count))
        return samples[0].id ? IPID_CONSTANT : IPID_ZERO;

    enum ipid_class class = IPID_INCREMENTAL;
    if (longest_step(samples, count, &swapped) < longest_step(samples, count, &scale)) {
        scale = swapped;
        class = IPID_SWAPPED;
    } else if (all_even(samples, count, &scale)) {
        scale.step = 2;
        class = IPID_BY_TWO;
    }
    if (longest_step(samples, count, &scale) > mask / NEAR_PART)
        return IPID_RANDOM;

    double seconds = (double)(samples[count - 1].time_ns - samples[0].time_ns) / (double)SEC;
    int64_t packets = ipid_distance(&scale, samples[0].id, samples[count - 1].id) - (count - 1);
    double pps = packets > 0 && seconds > 0 ? (double)packets / seconds : 0;
    *ret_scale = scale;
    *ret_pps = pps;
    return pps > IPID_BUSY_PPS ? IPID_BUSY : class;
}
