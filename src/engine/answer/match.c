#include "engine/answer/match.h"

static bool spec_fits(const struct probe_spec *spec, const struct flow *flow, const struct packet *packet)
{
    const struct technique *technique = spec->technique;
    bool neighbor_answer =
        packet->layer == LAYER_ARP || (packet->layer == LAYER_ICMP6 && packet->icmp.is_neighbor);
    if (technique->kind == REQUEST_NEIGHBOR || neighbor_answer)
        return technique->kind == REQUEST_NEIGHBOR && neighbor_answer;
    return technique_ip_proto(technique, &flow->host, spec->port) == flow->ip_proto &&
           (!technique->has_ports || spec->port == flow->port);
}

static bool port_protocol(uint8_t ip_proto, enum protocol *ret)
{
    switch (ip_proto) {
    case IP_PROTO_TCP:
        *ret = PROTOCOL_TCP;
        return true;
    case IP_PROTO_UDP:
        *ret = PROTOCOL_UDP;
        return true;
    case IP_PROTO_SCTP:
        *ret = PROTOCOL_SCTP;
        return true;
    default:
        return false;
    }
}

/* 1 + the index of the scan's spec for this port or IP protocol; 0: there is none. */
static uint32_t scan_spec(const struct engine *engine, const struct flow *flow)
{
    enum protocol protocol;
    if (engine->spec_of_port[PROTOCOL_IP])
        return engine->spec_of_port[PROTOCOL_IP][flow->ip_proto];
    if (!port_protocol(flow->ip_proto, &protocol) || !engine->spec_of_port[protocol])
        return 0;
    return engine->spec_of_port[protocol][flow->port];
}

bool match_next_spec(const struct engine *engine, const struct scan_block *scan_block,
                     const struct flow *flow, const struct packet *packet, uint32_t *spec)
{
    const struct block *block = &scan_block->block;
    if (*spec == 0 && sounding_is_echo(engine, scan_block, packet)) {
        *spec = block->spec_count;
        return spec_fits(&block->specs[*spec], flow, packet);
    }
    if (scan_block->kind == BLOCK_PORTS) {
        uint32_t found = *spec == 0 ? scan_spec(engine, flow) : 0;
        *spec = found ? found - 1 : 0;
        return found && spec_fits(&block->specs[*spec], flow, packet);
    }
    for (; *spec < block->spec_count; (*spec)++)
        if (spec_fits(&block->specs[*spec], flow, packet))
            return true;
    return false;
}

/* The try cannot have left before its sweep began, nor later than now; a token tells the time only modulo its
 * span. */
static bool sent_plausibly(const struct scan_block *scan_block, uint8_t try_number, int64_t sent_ns)
{
    if (scan_block->first_sent_ns[try_number] == TIME_NEVER)
        return false;
    return sent_ns >= scan_block->first_sent_ns[try_number] - TOKEN_TIME_STEP_NS;
}

static bool prove_by_number(const struct engine *engine, const struct answer *answer, const struct flow *flow,
                            const struct token_subject *subject, struct match *match)
{
    const struct token_key *key = &engine->config.key;
    if (answer->upper_half) {
        uint16_t half = (uint16_t)(answer->numbers[0] >> 16);
        return token_check_half(key, subject, flow->source_port, half, &match->try_number) &&
               sent_plausibly(match->scan_block, match->try_number, engine->now_ns);
    }
    for (unsigned i = 0; i < answer->number_count; i++) {
        int64_t sent_ns;
        if (!token_check(key, subject, flow->source_port, answer->numbers[i], engine->now_ns,
                         &match->try_number, &sent_ns) ||
            !sent_plausibly(match->scan_block, match->try_number, sent_ns))
            continue;
        match->rtt_ns = engine->now_ns - sent_ns;
        return true;
    }
    return false;
}

/* Somebody who sends our probe back knows our number without answering it. */
static bool is_returned(const struct engine *engine, const struct answer *answer, const struct flow *flow,
                        const struct token_subject *subject, struct match *match)
{
    const struct answer by_theirs = {.numbers = {answer->theirs}, .number_count = 1};
    return answer->has_theirs && prove_by_number(engine, &by_theirs, flow, subject, match);
}

static uint8_t current_try(const struct scan_block *scan_block)
{
    if (scan_block->calm)
        return scan_block->calm->try_number;
    return scan_block->lane ? scan_block->lane->try_number : scan_block->try_number;
}

static void assume_try(struct match *match)
{
    match->try_number = current_try(match->scan_block);
    match->try_assumed = true;
}

static bool prove_by_port(const struct engine *engine, const struct flow *flow,
                          const struct token_subject *subject, struct match *match)
{
    const struct token_key *key = &engine->config.key;
    match->weak = true;
    if (token_port_names_try(key, subject))
        return token_try_of_port(key, subject, flow->source_port, &match->try_number) &&
               sent_plausibly(match->scan_block, match->try_number, engine->now_ns);
    assume_try(match);
    return match->scan_block->first_sent_ns[0] != TIME_NEVER &&
           (!subject->has_ports || token_port_is_ours(key, flow->source_port));
}

static bool prove(const struct engine *engine, const struct answer *answer, const struct flow *flow,
                  const struct probe_spec *spec, struct match *match)
{
    const struct technique *technique = spec->technique;
    struct token_subject subject = token_subject_of(technique, &flow->host, spec->port);
    subject.source = match->source;

    if (technique->kind == REQUEST_NEIGHBOR) {
        assume_try(match);
        return match->scan_block->first_sent_ns[0] != TIME_NEVER;
    }
    if (answer->number_count > 0 && prove_by_number(engine, answer, flow, &subject, match))
        return true;
    if (answer->number_count > 0 && (!answer->port_will_do || flow->sender))
        return false;
    match->returned = is_returned(engine, answer, flow, &subject, match);
    return match->returned || prove_by_port(engine, flow, &subject, match);
}

bool match_prove(const struct engine *engine, const struct answer *answer, const struct flow *flow,
                 const struct probe_spec *spec, struct match *match)
{
    if (prove(engine, answer, flow, spec, match))
        return true;
    if (match->source == 0)
        return false;
    match->source = 0; /* the usual address may be one of the pool, too */
    return prove(engine, answer, flow, spec, match);
}
