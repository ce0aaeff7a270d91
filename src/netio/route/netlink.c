#include "netio/route/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/bytes.h"
#include "base/own.h"

/* For loops over attributes: libmnl's own macros narrow a length silently. */
static bool attr_fits(const struct nlattr *attr, const void *end)
{
    return mnl_attr_ok(attr, (int)((const uint8_t *)end - (const uint8_t *)attr));
}

static const struct nlattr *first_attr(const struct nlmsghdr *message, size_t header_len)
{
    return mnl_nlmsg_get_payload_offset(message, header_len);
}

static bool attr_of(const struct nlmsghdr *message, const struct nlattr *attr)
{
    return attr_fits(attr, mnl_nlmsg_get_payload_tail(message));
}

static uint8_t family_of(uint8_t kernel_family)
{
    return kernel_family == AF_INET ? ADDR_V4 : kernel_family == AF_INET6 ? ADDR_V6 : ADDR_NONE;
}

static bool read_addr(const struct nlattr *attr, uint8_t family, struct addr *ret)
{
    const uint8_t *bytes = mnl_attr_get_payload(attr);
    size_t len = mnl_attr_get_payload_len(attr);
    if (family == ADDR_V4 && len == 4)
        *ret = addr_v4(get_be32(bytes));
    else if (family == ADDR_V6 && len == 16)
        *ret = addr_v6(bytes, 0);
    else
        return false;
    return true;
}

static uint32_t read_u32(const struct nlattr *attr)
{
    uint32_t value = 0;
    if (mnl_attr_get_payload_len(attr) == sizeof value)
        memcpy(&value, mnl_attr_get_payload(attr), sizeof value);
    return value;
}

static void read_name(const struct nlattr *attr, char ret[static IFNAMSIZ])
{
    size_t len = mnl_attr_get_payload_len(attr);
    if (len > IFNAMSIZ - 1)
        len = IFNAMSIZ - 1;
    memcpy(ret, mnl_attr_get_payload(attr), len);
    ret[len] = '\0';
}

/* RFC 4291 section 2.5.6: an address that means something on one link only takes the link as its scope. */
static void set_scope(struct addr *addr, uint32_t index)
{
    if (addr_is_link_local(addr))
        addr->scope = index;
}

static uint8_t kind_of(const struct ifinfomsg *info)
{
    if (info->ifi_type == ARPHRD_LOOPBACK)
        return LINK_LOOPBACK;
    if (info->ifi_type == ARPHRD_ETHER && !(info->ifi_flags & IFF_NOARP))
        return LINK_ETHERNET;
    return LINK_PLAIN;
}

static int on_link(const struct nlmsghdr *message, void *data)
{
    const struct netlink_visitor *visitor = data;
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
    struct link link = {
        .index = (uint32_t)info->ifi_index,
        .kind = kind_of(info),
        .up = (info->ifi_flags & IFF_UP) && (info->ifi_flags & IFF_RUNNING),
    };
    for (const struct nlattr *attr = first_attr(message, sizeof *info); attr_of(message, attr);
         attr = mnl_attr_next(attr)) {
        uint16_t type = mnl_attr_get_type(attr);
        if (type == IFLA_IFNAME)
            read_name(attr, link.name);
        else if (type == IFLA_MTU)
            link.mtu = read_u32(attr);
        else if (type == IFLA_MASTER)
            link.enslaved = read_u32(attr) != 0;
        else if (type == IFLA_LINKINFO)
            link.software = true; /* a card has no kind to tell */
        else if (type == IFLA_ADDRESS && link.kind == LINK_ETHERNET && mnl_attr_get_payload_len(attr) == 6)
            memcpy(link.mac, mnl_attr_get_payload(attr), 6);
    }
    return visitor->link(visitor->context, &link) < 0 ? MNL_CB_ERROR : MNL_CB_OK;
}

