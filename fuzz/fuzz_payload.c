/* payload_recognise: two bytes of port and a datagram that came from there. What is recognised is recognised
 * by the whole port too, and an id that is said to be in the datagram is. */
#include "fuzz.h"
#include "technique/payload.h"

static void check_number(const struct payload_proof *proof, const uint8_t *data, size_t size)
{
    bool found = proof->id == PAYLOAD_ID_NONE || proof->id == PAYLOAD_ID_TEXT;
    size_t len = proof->id == PAYLOAD_ID_HALF ? 2 : 4;
    for (size_t at = 0; !found && at + len <= size; at++)
        found = len == 2 ? (uint32_t)get_be16(data + at) << 16 == proof->number
                         : get_be32(data + at) == proof->number;
    assert(found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    uint16_t port = get_be16(data);
    bool any = false;
    struct payload_proof proof;
    for (unsigned turn = 0; turn < payload_tries(port); turn++) {
        const struct payload *payload = payload_of_try(port, (uint8_t)turn);
        if (!payload || !payload_recognise(payload, data + 2, size - 2, &proof))
            continue;
        any = true;
        assert(proof.id == (payload->echo == PAYLOAD_ECHO_NONE ? PAYLOAD_ID_NONE : payload->id));
        check_number(&proof, data + 2, size - 2);
    }
    assert(payload_recognise_any(port, data + 2, size - 2, &proof) == any);
    assert(!payload_recognise_elsewhere(port, data + 2, size - 2) || any);
    return 0;
}
