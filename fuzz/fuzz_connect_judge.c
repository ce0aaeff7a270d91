/* connect_judge: a connect that failed never makes a port open, only a segment makes one closed, and an error
 * from somebody on the way names him and never counts as one from the target. */
#include "fuzz.h"
#include "technique/connect.h"

enum { OUTCOME_LEN = 7 };

static struct connect_outcome outcome_of(const uint8_t *data)
{
    const struct addr dst = addr_v4(0xc6120002), router = addr_v4(0xcb007101), none = {.family = ADDR_NONE};
    const struct addr offenders[] = {none, dst, router};
    return (struct connect_outcome){
        .version = data[0] & 1 ? 6 : 4,
        .reset_seen = data[0] & 2,
        .has_icmp = data[0] & 4,
        .offender = offenders[data[1] % 3],
        .dst = dst,
        .icmp_type = data[2],
        .icmp_code = data[3],
        .error = data[4] | data[5] << 8 | (data[6] & 0x7f) << 16,
    };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size != OUTCOME_LEN)
        return 0;
    const struct connect_outcome outcome = outcome_of(data);
    struct verdict verdict;
    if (!connect_judge(&outcome, &verdict))
        return 0;
    assert(verdict.state > PORT_UNKNOWN && verdict.state < PORT_STATE_COUNT && verdict.reason < REASON_COUNT);
    assert((verdict.state == PORT_OPEN) == (outcome.error == 0));
    bool from_target = addr_equal(&outcome.offender, &outcome.dst);
    if (verdict.state == PORT_CLOSED)
        assert(outcome.has_icmp ? from_target : outcome.reset_seen);
    if (verdict.rank == RANK_ICMP_TARGET)
        assert(outcome.has_icmp && from_target);
    if (outcome.error != 0 && outcome.has_icmp && !from_target)
        assert(addr_equal(&verdict.source, &outcome.offender));
    return 0;
}