static int on_address(const struct nlmsghdr *message, void *data)
{
    const struct netlink_visitor *visitor = data;
    const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
    uint8_t family = family_of(info->ifa_family);
    uint32_t flags = info->ifa_flags;
    struct addr local = {0}, address = {0};
    for (const struct nlattr *attr = first_attr(message, sizeof *info); attr_of(message, attr);
         attr = mnl_attr_next(attr)) {
        uint16_t type = mnl_attr_get_type(attr);
        if (type == IFA_LOCAL)
            read_addr(attr, family, &local);
        else if (type == IFA_ADDRESS)
            read_addr(attr, family, &address);
        else if (type == IFA_FLAGS)
            flags = read_u32(attr);
    }
    /* On a point-to-point link IFA_ADDRESS is the other end; IFA_LOCAL, when there is one, is always ours. */
    struct link_address ret = {
        .index = info->ifa_index,
        .addr = local.family ? local : address,
        .prefix_len = info->ifa_prefixlen,
        .scope = info->ifa_scope,
        .usable = !(flags & IFA_F_DADFAILED) && (!(flags & IFA_F_TENTATIVE) || (flags & IFA_F_OPTIMISTIC)),
        .deprecated = flags & IFA_F_DEPRECATED,
    };
    if (!ret.addr.family)
        return MNL_CB_OK;
    set_scope(&ret.addr, ret.index);
    return visitor->address(visitor->context, &ret) < 0 ? MNL_CB_ERROR : MNL_CB_OK;
}

static void read_next_hop(const struct nlattr *attr, uint8_t family, struct kernel_route *route)
{
    uint16_t type = mnl_attr_get_type(attr);
    if (type == RTA_OIF)
        route->index = read_u32(attr);
    else if (type == RTA_GATEWAY)
        read_addr(attr, family, &route->gateway);
    else if (type == RTA_VIA && mnl_attr_get_payload_len(attr) == sizeof(struct rtvia) + 16)
        route->gateway = addr_v6((const uint8_t *)mnl_attr_get_payload(attr) + sizeof(struct rtvia), 0);
}

/* Of several next hops the first that lives stands for all: which one the kernel takes depends on a hash of
 * its own. */
static void read_multipath(const struct nlattr *multipath, uint8_t family, struct kernel_route *route)
{
    uint8_t *at = mnl_attr_get_payload(multipath);
    size_t left = mnl_attr_get_payload_len(multipath);
    struct rtnexthop hop;
    while (left >= sizeof hop) {
        memcpy(&hop, at, sizeof hop);
        if (hop.rtnh_len < sizeof hop || hop.rtnh_len > left)
            return;
        if (!(hop.rtnh_flags & RTNH_F_DEAD)) {
            const void *attrs = at + sizeof hop;
            const struct nlattr *attr;
            route->index = (uint32_t)hop.rtnh_ifindex;
            for (attr = attrs; attr_fits(attr, at + hop.rtnh_len); attr = mnl_attr_next(attr))
                read_next_hop(attr, family, route);
            return;
        }
        size_t step = (hop.rtnh_len + 3u) & ~3u; /* RTNH_ALIGN */
        at += step < left ? step : left;
        left -= step < left ? step : left;
    }
}

static void read_route_attr(const struct nlattr *attr, uint8_t family, struct kernel_route *route)
{
    switch (mnl_attr_get_type(attr)) {
    case RTA_TABLE:
        route->table = read_u32(attr);
        break;
    case RTA_DST:
        read_addr(attr, family, &route->dst);
        break;
    case RTA_PREFSRC:
        read_addr(attr, family, &route->source);
        break;
    case RTA_PRIORITY:
        route->metric = read_u32(attr);
        break;
    case RTA_MULTIPATH:
        read_multipath(attr, family, route);
        break;
    default:
        read_next_hop(attr, family, route);
        break;
    }
}

