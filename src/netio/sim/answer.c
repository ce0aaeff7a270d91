/* A host's stack (RFC 9293 section 3.10.7, RFC 1122 section 3.2.2) and the strange things that answer in its
 * place. */
#include "netio/sim/answer.h"

#include <string.h>

#include "netio/sim/service.h"
#include "packet/checksum.h"
#include "packet/packet.h"

#define TTL_USUAL       64
#define HOST_WINDOW     65160
#define SERVER_NUMBER   UINT32_C(0x5eed5eed)
#define STRANGE_NUMBER  UINT32_C(0x0badf00d)
#define NEW_PORT        50505 /* of a service that answers from another */
#define ICMP_QUOTE_REST 8     /* bytes of the transport header that the shortest quote has (RFC 792) */

const struct sim_host *sim_host_of(const struct sim_config *config, const struct addr *addr)
{
    for (size_t i = 0; i < config->host_count; i++) {
        const struct sim_host *host = &config->hosts[i];
        if (addr_compare(addr, &host->first) >= 0 && addr_compare(addr, &host->last) <= 0)
            return host;
    }
    return NULL;
}

struct sim_port sim_port_of(const struct sim_host *host, uint8_t ip_proto, uint16_t port)
{
    for (size_t i = 0; i < host->port_count; i++)
        if (host->ports[i].ip_proto == ip_proto && port >= host->ports[i].first &&
            port <= host->ports[i].last)
            return host->ports[i];
    return (struct sim_port){
        .ip_proto = ip_proto, .first = port, .last = port, .behaviour = (uint8_t)host->otherwise};
}

static uint8_t ttl_of(const struct sim_host *host)
{
    return host->ttl ? host->ttl : TTL_USUAL;
}

/* Put an IP header before what `body_len` bytes at answer + header length already are. */
static size_t finish_ip(const struct addr *src, const struct addr *dst, uint8_t proto, uint8_t ttl,
                        uint8_t *answer, size_t body_len)
{
    size_t header_len = src->family == ADDR_V4 ? IPV4_HEADER_LEN : IPV6_HEADER_LEN;
    struct writer header = writer_over(answer, header_len);
    struct ip_header fields = {.src = *src, .dst = *dst, .proto = proto, .ttl = ttl};
    ip_write(&header, &fields, body_len);
    return header.ok ? header_len + body_len : 0;
}

static struct writer body_of(const struct addr *src, uint8_t *answer)
{
    size_t header_len = src->family == ADDR_V4 ? IPV4_HEADER_LEN : IPV6_HEADER_LEN;
    return writer_over(answer + header_len, SIM_PACKET_MAX - header_len);
}

static size_t tcp_answer(const struct sim_question *question, const struct packet *probe,
                         struct tcp_header header, uint8_t *answer)
{
    header.source_port = probe->tcp.port;
    header.port = probe->tcp.source_port;
    struct writer body = body_of(&probe->dst, answer);
    struct tcp_build build = {.header = header};
    tcp_write(&body, &probe->dst, &probe->src, &build);
    return body.ok ? finish_ip(&probe->dst, &probe->src, IP_PROTO_TCP, ttl_of(question->host), answer,
                               writer_len(&body))
                   : 0;
}

/* RFC 9293 section 3.10.7.1: what a closed port, or an unexpected ACK, gets. */
static size_t reset(const struct sim_question *question, const struct packet *probe, uint16_t window,
                    uint8_t *answer)
{
    const struct sim_host *host = question->host;
    if (probe->tcp.flags & TCP_RST)
        return 0;
    if (!sim_limit_passes(&question->limits->rst, host, host->rst_rate_pps, question->now_ns))
        return 0;
    struct tcp_header header = {.flags = TCP_RST, .seq = probe->tcp.ack, .window = window};
    if (!(probe->tcp.flags & TCP_ACK)) {
        uint32_t counted = (probe->tcp.flags & TCP_SYN ? 1 : 0) + (probe->tcp.flags & TCP_FIN ? 1 : 0);
        counted += (uint32_t)probe->payload_len;
        header = (struct tcp_header){.flags = TCP_RST | TCP_ACK, .ack = probe->tcp.seq + counted};
    }
    return tcp_answer(question, probe, header, answer);
}

