#include "netio/route/netlink_ask.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"

/* The next hop towards a destination, in the kernel's words. */
struct next_hop {
    uint32_t index; /* of its link */
    uint8_t addr[16];
    uint8_t len; /* of addr; 0: the destination itself */
};

int netlink_ask_open(struct mnl_socket **ret, struct error *err)
{
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
        error_set(err, EX_OSERR, "cannot ask the kernel for its neighbours: %s", strerror(errno));
        netlink_ask_close(socket);
        return -EX_OSERR;
    }
    *ret = socket;
    return 0;
}

void netlink_ask_close(struct mnl_socket *socket)
{
    if (socket)
        mnl_socket_close(socket);
}

/* Send the request and hand its one answer to take. False: the kernel refused, or take did. */
static bool ask(struct mnl_socket *socket, struct nlmsghdr *request, mnl_cb_t take, void *ret)
{
    char buffer[8192] __attribute__((aligned(8)));
    request->nlmsg_flags = NLM_F_REQUEST;
    request->nlmsg_seq = request->nlmsg_type;
    if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
        return false;
    ssize_t len = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
    return len > 0 && mnl_cb_run(buffer, (size_t)len, request->nlmsg_type, mnl_socket_get_portid(socket),
                                 take, ret) >= MNL_CB_STOP;
}

static int take_next_hop_attr(const struct nlattr *attr, void *ret)
{
    struct next_hop *next_hop = ret;
    uint16_t type = mnl_attr_get_type(attr), len = mnl_attr_get_payload_len(attr);
    if (type == RTA_OIF && len == sizeof next_hop->index)
        memcpy(&next_hop->index, mnl_attr_get_payload(attr), len);
    if (type == RTA_GATEWAY && len <= sizeof next_hop->addr) {
        memcpy(next_hop->addr, mnl_attr_get_payload(attr), len);
        next_hop->len = (uint8_t)len;
    }
    return MNL_CB_OK;
}

static int take_next_hop(const struct nlmsghdr *message, void *ret)
{
    mnl_attr_parse(message, sizeof(struct rtmsg), take_next_hop_attr, ret);
    return MNL_CB_STOP;
}

static int take_state(const struct nlmsghdr *message, void *ret)
{
    const struct ndmsg *info = mnl_nlmsg_get_payload(message);
    *(uint16_t *)ret = info->ndm_state;
    return MNL_CB_STOP;
}

static uint8_t kernel_family(const struct addr *addr)
{
    return addr->family == ADDR_V4 ? AF_INET : AF_INET6;
}

static bool find_next_hop(struct mnl_socket *socket, const struct addr *dst, unsigned interface,
                          struct next_hop *ret)
{
    char buffer[256] __attribute__((aligned(8)));
    uint8_t len = dst->family == ADDR_V4 ? 4 : 16;
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = RTM_GETROUTE;
    struct rtmsg *header = mnl_nlmsg_put_extra_header(request, sizeof *header);
    header->rtm_family = kernel_family(dst);
    header->rtm_dst_len = (uint8_t)(len * 8);
    mnl_attr_put(request, RTA_DST, len, dst->bytes);
    if (interface || dst->scope)
        mnl_attr_put_u32(request, RTA_OIF, interface ? interface : dst->scope);
    if (!ask(socket, request, take_next_hop, ret) || !ret->index)
        return false;
    if (!ret->len) {
        memcpy(ret->addr, dst->bytes, len);
        ret->len = len;
    }
    return true;
}

bool netlink_next_hop_is_missing(struct mnl_socket *socket, const struct addr *dst, unsigned interface)
{
    struct next_hop next_hop = {0};
    if (!find_next_hop(socket, dst, interface, &next_hop))
        return false;

    char buffer[256] __attribute__((aligned(8)));
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = RTM_GETNEIGH;
    struct ndmsg *header = mnl_nlmsg_put_extra_header(request, sizeof *header);
    header->ndm_family = kernel_family(dst);
    header->ndm_ifindex = (int)next_hop.index;
    mnl_attr_put(request, NDA_DST, next_hop.len, next_hop.addr);
    uint16_t state = 0;
    return ask(socket, request, take_state, &state) && (state & (NUD_INCOMPLETE | NUD_FAILED));
}