static int on_route(const struct nlmsghdr *message, void *data)
{
    const struct netlink_visitor *visitor = data;
    const struct rtmsg *info = mnl_nlmsg_get_payload(message);
    uint8_t family = family_of(info->rtm_family);
    /* Cached exceptions (path MTU, redirects) are no routes; a route from a source prefix is not for all. */
    if (!family || (info->rtm_flags & (RTM_F_CLONED | RTNH_F_DEAD)) || info->rtm_src_len)
        return MNL_CB_OK;

    struct kernel_route route = {
        .table = info->rtm_table,
        .type = info->rtm_type,
        .tos = info->rtm_tos,
        .dst = {.family = family},
        .prefix_len = info->rtm_dst_len,
    };
    for (const struct nlattr *attr = first_attr(message, sizeof *info); attr_of(message, attr);
         attr = mnl_attr_next(attr))
        read_route_attr(attr, family, &route);
    set_scope(&route.gateway, route.index);
    return visitor->route(visitor->context, &route) < 0 ? MNL_CB_ERROR : MNL_CB_OK;
}

static void read_rule_attr(const struct nlattr *attr, struct kernel_rule *rule)
{
    char input[IFNAMSIZ];
    switch (mnl_attr_get_type(attr)) {
    case FRA_DST:
        read_addr(attr, rule->family, &rule->dst);
        break;
    case FRA_SRC:
        read_addr(attr, rule->family, &rule->src);
        break;
    case FRA_PRIORITY:
        rule->priority = read_u32(attr);
        break;
    case FRA_TABLE:
        rule->table = read_u32(attr);
        break;
    case FRA_GOTO:
        rule->target = read_u32(attr);
        break;
    case FRA_SUPPRESS_PREFIXLEN:
        rule->suppress_prefix_len = (int)read_u32(attr);
        break;
    case FRA_OIFNAME:
        read_name(attr, rule->output);
        break;
    case FRA_FWMARK:
        if (read_u32(attr))
            rule->foreign = true; /* probes carry mark 0 */
        break;
    case FRA_IIFNAME:
        read_name(attr, input);
        if (strcmp(input, "lo") != 0)
            rule->foreign = true; /* what this machine sends counts as coming from lo */
        break;
    case FRA_UID_RANGE:
    case FRA_IP_PROTO:
    case FRA_SPORT_RANGE:
    case FRA_DPORT_RANGE:
    case FRA_TUN_ID:
    case FRA_L3MDEV:
        rule->unknowable = true;
        break;
    default:
        break;
    }
}

static int on_rule(const struct nlmsghdr *message, void *data)
{
    const struct netlink_visitor *visitor = data;
    const struct fib_rule_hdr *info = mnl_nlmsg_get_payload(message);
    struct kernel_rule rule = {
        .family = family_of(info->family),
        .action = info->action,
        .invert = info->flags & FIB_RULE_INVERT,
        .unknowable = info->tos != 0,
        .table = info->table,
        .src_len = info->src_len,
        .dst_len = info->dst_len,
        .suppress_prefix_len = -1,
    };
    if (!rule.family)
        return MNL_CB_OK;
    for (const struct nlattr *attr = first_attr(message, sizeof *info); attr_of(message, attr);
         attr = mnl_attr_next(attr))
        read_rule_attr(attr, &rule);
    return visitor->rule(visitor->context, &rule) < 0 ? MNL_CB_ERROR : MNL_CB_OK;
}