static size_t syn_ack(const struct sim_question *question, const struct packet *probe, const uint8_t *options,
                      uint8_t options_len, uint8_t *answer)
{
    struct tcp_header header = {
        .flags = TCP_SYN | TCP_ACK,
        .seq = SERVER_NUMBER,
        .ack = probe->tcp.seq + 1,
        .window = HOST_WINDOW,
        .options = options,
        .options_len = options_len,
    };
    return tcp_answer(question, probe, header, answer);
}

/* An ICMP error about the probe, which may be quoted short, or with another sequence number. */
static size_t icmp_error(const struct sim_question *question, const struct packet *probe,
                         struct sim_port port, size_t quote_rest, bool strange, uint8_t *answer)
{
    const struct sim_host *host = question->host;
    bool v4 = probe->dst.family == ADDR_V4;
    if (!sim_icmp_passes(question->limits, host, &probe->src, question->now_ns))
        return 0;
    struct addr sender = probe->dst;
    if (port.from_router)
        sender = v4 ? question->config->router4 : question->config->router6;

    uint8_t quote[128];
    size_t header_len = v4 ? IPV4_HEADER_LEN : IPV6_HEADER_LEN;
    size_t quote_len =
        header_len + quote_rest < question->probe_len ? header_len + quote_rest : question->probe_len;
    if (quote_len > sizeof quote)
        quote_len = sizeof quote;
    memcpy(quote, question->probe, quote_len);
    if (strange)
        put_be32(quote + header_len + 4, STRANGE_NUMBER);

    struct writer body = body_of(&sender, answer);
    icmp_write(&body, &sender, &probe->src,
               &(struct icmp_header){.type = port.icmp_type, .code = port.icmp_code}, quote, quote_len);
    return body.ok ? finish_ip(&sender, &probe->src, v4 ? IP_PROTO_ICMP : IP_PROTO_ICMPV6, ttl_of(host),
                               answer, writer_len(&body))
                   : 0;
}

static size_t host_unreachable(const struct sim_question *question, const struct packet *probe,
                               struct sim_port port, uint8_t *answer)
{
    bool v4 = probe->dst.family == ADDR_V4;
    port.icmp_type = v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE;
    port.icmp_code = v4 ? 1 : 3;
    return icmp_error(question, probe, port, question->probe_len, false, answer);
}

static size_t port_unreachable(const struct sim_question *question, const struct packet *probe,
                               uint8_t *answer)
{
    bool v4 = probe->dst.family == ADDR_V4;
    struct sim_port port = {
        .icmp_type = v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE,
        .icmp_code = v4 ? 3 : 4,
    };
    return icmp_error(question, probe, port, question->probe_len, false, answer);
}

static size_t open_tcp(const struct sim_question *question, const struct packet *probe, uint8_t *answer)
{
    static const uint8_t options[] = {2, 4, 0x05, 0xb4};
    const struct sim_host *host = question->host;
    uint8_t flags = probe->tcp.flags;
    if (flags & TCP_RST)
        return 0;
    if ((flags & TCP_FIN) && (flags & TCP_ACK) && host->drops_fin_ack)
        return 0;
    if (flags & TCP_ACK)
        return reset(question, probe, host->open_reset_window, answer);
    if (flags & TCP_SYN)
        return syn_ack(question, probe, options, sizeof options, answer);
    return host->resets_all ? reset(question, probe, 0, answer) : 0;
}

