/* judge of every technique: an IP packet that decodes, however strange, is judged within the words there are,
 * and an error from somebody on the way never counts as one from the target. */
#include "fuzz.h"
#include "packet/packet.h"
#include "technique/technique.h"

static void check_answer(const struct technique *technique, const struct packet *packet,
                         const struct answer *answer)
{
    const struct verdict *verdict = &answer->verdict;
    assert(verdict->state > PORT_UNKNOWN && verdict->state < PORT_STATE_COUNT);
    assert(verdict->reason < REASON_COUNT && verdict->rank <= RANK_SERVICE);
    assert(answer->number_count <= 2);
    assert(!answer->upper_half || (answer->number_count == 1 && (answer->numbers[0] & 0xffff) == 0));
    assert(!technique->pings || verdict->state == PORT_OPEN);
    if (!packet->has_quote)
        return;
    if (!addr_equal(&packet->src, &packet->quote.dst)) {
        assert(verdict->rank != RANK_ICMP_TARGET);
        assert(addr_equal(&verdict->source, &packet->src));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct packet_reading lax = {.checksums = false};
    struct packet packet;
    if (packet_read_ip(data, size, lax, &packet) != PACKET_OK)
        return 0;
    for (unsigned i = 0; i < technique_table_len; i++) {
        const struct technique *technique = technique_table[i];
        struct answer answer;
        if (technique->judge && technique->judge(technique, &packet, &answer))
            check_answer(technique, &packet, &answer);
    }
    return 0;
}
