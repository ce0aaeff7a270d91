#include "netio/connect/connect_test_player.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "packet/packet.h"

#define DELAYED_MAX 8192
#define PACKET_MAX  256

/* A packet to be sent later. */
struct delayed {
    int64_t due_ns;
    size_t len; /* 0: free */
    uint8_t data[PACKET_MAX];
};

struct player {
    int tun;
    int stop; /* eventfd */
    pthread_t thread;
    pthread_mutex_t lock; /* over seen */
    struct player_seen seen;
    uint16_t second_reset_first; /* source port that NET_SECOND_RESET was first asked from */
    uint16_t first_open_first;   /* and NET_FIRST_OPEN */
    struct delayed delayed[DELAYED_MAX];
};

static int64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SEC + now.tv_nsec;
}

static void emit(struct player *player, struct ip_header ip, const uint8_t *payload, size_t payload_len,
                 int64_t delay_ns)
{
    uint8_t data[PACKET_MAX];
    struct writer out = writer_over(data, sizeof data);
    ip.ttl = 64;
    ip_write(&out, &ip, payload_len);
    write_bytes(&out, payload, payload_len);
    if (!out.ok)
        abort();
    if (delay_ns == 0) {
        if (write(player->tun, data, writer_len(&out)) < 0)
            abort();
        return;
    }
    for (size_t i = 0; i < DELAYED_MAX; i++) {
        struct delayed *delayed = &player->delayed[i];
        if (delayed->len)
            continue;
        delayed->due_ns = clock_ns() + delay_ns;
        delayed->len = writer_len(&out);
        memcpy(delayed->data, data, delayed->len);
        return;
    }
    abort();
}

struct answer_tcp {
    uint8_t flags;
    uint32_t ack_offset; /* added to the right acknowledgement */
    uint32_t seq;
    int64_t delay_ns;
};

static void answer_tcp(struct player *player, const struct packet *syn, struct answer_tcp how)
{
    uint8_t data[64];
    struct writer out = writer_over(data, sizeof data);
    struct tcp_build build = {
        .header =
            {
                .source_port = syn->tcp.port,
                .port = syn->tcp.source_port,
                .seq = how.seq,
                .ack = syn->tcp.seq + 1 + how.ack_offset,
                .flags = how.flags,
                .window = 1024,
            },
    };
    tcp_write(&out, &syn->dst, &syn->src, &build);
    struct ip_header ip = {.src = syn->dst, .dst = syn->src, .proto = IP_PROTO_TCP};
    emit(player, ip, data, writer_len(&out), how.delay_ns);
}

struct answer_icmp {
    uint8_t type, code;
    const uint8_t *quoted;
    size_t quoted_len;
};

static void answer_icmp(struct player *player, const struct packet *syn, const struct addr *from,
                        struct answer_icmp how)
{
    uint8_t data[PACKET_MAX];
    struct writer out = writer_over(data, sizeof data);
    struct icmp_header header = {.type = how.type, .code = how.code};
    size_t quoted_len = how.quoted_len < 100 ? how.quoted_len : 100;
    icmp_write(&out, from, &syn->src, &header, how.quoted, quoted_len);
    bool v4 = from->family == ADDR_V4;
    struct ip_header ip = {.src = *from, .dst = syn->src, .proto = v4 ? IP_PROTO_ICMP : IP_PROTO_ICMPV6};
    emit(player, ip, data, writer_len(&out), 0);
}

static void answer_echo(struct player *player, const struct packet *echo)
{
    uint8_t data[PACKET_MAX];
    struct writer out = writer_over(data, sizeof data);
    bool v4 = echo->layer == LAYER_ICMP4;
    struct icmp_header header = {.type = v4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY, .rest = echo->icmp.rest};
    icmp_write(&out, &echo->dst, &echo->src, &header, echo->payload, echo->payload_len);
    struct ip_header ip = {.src = echo->dst, .dst = echo->src, .proto = echo->ip_proto};
    emit(player, ip, data, writer_len(&out), 0);
}

static const struct answer_tcp syn_ack = {.flags = TCP_SYN | TCP_ACK, .seq = 4711};
static const struct answer_tcp reset = {.flags = TCP_RST | TCP_ACK};

static void answer_late(struct player *player, const struct packet *syn, struct answer_tcp how,
                        int64_t delay_ns)
{
    how.delay_ns = delay_ns;
    answer_tcp(player, syn, how);
}