static size_t strange_tcp(const struct sim_question *question, const struct packet *probe,
                          struct sim_port port, uint8_t *answer)
{
    static const uint8_t broken_options[] = {2, 0, 0x05, 0xb4};
    struct tcp_header header = {.flags = TCP_SYN, .seq = SERVER_NUMBER, .window = HOST_WINDOW};
    struct packet other = *probe;
    other.tcp.seq = STRANGE_NUMBER;
    switch ((enum sim_behaviour)port.behaviour) {
    case SIM_BARE_SYN:
        return tcp_answer(question, probe, header, answer);
    case SIM_WRONG_ACK:
        return syn_ack(question, &other, NULL, 0, answer);
    case SIM_WRONG_RESET:
        return reset(question, &other, 0, answer);
    case SIM_STRANGE_QUOTE:
        return icmp_error(question, probe, port, question->probe_len, true, answer);
    case SIM_SHORT_QUOTE:
        return icmp_error(question, probe, port, ICMP_QUOTE_REST, false, answer);
    case SIM_BROKEN_OPTIONS:
        return syn_ack(question, probe, broken_options, sizeof broken_options, answer);
    case SIM_TRUNCATED:
        return syn_ack(question, probe, NULL, 0, answer) - 8;
    case SIM_FICKLE:
        return question->try_number == 0 ? open_tcp(question, probe, answer)
                                         : reset(question, probe, 0, answer);
    case SIM_SOFT_ONCE:
        if (question->try_number > 0)
            return open_tcp(question, probe, answer);
        return host_unreachable(question, probe, port, answer);
    case SIM_CLOSED:
    case SIM_OPEN:
    case SIM_DROP:
    case SIM_ICMP:
    case SIM_SERVICE:
    case SIM_LAST_PAYLOAD:
    case SIM_NEW_PORT:
    case SIM_OTHER_ADDRESS:
        break;
    }
    return 0;
}

static size_t front_syn_ack(const struct sim_question *question, const struct packet *probe, uint8_t *answer)
{
    static const uint16_t windows[] = {
        [SIM_FRONT_PROXY] = 0, [SIM_FRONT_TARPIT] = 10, [SIM_FRONT_COOKIES] = HOST_WINDOW};
    struct sim_host box = *question->host;
    struct sim_question asked = *question;
    struct tcp_header header = {.flags = TCP_SYN | TCP_ACK,
                                .seq = SERVER_NUMBER,
                                .ack = probe->tcp.seq + 1,
                                .window = windows[box.front]};
    box.ttl = box.front_ttl ? box.front_ttl : box.ttl;
    asked.host = &box;
    return tcp_answer(&asked, probe, header, answer);
}

static size_t tcp_port_answer(const struct sim_question *question, const struct packet *probe,
                              uint8_t *answer)
{
    struct sim_port port = sim_port_of(question->host, IP_PROTO_TCP, probe->tcp.port);
    if (question->host->front && (probe->tcp.flags & TCP_SYN))
        return front_syn_ack(question, probe, answer);
    if (port.behaviour == SIM_DROP)
        return 0;
    if (port.behaviour == SIM_CLOSED)
        return reset(question, probe, 0, answer);
    if (port.behaviour == SIM_OPEN)
        return open_tcp(question, probe, answer);
    if (port.behaviour == SIM_ICMP)
        return icmp_error(question, probe, port, question->probe_len, false, answer);
    return strange_tcp(question, probe, port, answer);
}

/* The words of a service, from where it speaks. */
static size_t udp_answer(const struct sim_question *question, const struct packet *probe,
                         enum sim_behaviour behaviour, uint8_t *answer)
{
    uint8_t words[SIM_SERVICE_MAX] = {'h', 'i'};
    size_t len = 2;
    if (behaviour != SIM_OPEN)
        len = sim_service_answer(probe->udp.port, behaviour == SIM_LAST_PAYLOAD, probe->payload,
                                 probe->payload_len, words);
    if (len == 0)
        return 0;
    struct udp_header header = {.source_port = probe->udp.port, .port = probe->udp.source_port};
    if (behaviour == SIM_NEW_PORT)
        header.source_port = NEW_PORT;
    struct addr sender = behaviour == SIM_OTHER_ADDRESS ? question->host->second : probe->dst;
    struct writer body = body_of(&sender, answer);
    udp_write(&body, &sender, &probe->src, &header, words, len);
    return body.ok ? finish_ip(&sender, &probe->src, IP_PROTO_UDP, ttl_of(question->host), answer,
                               writer_len(&body))
                   : 0;
}

