#include "netio/batch.h"

#include <errno.h>
#include <linux/if_packet.h>

void batch_init(struct batch *batch, const struct sockets *sockets)
{
    batch->fds[LANE_FRAMES] = sockets->frames;
    batch->fds[LANE_RAW4] = sockets->raw4;
    batch->fds[LANE_RAW6] = sockets->raw6;
    for (unsigned i = 0; i < BATCH_MAX; i++) {
        batch->parts[i].iov_base = batch->slots[i].data;
        batch->messages[i].msg_hdr = (struct msghdr){
            .msg_name = &batch->slots[i].name,
            .msg_iov = &batch->parts[i],
            .msg_iovlen = 1,
        };
    }
}

struct batch_slot *batch_slot(struct batch *batch, enum lane lane, uint32_t link)
{
    if (batch->used == BATCH_MAX || (batch->used && (batch->lane != lane || batch->link != link)))
        return NULL;
    batch->lane = (uint8_t)lane;
    batch->link = link;
    return &batch->slots[batch->used];
}

static void keep(struct batch *batch, const struct batch_slot *slot)
{
    static const socklen_t name_len[] = {
        [LANE_FRAMES] = 0,
        [LANE_RAW4] = sizeof(struct sockaddr_in),
        [LANE_RAW6] = sizeof(struct sockaddr_in6),
    };
    batch->parts[batch->used].iov_len = slot->len;
    batch->messages[batch->used].msg_hdr.msg_namelen = name_len[batch->lane];
    batch->used++;
}

void batch_keep_probe(struct batch *batch, struct batch_slot *slot, const struct order_place *place)
{
    slot->has_probe = true;
    slot->place = *place;
    keep(batch, slot);
}

void batch_keep_question(struct batch *batch, struct batch_slot *slot)
{
    slot->has_probe = false;
    keep(batch, slot);
}

/* The packet at batch->sent does not leave, ever. */
static void give_up(struct batch *batch, struct netio *io, const struct order *order, int64_t now_ns,
                    int error)
{
    const struct batch_slot *slot = &batch->slots[batch->sent++];
    io->stats.send_errors++;
    if (!slot->has_probe || !order)
        return;
    struct probe probe = order_probe(order, &slot->place, now_ns);
    io->events->unsent(io->context, order, &probe, error);
}

static void count_sent(struct batch *batch, struct netio *io, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        io->stats.bytes_sent += batch->slots[batch->sent + i].len;
    io->stats.packets_sent += count;
    batch->sent += count;
}

/* Frames go out of the link that their socket is bound to. 0 or -1 and errno. */
static int bind_link(struct batch *batch)
{
    struct sockaddr_ll name = {.sll_family = AF_PACKET, .sll_ifindex = (int)batch->link};
    if (batch->lane != LANE_FRAMES || batch->bound_link == batch->link)
        return 0;
    batch->bound_link = 0;
    if (bind(batch->fds[LANE_FRAMES], (const struct sockaddr *)&name, sizeof name) < 0)
        return -1;
    batch->bound_link = batch->link;
    return 0;
}

/* Through the AF_XDP socket, as sendmmsg would. An interface that does not take frames that way any more is
 * left to the packet socket, which can say why. */
static int send_xsk(struct batch *batch)
{
    int count = 0;
    for (uint32_t i = batch->sent; i < batch->used; i++, count++) {
        if (!xsk_put(batch->xsk, batch->slots[i].data, batch->slots[i].len))
            break;
    }
    int error = xsk_kick(batch->xsk);
    if (error && error != ENOBUFS)
        batch->xsk->link = 0;
    errno = ENOBUFS;
    return count ? count : -1;
}

static int send_rest(struct batch *batch)
{
    if (batch->lane == LANE_FRAMES && batch->xsk && batch->xsk->link == batch->link)
        return send_xsk(batch);
    if (bind_link(batch) < 0)
        return -1;
    return sendmmsg(batch->fds[batch->lane], batch->messages + batch->sent, batch->used - batch->sent,
                    MSG_DONTWAIT);
}

/* How long to offer a packet again that was refused for this reason. */
static int64_t patience_ns(int error)
{
    switch (error) {
    case EAGAIN:
    case ENOBUFS:
        return BATCH_PATIENCE_NS;
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENODEV:
    case ENXIO:
        return BATCH_WAY_PATIENCE_NS;
    default:
        return 0;
    }
}

bool batch_flush(struct batch *batch, struct netio *io, const struct order *order, int64_t now_ns)
{
    while (batch->sent < batch->used) {
        int count = send_rest(batch);
        if (count > 0) {
            count_sent(batch, io, (unsigned)count);
            batch->blocked = 0;
            continue;
        }
        if (errno == EINTR)
            continue;
        int error = errno;
        if (patience_ns(error) > 0) {
            if (!batch->blocked)
                batch->blocked_since_ns = now_ns;
            batch->blocked = error;
            if (now_ns - batch->blocked_since_ns < patience_ns(error))
                return false;
        }
        give_up(batch, io, order, now_ns, error);
    }
    batch->used = batch->sent = 0;
    batch->blocked = 0;
    return true;
}

void batch_take_back(struct batch *batch, struct order *order)
{
    for (uint32_t i = batch->used; i > batch->sent; i--) {
        const struct batch_slot *slot = &batch->slots[i - 1];
        if (slot->has_probe)
            order_put_back(order, slot->place.position, 1);
    }
    batch->used = batch->sent = 0;
}
