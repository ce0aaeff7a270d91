/* UDP answers from another port than was asked (TFTP answers from a new one, RFC 1350 section 4) or from
 * another address of the same host: they are matched by what they carry. Each stray datagram costs a bounded
 * number of looks. */
#include "engine/internal.h"
#include "technique/payload.h"

#define HOSTS_MAX 1024 /* whose other address the sender may be */

/* Do we ask this port with payloads? */
static bool is_asked(const struct engine *engine, uint16_t port)
{
    const uint32_t *specs = engine->spec_of_port[PROTOCOL_UDP];
    return specs && specs[port] && !engine->config.specs[specs[port] - 1].technique->data;
}

static bool from_new_port(struct engine *engine, const struct packet *packet)
{
    uint64_t position;
    uint16_t port;
    if (!plan_host_find(engine->config.plan, &packet->src, &position))
        return false;
    for (unsigned i = 0; payload_port_at(i, &port); i++)
        if (is_asked(engine, port) &&
            payload_recognise_elsewhere(port, packet->payload, packet->payload_len) &&
            answer_as_from(engine, packet, &packet->src, port))
            return true;
    return false;
}

/* Is the echoed id that of a probe to this host? A look that costs little. */
static bool names_host(const struct engine *engine, const struct addr *host, const struct packet *packet,
                       const struct payload_proof *proof)
{
    const struct technique *technique =
        engine->config.specs[engine->spec_of_port[PROTOCOL_UDP][packet->udp.source_port] - 1].technique;
    struct token_subject subject = token_subject_of(technique, host, packet->udp.source_port);
    subject.source = answer_source(engine, &packet->dst);
    uint8_t try_number;
    return token_check_half(&engine->config.key, &subject, packet->udp.port, (uint16_t)(proof->number >> 16),
                            &try_number);
}

static bool from_other_address(struct engine *engine, const struct packet *packet)
{
    struct payload_proof proof;
    if (!is_asked(engine, packet->udp.source_port) ||
        !payload_recognise_any(packet->udp.source_port, packet->payload, packet->payload_len, &proof) ||
        proof.id == PAYLOAD_ID_NONE)
        return false;
    uint32_t looks = 0;
    for (unsigned i = engine->block_count; i-- > 0;) {
        const struct block *block = &engine->blocks[i]->block;
        for (uint32_t slot = 0; slot < block->host_count && looks < HOSTS_MAX; slot++, looks++) {
            struct addr host = block_host(block, slot);
            if (names_host(engine, &host, packet, &proof) &&
                answer_as_from(engine, packet, &host, packet->udp.source_port))
                return true;
        }
    }
    return false;
}

bool elsewhere_answer(struct engine *engine, const struct packet *packet)
{
    if (packet->layer != LAYER_UDP || packet->has_quote)
        return false;
    return from_new_port(engine, packet) || from_other_address(engine, packet);
}