static size_t udp_port_answer(const struct sim_question *question, const struct packet *probe,
                              uint8_t *answer)
{
    struct sim_port port = sim_port_of(question->host, IP_PROTO_UDP, probe->udp.port);
    switch ((enum sim_behaviour)port.behaviour) {
    case SIM_ICMP:
        return icmp_error(question, probe, port, question->probe_len, false, answer);
    case SIM_SHORT_QUOTE:
        return icmp_error(question, probe, port, ICMP_QUOTE_REST, false, answer);
    case SIM_CLOSED:
        return port_unreachable(question, probe, answer);
    case SIM_OPEN:
    case SIM_SERVICE:
    case SIM_LAST_PAYLOAD:
    case SIM_NEW_PORT:
    case SIM_OTHER_ADDRESS:
        return udp_answer(question, probe, (enum sim_behaviour)port.behaviour, answer);
    case SIM_SOFT_ONCE:
        if (question->try_number > 0)
            return udp_answer(question, probe, SIM_OPEN, answer);
        return host_unreachable(question, probe, port, answer);
    case SIM_FICKLE:
    case SIM_DROP:
    case SIM_BARE_SYN:
    case SIM_WRONG_ACK:
    case SIM_WRONG_RESET:
    case SIM_STRANGE_QUOTE:
    case SIM_BROKEN_OPTIONS:
    case SIM_TRUNCATED:
        break;
    }
    return 0;
}

static size_t icmp_reply(const struct sim_question *question, const struct packet *probe, uint8_t *answer)
{
    bool v4 = probe->layer == LAYER_ICMP4;
    uint8_t type;
    if (question->host->silent_to_pings)
        return 0;
    if (v4 && probe->icmp.type == ICMP4_ECHO)
        type = ICMP4_ECHO_REPLY;
    else if (v4 && probe->icmp.type == ICMP4_TIMESTAMP)
        type = ICMP4_TIMESTAMP_REPLY;
    else if (!v4 && probe->icmp.type == ICMP6_ECHO)
        type = ICMP6_ECHO_REPLY;
    else
        return 0;
    struct icmp_header header = {
        .type = type, .rest = probe->icmp.rest, .id = probe->icmp.id, .seq = probe->icmp.seq};
    struct writer body = body_of(&probe->dst, answer);
    icmp_write(&body, &probe->dst, &probe->src, &header, probe->payload, probe->payload_len);
    return body.ok ? finish_ip(&probe->dst, &probe->src, probe->ip_proto, ttl_of(question->host), answer,
                               writer_len(&body))
                   : 0;
}

/* RFC 9260 sections 5.1.1, 5.1.5 and 8.4: answers to an INIT carry its initiate tag, all others our tag
 * reflected. */
