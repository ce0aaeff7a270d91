/* ipid_classify: a class that fits, or is only too busy, comes with a way to read the counter, by which
 * distances go as far back as forth (half way round is always back); every class has a name, and those that
 * do not fit a reason. */
#include "engine/idle/ipid.h"
#include "fuzz.h"

enum { SAMPLES_MAX = 64, SAMPLE_LEN = 6 };

static unsigned read_samples(const uint8_t *data, size_t size, uint32_t mask, struct ipid_sample *ret)
{
    unsigned count = 0;
    int64_t time_ns = 0;
    for (; count < SAMPLES_MAX && size >= SAMPLE_LEN; data += SAMPLE_LEN, size -= SAMPLE_LEN) {
        uint32_t id = (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
        time_ns += (int64_t)(data[4] << 8 | data[5]) * 100000;
        ret[count++] = (struct ipid_sample){.time_ns = time_ns, .id = id & mask};
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ipid_sample samples[SAMPLES_MAX];
    if (size < 1)
        return 0;
    const uint32_t mask = data[0] & 1 ? UINT32_MAX : UINT16_MAX;
    unsigned count = read_samples(data + 1, size - 1, mask, samples);
    struct ipid_scale scale = {.mask = 0};
    double pps = -1;
    enum ipid_class class = ipid_classify(samples, count, mask, &scale, &pps);
    assert(class < IPID_CLASS_COUNT && ipid_class_name(class));
    if (!ipid_class_fits(class))
        assert(ipid_class_trouble(class));
    if (!ipid_class_fits(class) && class != IPID_BUSY)
        return 0;
    assert(scale.mask == mask && (scale.step == 1 || scale.step == 2) && pps >= 0);
    assert(!scale.swapped || mask == UINT16_MAX);
    for (unsigned i = 1; i < count; i++) {
        int64_t forth = ipid_distance(&scale, samples[i - 1].id, samples[i].id);
        int64_t back = ipid_distance(&scale, samples[i].id, samples[i - 1].id);
        bool half_way_round = forth == back;
        assert((forth == -back || half_way_round) && forth <= mask / 2 && -forth <= mask / 2 + 1);
    }
    return 0;
}