static void answer_port_unreachable(struct player *player, const struct packet *syn, struct answer_icmp icmp)
{
    bool v4 = syn->dst.family == ADDR_V4;
    icmp.type = v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE;
    icmp.code = v4 ? 3 : 4;
    answer_icmp(player, syn, &syn->dst, icmp);
}

static void answer_as_router(struct player *player, const struct packet *syn, struct answer_icmp icmp)
{
    bool v4 = syn->dst.family == ADDR_V4;
    struct addr router;
    if (!addr_parse(v4 ? NET_ROUTER_V4 : NET_ROUTER_V6, &router))
        abort();
    icmp.type = v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE;
    icmp.code = v4 ? 13 : 1;
    answer_icmp(player, syn, &router, icmp);
}

static void answer_one_of_many(struct player *player, const struct packet *syn, struct answer_icmp icmp)
{
    switch (syn->tcp.port % 16) {
    case 0:
        answer_tcp(player, syn, syn_ack);
        break;
    case 1:
        answer_port_unreachable(player, syn, icmp);
        break;
    case 2:
        break;
    default:
        answer_tcp(player, syn, reset);
        break;
    }
}

static void answer_by_number(struct player *player, const struct packet *syn, struct answer_icmp icmp)
{
    uint16_t port = syn->tcp.port;
    if (port >= NET_ICMP_FIRST && port <= NET_ICMP_LAST) {
        icmp.type = (uint8_t)((port - NET_ICMP_FIRST) / 16);
        icmp.code = (uint8_t)((port - NET_ICMP_FIRST) % 16);
        answer_icmp(player, syn, &syn->dst, icmp);
    } else if (port >= NET_MANY_FIRST) {
        answer_one_of_many(player, syn, icmp);
    }
}

static void answer_wrong_ack(struct player *player, const struct packet *syn)
{
    struct answer_tcp wrong = syn_ack;
    wrong.ack_offset = 1000;
    answer_tcp(player, syn, wrong);
}

/* Is this the port that asked first? */
static bool is_first(uint16_t *first, const struct packet *syn)
{
    if (!*first)
        *first = syn->tcp.source_port;
    return *first == syn->tcp.source_port;
}

static void answer_second(struct player *player, const struct packet *syn)
{
    if (!is_first(&player->second_reset_first, syn))
        answer_tcp(player, syn, reset);
}

static void answer_first(struct player *player, const struct packet *syn, struct answer_icmp icmp)
{
    icmp.type = ICMP4_UNREACHABLE;
    icmp.code = 1;
    if (is_first(&player->first_open_first, syn))
        answer_late(player, syn, syn_ack, 200 * MSEC);
    else
        answer_icmp(player, syn, &syn->dst, icmp);
}

static void answer_open_reset(struct player *player, const struct packet *syn)
{
    struct answer_tcp then = {.flags = TCP_RST | TCP_ACK, .seq = syn_ack.seq + 1};
    answer_tcp(player, syn, syn_ack);
    answer_tcp(player, syn, then);
}

static void answer_syn(struct player *player, const struct packet *syn, const uint8_t *data, size_t len)
{
    struct answer_icmp icmp = {.quoted = data, .quoted_len = len};
    switch (syn->tcp.port) {
    case NET_OPEN:
        answer_tcp(player, syn, syn_ack);
        break;
    case NET_RESET:
        answer_tcp(player, syn, reset);
        break;
    case NET_SLOW_OPEN:
        answer_late(player, syn, syn_ack, NET_SLOW_NS);
        break;
    case NET_SLOW_RESET:
        answer_late(player, syn, reset, NET_SLOW_NS);
        break;
    case NET_SOON_RESET:
        answer_late(player, syn, reset, 500 * MSEC);
        break;
    case NET_SECOND_RESET:
        answer_second(player, syn);
        break;
    case NET_FIRST_OPEN:
        answer_first(player, syn, icmp);
        break;
    case NET_ROUTER:
        answer_as_router(player, syn, icmp);
        break;
    case NET_OPEN_RESET:
        answer_open_reset(player, syn);
        break;
    case NET_WRONG_ACK:
        answer_wrong_ack(player, syn);
        break;
    case NET_WRONG_ACK_ICMP:
        answer_wrong_ack(player, syn);
        answer_port_unreachable(player, syn, icmp);
        break;
    default:
        answer_by_number(player, syn, icmp);
        break;
    }
}

