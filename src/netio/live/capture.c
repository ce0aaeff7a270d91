#include "netio/live/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

static int attach_filter(int fd, const struct filter *filter, struct error *err)
{
    struct sock_filter code[FILTER_CODE_MAX];
    memcpy(code, filter->code, sizeof code);
    struct sock_fprog program = {.len = filter->len, .filter = code};
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on) < 0)
        return error_set(err, EX_OSERR, "cannot set the packet filter: %s", strerror(errno));
    return 0;
}

/* What this machine sends is no answer. */
static int receive_incoming(int fd, struct error *err)
{
    int on = 1;
    /* ETH_P_ALL, not one socket a protocol: it sees packets before a firewall of our own does. */
    struct sockaddr_ll name = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&name, sizeof name) < 0)
        return error_set(err, EX_OSERR, "cannot receive packets: %s", strerror(errno));
    return 0;
}

int capture_open(struct capture *ret, int fd, const struct filter *filter, uint64_t answer_count,
                 struct error *err)
{
    struct capture capture = {.fd = fd};
    bool few = answer_count > 0 && answer_count <= CAPTURE_QUEUE_ANSWERS;
    int result = attach_filter(fd, filter, err);
    if (result == 0)
        result = few ? capture_queue_open(&capture.queue, fd, err)
                     : capture_ring_open(&capture.ring, fd, answer_count, err);
    if (result == 0)
        result = receive_incoming(fd, err);
    if (result < 0) {
        capture_close(&capture);
        return result;
    }
    *ret = capture;
    return 0;
}

void capture_close(struct capture *capture)
{
    capture_ring_close(&capture->ring);
    capture_queue_close(&capture->queue);
    capture->fd = -1;
}

bool capture_next(struct capture *capture, struct captured *ret)
{
    return capture->ring.map ? capture_ring_next(&capture->ring, ret)
                             : capture_queue_next(&capture->queue, ret);
}

uint64_t capture_take_drops(struct capture *capture)
{
    struct tpacket_stats_v3 stats = {0};
    socklen_t len = sizeof stats;
    if (getsockopt(capture->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) < 0)
        return 0;
    return stats.tp_drops;
}
