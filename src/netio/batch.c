#include "netio/batch.h"

#include <errno.h>

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

struct batch_slot *batch_slot(struct batch *batch, enum lane lane)
{
    if (batch->used == BATCH_MAX || (batch->used && batch->lane != lane))
        return NULL;
    batch->lane = (uint8_t)lane;
    return &batch->slots[batch->used];
}

static void keep(struct batch *batch, const struct batch_slot *slot)
{
    static const socklen_t name_len[] = {
        [LANE_FRAMES] = sizeof(struct sockaddr_ll),
        [LANE_RAW4] = sizeof(struct sockaddr_in),
        [LANE_RAW6] = sizeof(struct sockaddr_in6),
    };
    batch->parts[batch->used].iov_len = slot->len;
    batch->messages[batch->used].msg_hdr.msg_namelen = name_len[batch->lane];
    batch->used++;
}

void batch_keep_probe(struct batch *batch, struct batch_slot *slot, const struct probe *probe,
                      uint64_t position)
{
    slot->has_probe = true;
    slot->probe = *probe;
    slot->position = position;
    keep(batch, slot);
}

void batch_keep_question(struct batch *batch, struct batch_slot *slot)
{
    slot->has_probe = false;
    keep(batch, slot);
}

/* The packet at batch->sent does not leave, ever. */
static void give_up(struct batch *batch, struct netio *io, const struct order *order, int error)
{
    const struct batch_slot *slot = &batch->slots[batch->sent++];
    io->stats.send_errors++;
    if (slot->has_probe && order)
        io->events->unsent(io->context, order, &slot->probe, error);
}

static void count_sent(struct batch *batch, struct netio *io, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        io->stats.bytes_sent += batch->slots[batch->sent + i].len;
    io->stats.packets_sent += count;
    batch->sent += count;
}

bool batch_flush(struct batch *batch, struct netio *io, const struct order *order, int64_t now_ns)
{
    while (batch->sent < batch->used) {
        int count = sendmmsg(batch->fds[batch->lane], batch->messages + batch->sent,
                             batch->used - batch->sent, MSG_DONTWAIT);
        if (count > 0) {
            count_sent(batch, io, (unsigned)count);
            batch->blocked = 0;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != ENOBUFS) {
            give_up(batch, io, order, errno);
            continue;
        }
        if (!batch->blocked)
            batch->blocked_since_ns = now_ns;
        batch->blocked = errno;
        if (now_ns - batch->blocked_since_ns < BATCH_PATIENCE_NS)
            return false;
        give_up(batch, io, order, errno);
    }
    batch->used = batch->sent = 0;
    batch->blocked = 0;
    return true;
}

void batch_take_back(struct batch *batch, struct order *order)
{
    uint32_t count = 0;
    for (uint32_t i = batch->used; i > batch->sent; i--) {
        const struct batch_slot *slot = &batch->slots[i - 1];
        if (!slot->has_probe)
            continue;
        order->next = slot->position;
        count++;
    }
    order->limit += count;
    batch->used = batch->sent = 0;
}
