#include "netio/connect/outcome.h"

#include <errno.h>
#include <time.h> /* errqueue.h uses it without including it */
#include <linux/errqueue.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/time.h"
#include "netio/connect/socket.h"

/* enum in net/tcp_states.h of the kernel; netinet/tcp.h, which has it too, cannot be included beside
 * linux/tcp.h. */
enum { STATE_SYN_SENT = 2, STATE_SYN_RECV = 3, STATE_CLOSE = 7 };

static struct connect_icmp extended_error(const struct cmsghdr *control)
{
    struct {
        struct sock_extended_err err;
        union connect_sockaddr offender;
    } data = {0};
    size_t len = control->cmsg_len - CMSG_LEN(0);
    if (len < sizeof data.err)
        return (struct connect_icmp){0};
    memcpy(&data, CMSG_DATA(control), len < sizeof data ? len : sizeof data);
    if (data.err.ee_origin != SO_EE_ORIGIN_ICMP && data.err.ee_origin != SO_EE_ORIGIN_ICMP6)
        return (struct connect_icmp){0};
    return (struct connect_icmp){
        .error = (int)data.err.ee_errno,
        .type = data.err.ee_type,
        .code = data.err.ee_code,
        .offender = connect_addr(&data.offender),
    };
}

struct connect_icmp connect_icmp_read(struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
        bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
        if (v4 || v6)
            return extended_error(c);
    }
    return (struct connect_icmp){0};
}

/* False: the queue is empty. */
static bool read_queue(int fd, struct connect_icmp *ret)
{
    _Alignas(struct cmsghdr) uint8_t control[256];
    struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
        return false;
    *ret = connect_icmp_read(&message);
    return true;
}

/* How the connection of a closed socket ended: the next connect(2) says it, connects nowhere, and leaves the
 * socket as new. */
static int take_error(int fd, const struct addr *host, uint16_t port)
{
    union connect_sockaddr address;
    socklen_t len = connect_sockaddr(host, port, &address);
    return connect(fd, &address.any, len) < 0 ? errno : 0;
}

static bool was_connected(const struct tcp_info *info, int error)
{
    if (error == ECONNRESET || error == EPIPE)
        return true;
    return info->tcpi_state != STATE_SYN_SENT && info->tcpi_state != STATE_SYN_RECV &&
           info->tcpi_state != STATE_CLOSE;
}

static void answer_connected(struct connect_event *event)
{
    event->error = 0;
    event->reset_seen = false;
    event->has_icmp = false;
    event->offender = (struct addr){0};
}

static void answer_icmp(struct connect_event *event, const struct connect_icmp *icmp)
{
    event->error = icmp->error;
    event->reset_seen = false;
    event->has_icmp = true;
    event->icmp_type = icmp->type;
    event->icmp_code = icmp->code;
    event->offender = icmp->offender;
}

static void answer_refused(struct connect_event *event, int error, const struct tcp_info *info)
{
    event->error = error;
    event->reset_seen = info->tcpi_segs_in > 0;
    event->has_icmp = false;
    event->offender = (struct addr){0};
}

enum connect_state connect_outcome_read(int fd, const struct addr *host, uint16_t port,
                                        struct connect_event *ret_event, struct connect_measure *ret_read)
{
    struct connect_icmp icmp = {0};
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
    /* In this order: to a socket that is closed nothing can happen any more. */
    int error = info.tcpi_state == STATE_CLOSE ? take_error(fd, host, port) : 0;
    *ret_read = (struct connect_measure){.syn_repeats = info.tcpi_total_retrans};

    if (was_connected(&info, error)) {
        ret_read->kernel_rtt_ns = (int64_t)info.tcpi_rtt * USEC;
        answer_connected(ret_event);
        return CONNECT_ENDED;
    }
    bool queued = read_queue(fd, &icmp);
    /* An ICMP error that arrived while the socket was inside connect() does not end it: only the queue has
     * it. If an RST ended it after that, the socket's own error is another than the queue's, and better. */
    if (icmp.error && (error == 0 || error == icmp.error || error == ETIMEDOUT)) {
        answer_icmp(ret_event, &icmp);
        return CONNECT_ENDED;
    }
    if (error == ETIMEDOUT)
        return CONNECT_SILENT;
    if (error == 0)
        return info.tcpi_state == STATE_CLOSE ? CONNECT_SILENT : CONNECT_WAITING;
    answer_refused(ret_event, error, &info);
    ret_read->refused = error == ECONNREFUSED && ret_event->reset_seen && !queued;
    return CONNECT_ENDED;
}

/* The kernel counts the SYN as a byte. */
uint64_t connect_acknowledged(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 || info.tcpi_bytes_acked == 0)
        return 0;
    return info.tcpi_bytes_acked - 1;
}