static size_t sctp_answer(const struct sim_question *question, const struct packet *probe, uint8_t *answer)
{
    static const uint8_t stale_cookie[] = {0, 3, 0, 8, 0, 0, 0, 1}, init_ack[16] = {0, 0, 0, 1};
    const struct sim_host *host = question->host;
    struct sim_port port = sim_port_of(host, IP_PROTO_SCTP, probe->sctp.port);
    bool init = probe->sctp.chunk_type == SCTP_INIT;
    size_t header_len = probe->dst.family == ADDR_V4 ? IPV4_HEADER_LEN : IPV6_HEADER_LEN;
    if (port.behaviour == SIM_ICMP)
        return icmp_error(question, probe, port, question->probe_len, false, answer);
    if (port.behaviour == SIM_DROP || (port.behaviour == SIM_OPEN && !init && host->silent_to_cookies) ||
        question->probe_len < header_len + SCTP_HEADER_LEN + 8)
        return 0;
    struct sctp_header header = {
        .source_port = probe->sctp.port,
        .port = probe->sctp.source_port,
        .verification_tag = init ? get_be32(question->probe + header_len + SCTP_HEADER_LEN + 4)
                                 : probe->sctp.verification_tag,
        .chunk_type = SCTP_ABORT,
    };
    const uint8_t *value = NULL;
    size_t value_len = 0;
    if (port.behaviour == SIM_OPEN) {
        header.chunk_type = init ? SCTP_INIT_ACK : SCTP_ERROR;
        value = init ? init_ack : stale_cookie;
        value_len = init ? sizeof init_ack : sizeof stale_cookie;
    }
    if (port.behaviour == SIM_WRONG_ACK)
        header.verification_tag ^= STRANGE_NUMBER;
    struct writer body = body_of(&probe->dst, answer);
    sctp_write(&body, &header, value, value_len);
    return body.ok
               ? finish_ip(&probe->dst, &probe->src, IP_PROTO_SCTP, ttl_of(host), answer, writer_len(&body))
               : 0;
}

/* A protocol without ports: answered in kind, or with a protocol unreachable (RFC 8200 section 4 for
 * IPv6). */
static size_t protocol_answer(const struct sim_question *question, const struct packet *probe,
                              uint8_t *answer)
{
    const struct sim_host *host = question->host;
    bool v4 = probe->dst.family == ADDR_V4;
    struct writer body = body_of(&probe->dst, answer);
    for (size_t i = 0; i < host->protocol_count; i++) {
        if (host->protocols[i] != probe->ip_proto)
            continue;
        write_be32(&body, SERVER_NUMBER); /* whatever it says */
        return finish_ip(&probe->dst, &probe->src, probe->ip_proto, ttl_of(host), answer, writer_len(&body));
    }
    if (host->otherwise == SIM_DROP)
        return 0;
    struct sim_port unknown = {
        .icmp_type = v4 ? ICMP4_UNREACHABLE : ICMP6_PARAM_PROBLEM,
        .icmp_code = v4 ? 2 : 1,
    };
    return icmp_error(question, probe, unknown, question->probe_len, false, answer);
}

static bool is_down(const struct sim_host *host, int64_t now_ns)
{
    return host->down || (now_ns >= host->down_from_ns && now_ns < host->down_to_ns);
}

/* The sums of IP, TCP and UDP stay right; that of SCTP is made anew. */
static size_t mirror(const struct sim_question *question, const struct packet *probe, uint8_t *answer)
{
    bool v4 = probe->src.family == ADDR_V4;
    size_t addr_len = v4 ? 4 : 16, addr_at = v4 ? 12 : 8;
    size_t header_len = v4 ? IPV4_HEADER_LEN : IPV6_HEADER_LEN;
    if (question->probe_len > SIM_PACKET_MAX)
        return 0;
    memcpy(answer, question->probe, question->probe_len);
    memcpy(answer + addr_at, question->probe + addr_at + addr_len, addr_len);
    memcpy(answer + addr_at + addr_len, question->probe + addr_at, addr_len);
    if (probe->layer == LAYER_TCP || probe->layer == LAYER_UDP || probe->layer == LAYER_SCTP) {
        memcpy(answer + header_len, question->probe + header_len + 2, 2);
        memcpy(answer + header_len + 2, question->probe + header_len, 2);
    }
    if (probe->layer == LAYER_SCTP)
        put_be32(answer + header_len + 8,
                 checksum_crc32c(answer + header_len, question->probe_len - header_len));
    return question->probe_len;
}