/* A datagram is answered by another, or by an ICMP error. */
static void answer_udp(struct player *player, const struct packet *datagram, const uint8_t *data, size_t len)
{
    struct answer_icmp icmp = {.quoted = data, .quoted_len = len};
    if (datagram->udp.port == NET_OPEN) {
        uint8_t answer[PACKET_MAX];
        struct writer out = writer_over(answer, sizeof answer);
        struct udp_header header = {.source_port = NET_OPEN, .port = datagram->udp.source_port};
        udp_write(&out, &datagram->dst, &datagram->src, &header, (const uint8_t *)"hi", 2);
        struct ip_header ip = {.src = datagram->dst, .dst = datagram->src, .proto = IP_PROTO_UDP};
        emit(player, ip, answer, writer_len(&out), 0);
    } else if (datagram->udp.port == NET_ROUTER) {
        answer_as_router(player, datagram, icmp);
    } else if (datagram->udp.port >= NET_ICMP_FIRST && datagram->udp.port <= NET_ICMP_LAST) {
        icmp.type = (uint8_t)((datagram->udp.port - NET_ICMP_FIRST) / 16);
        icmp.code = (uint8_t)((datagram->udp.port - NET_ICMP_FIRST) % 16);
        answer_icmp(player, datagram, &datagram->dst, icmp);
    }
}

static void note_syn(struct player *player, const struct packet *packet)
{
    pthread_mutex_lock(&player->lock);
    player->seen.syns++;
    player->seen.ttl = packet->ttl;
    player->seen.src = packet->src;
    pthread_mutex_unlock(&player->lock);
}

struct player_seen player_seen(struct player *player)
{
    pthread_mutex_lock(&player->lock);
    struct player_seen seen = player->seen;
    player->seen = (struct player_seen){0};
    pthread_mutex_unlock(&player->lock);
    return seen;
}

static void play_packet(struct player *player, const uint8_t *data, size_t len)
{
    struct packet packet;
    struct packet_reading how = {.checksums = true};
    if (packet_read_ip(data, len, how, &packet) != PACKET_OK)
        return;
    bool echo4 = packet.layer == LAYER_ICMP4 && packet.icmp.type == ICMP4_ECHO;
    bool echo6 = packet.layer == LAYER_ICMP6 && packet.icmp.type == ICMP6_ECHO;
    if (echo4 || echo6) {
        answer_echo(player, &packet);
    } else if (packet.layer == LAYER_TCP && packet.tcp.flags == TCP_SYN) {
        note_syn(player, &packet);
        answer_syn(player, &packet, data, len);
    } else if (packet.layer == LAYER_UDP) {
        answer_udp(player, &packet, data, len);
    }
}

/* Sends what is due. Returns milliseconds until the next is, -1: none waits. */
static int play_delayed(struct player *player)
{
    int64_t now_ns = clock_ns(), next_ns = TIME_NEVER;
    for (size_t i = 0; i < DELAYED_MAX; i++) {
        struct delayed *delayed = &player->delayed[i];
        if (delayed->len && delayed->due_ns <= now_ns) {
            if (write(player->tun, delayed->data, delayed->len) < 0)
                abort();
            delayed->len = 0;
        } else if (delayed->len && delayed->due_ns < next_ns) {
            next_ns = delayed->due_ns;
        }
    }
    return next_ns == TIME_NEVER ? -1 : (int)((next_ns - now_ns) / MSEC) + 1;
}

static void *play(void *context)
{
    struct player *player = context;
    struct pollfd watched[2] = {{.fd = player->tun, .events = POLLIN},
                                {.fd = player->stop, .events = POLLIN}};
    uint8_t data[2048];
    for (;;) {
        poll(watched, 2, play_delayed(player));
        if (watched[1].revents)
            return NULL;
        ssize_t len = watched[0].revents ? read(player->tun, data, sizeof data) : -1;
        if (len > 0)
            play_packet(player, data, (size_t)len);
    }
}

struct player *player_start(int tun)
{
    struct player *player = calloc(1, sizeof *player);
    if (!player)
        return NULL;
    player->tun = tun;
    player->stop = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&player->lock, NULL);
    if (player->stop < 0 || pthread_create(&player->thread, NULL, play, player)) {
        free(player);
        return NULL;
    }
    return player;
}

void player_stop(struct player *player)
{
    eventfd_write(player->stop, 1);
    pthread_join(player->thread, NULL);
    pthread_mutex_destroy(&player->lock);
    close(player->stop);
    free(player);
}