static int on_neighbor(const struct nlmsghdr *message, void *data)
{
    const struct netlink_visitor *visitor = data;
    const struct ndmsg *info = mnl_nlmsg_get_payload(message);
    uint16_t valid = NUD_PERMANENT | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE;
    struct kernel_neighbor neighbor = {
        .index = (uint32_t)info->ndm_ifindex,
        .permanent = info->ndm_state & NUD_PERMANENT,
    };
    bool has_mac = false;
    for (const struct nlattr *attr = first_attr(message, sizeof *info); attr_of(message, attr);
         attr = mnl_attr_next(attr)) {
        uint16_t type = mnl_attr_get_type(attr);
        if (type == NDA_DST) {
            read_addr(attr, family_of(info->ndm_family), &neighbor.addr);
        } else if (type == NDA_LLADDR && mnl_attr_get_payload_len(attr) == 6) {
            memcpy(neighbor.mac, mnl_attr_get_payload(attr), 6);
            has_mac = true;
        }
    }
    if (!(info->ndm_state & valid) || !has_mac || !neighbor.addr.family)
        return MNL_CB_OK;
    set_scope(&neighbor.addr, neighbor.index);
    return visitor->neighbor(visitor->context, &neighbor) < 0 ? MNL_CB_ERROR : MNL_CB_OK;
}

/* One dump: what to ask for, and who takes each answer. */
struct dump {
    mnl_cb_t take;
    const char *name;
    uint16_t type;
    uint8_t family;
    bool optional; /* a kernel may be built without it */
};

static int dump_failed(const struct dump *dump, struct error *err)
{
    if (errno == EINTR)
        return error_set(err, EX_TEMPFAIL, "the kernel's list of %s keeps changing", dump->name);
    if (errno == EOPNOTSUPP && dump->optional)
        return 0;
    return error_set(err, EX_OSERR, "cannot read the kernel's list of %s: %s", dump->name, strerror(errno));
}

static int run_dump(struct mnl_socket *socket, const struct dump *dump, struct netlink_visitor *visitor,
                    struct error *err)
{
    char buffer[8192] __attribute__((aligned(8)));
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = dump->type;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request->nlmsg_seq = dump->type;
    /* Every one of these requests starts with a family byte, and the longest header satisfies them all. */
    uint8_t *header = mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
    header[0] = dump->family;
    if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
        return dump_failed(dump, err);

    unsigned port = mnl_socket_get_portid(socket);
    int more = 1;
    while (more > 0) {
        errno = 0;
        ssize_t len = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
        more = len < 0 ? -1 : mnl_cb_run(buffer, (size_t)len, dump->type, port, dump->take, visitor);
    }
    return more < 0 ? dump_failed(dump, err) : 0;
}

static void own_close_mnl(struct mnl_socket **socket)
{
    if (*socket)
        mnl_socket_close(*socket);
}

int netlink_visit_through(struct mnl_socket *socket, const struct netlink_visitor *visitor, struct error *err)
{
    struct netlink_visitor taker = *visitor;
    const struct dump dumps[] = {
        {visitor->link ? on_link : NULL, "interfaces", RTM_GETLINK, AF_UNSPEC, false},
        {visitor->address ? on_address : NULL, "addresses", RTM_GETADDR, AF_UNSPEC, false},
        {visitor->route ? on_route : NULL, "IPv4 routes", RTM_GETROUTE, AF_INET, false},
        {visitor->route ? on_route : NULL, "IPv6 routes", RTM_GETROUTE, AF_INET6, true},
        {visitor->rule ? on_rule : NULL, "IPv4 rules", RTM_GETRULE, AF_INET, true},
        {visitor->rule ? on_rule : NULL, "IPv6 rules", RTM_GETRULE, AF_INET6, true},
        {visitor->neighbor ? on_neighbor : NULL, "neighbours", RTM_GETNEIGH, AF_UNSPEC, false},
    };
    for (size_t i = 0; i < sizeof dumps / sizeof dumps[0]; i++) {
        int result = dumps[i].take ? run_dump(socket, &dumps[i], &taker, err) : 0;
        if (result < 0)
            return result;
    }
    return 0;
}

int netlink_visit(const struct netlink_visitor *visitor, struct error *err)
{
    own(close_mnl) struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
        return error_set(err, EX_OSERR, "cannot ask the kernel for its routes: %s", strerror(errno));
    return netlink_visit_through(socket, visitor, err);
}