/* Where nobody listens: a RST, an ABORT or an echo reply. */
size_t sim_answer_returned(const struct sim_question *question, uint8_t answer[static SIM_PACKET_MAX])
{
    struct packet probe;
    struct packet_reading strict = {.checksums = true};
    if (packet_read_ip(question->probe, question->probe_len, strict, &probe) != PACKET_OK)
        return 0;
    if (probe.layer == LAYER_TCP)
        return reset(question, &probe, 0, answer);
    if (probe.layer == LAYER_SCTP)
        return sctp_answer(question, &probe, answer);
    return probe.layer == LAYER_ICMP4 || probe.layer == LAYER_ICMP6 ? icmp_reply(question, &probe, answer)
                                                                    : 0;
}

size_t sim_answer(const struct sim_question *question, uint8_t answer[static SIM_PACKET_MAX])
{
    struct packet probe;
    struct packet_reading strict = {.checksums = true};
    if (is_down(question->host, question->now_ns) ||
        packet_read_ip(question->probe, question->probe_len, strict, &probe) != PACKET_OK)
        return 0;
    if (question->host->mirrors)
        return mirror(question, &probe, answer);
    switch ((enum packet_layer)probe.layer) {
    case LAYER_TCP:
        return tcp_port_answer(question, &probe, answer);
    case LAYER_UDP:
        return udp_port_answer(question, &probe, answer);
    case LAYER_ICMP4:
    case LAYER_ICMP6:
        return icmp_reply(question, &probe, answer);
    case LAYER_SCTP:
        if (question->host->speaks_sctp)
            return sctp_answer(question, &probe, answer);
        return protocol_answer(question, &probe, answer);
    case LAYER_OTHER:
        return protocol_answer(question, &probe, answer);
    case LAYER_ARP:
        break;
    }
    return 0;
}

bool sim_is_syn_ack(const uint8_t *packet, size_t len)
{
    struct packet read;
    struct packet_reading lax = {.checksums = false};
    return packet_read_ip(packet, len, lax, &read) == PACKET_OK && read.layer == LAYER_TCP &&
           (read.tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == (TCP_SYN | TCP_ACK);
}

/* The error quotes a probe as the forger thinks that it was. */
static size_t forged_error(const struct sim_question *question, const struct packet *probe, uint8_t *answer)
{
    uint8_t bytes[SIM_PACKET_MAX];
    bool v4 = probe->dst.family == ADDR_V4;
    size_t header_len = v4 ? IPV4_HEADER_LEN : IPV6_HEADER_LEN;
    struct sim_question forged = *question;
    struct sim_port port = {.icmp_type = v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE,
                            .icmp_code = v4 ? 13 : 1};
    if (question->probe_len > sizeof bytes)
        return 0;
    memcpy(bytes, question->probe, question->probe_len);
    put_be16(bytes + header_len, probe->tcp.source_port);
    put_be32(bytes + header_len + 4, probe->tcp.seq);
    forged.probe = bytes;
    return icmp_error(&forged, probe, port, forged.probe_len, false, answer);
}

size_t sim_forgery(const struct sim_question *question, uint64_t random,
                   uint8_t answer[static SIM_PACKET_MAX])
{
    const struct sim_config *config = question->config;
    struct packet probe;
    struct packet_reading lax = {.checksums = false};
    if (packet_read_ip(question->probe, question->probe_len, lax, &probe) != PACKET_OK ||
        probe.layer != LAYER_TCP)
        return 0;
    if (config->forger_port_count)
        probe.tcp.source_port =
            (uint16_t)(config->forger_first_port + (random >> 8) % config->forger_port_count);
    probe.tcp.seq = (uint32_t)(random >> 32);
    probe.tcp.ack = probe.tcp.seq;
    if (random % 3 == 0)
        return syn_ack(question, &probe, NULL, 0, answer);
    struct tcp_header header = {.flags = TCP_RST | TCP_ACK, .seq = probe.tcp.seq, .ack = probe.tcp.seq};
    return random % 3 == 1 ? tcp_answer(question, &probe, header, answer)
                           : forged_error(question, &probe, answer);
}
