#include "resolve/lookup.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/time.h"
#include "resolve/clock.h"
#include "resolve/ptr.h"

/* With n servers c-ares waits n times for one time-out and then, in a second round, n times for two. */
#define ROUNDS          2
#define ROUNDS_TOTAL_MS 3900
#define ROUNDS_SHARES   3

struct lookup {
    ares_channel channel;
};

static int open_channel(int timeout_ms, ares_channel *ret)
{
    struct ares_options options = {.timeout = timeout_ms, .tries = ROUNDS, .lookups = (char[]){"fb"}};
    return ares_init_options(ret, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS);
}

/* How many servers the system names; c-ares falls back to one on this machine. */
static int count_system_servers(size_t *ret)
{
    ares_channel channel;
    int status = open_channel(ROUNDS_TOTAL_MS, &channel);
    if (status != ARES_SUCCESS)
        return status;
    struct ares_addr_port_node *list = NULL;
    status = ares_get_servers_ports(channel, &list);
    *ret = 0;
    for (const struct ares_addr_port_node *at = list; at; at = at->next)
        ++*ret;
    ares_free_data(list);
    ares_destroy(channel);
    return status;
}

/* Keep only the first servers of the system's list. */
static int cut_servers(ares_channel channel)
{
    struct ares_addr_port_node *list = NULL;
    int status = ares_get_servers_ports(channel, &list);
    struct ares_addr_port_node *last = list;
    for (size_t i = 1; last && i < DNS_SERVERS_MAX; i++)
        last = last->next;
    if (status == ARES_SUCCESS && last) {
        struct ares_addr_port_node *rest = last->next;
        last->next = NULL;
        status = ares_set_servers_ports(channel, list);
        last->next = rest;
    }
    ares_free_data(list);
    return status;
}

static int set_servers(ares_channel channel, const struct dns_servers *servers)
{
    struct ares_addr_port_node nodes[DNS_SERVERS_MAX] = {0};
    for (size_t i = 0; i < servers->count; i++) {
        const struct dns_server *server = &servers->list[i];
        nodes[i].next = i + 1 < servers->count ? &nodes[i + 1] : NULL;
        nodes[i].family = server->addr.family == ADDR_V4 ? AF_INET : AF_INET6;
        memcpy(&nodes[i].addr, server->addr.bytes, addr_len(&server->addr));
        nodes[i].udp_port = nodes[i].tcp_port = server->port;
    }
    return ares_set_servers_ports(channel, nodes);
}

int lookup_new(const struct dns_servers *servers, struct lookup **ret, struct error *err)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (!lookup)
        return error_set(err, EX_OSERR, "no memory for name look-ups");

    size_t server_count = servers->count;
    int status = server_count ? ARES_SUCCESS : count_system_servers(&server_count);
    if (status == ARES_SUCCESS) {
        size_t used = server_count < 1 ? 1 : server_count > DNS_SERVERS_MAX ? DNS_SERVERS_MAX : server_count;
        status = open_channel(ROUNDS_TOTAL_MS / ROUNDS_SHARES / (int)used, &lookup->channel);
    }
    if (status == ARES_SUCCESS && servers->count)
        status = set_servers(lookup->channel, servers);
    else if (status == ARES_SUCCESS && server_count > DNS_SERVERS_MAX)
        status = cut_servers(lookup->channel);
    if (status != ARES_SUCCESS) {
        lookup_free(lookup);
        return error_set(err, EX_OSERR, "cannot set up name look-ups: %s", ares_strerror(status));
    }
    *ret = lookup;
    return 0;
}

static void on_ptr(void *context, int status, int timeouts, unsigned char *reply, int reply_len)
{
    (void)timeouts;
    struct lookup_question *question = context;
    char name[PTR_NAME_MAX + 1];
    if (status == ARES_SUCCESS && reply && reply_len > 0 && ptr_read(reply, (size_t)reply_len, name))
        question->done(question, LOOKUP_NAME, name);
    else if (status == ARES_ETIMEOUT)
        question->done(question, LOOKUP_SILENT, NULL);
    else if (status == ARES_ECONNREFUSED) /* also said for SERVFAIL and REFUSED */
        question->done(question, LOOKUP_FAILED, NULL);
    else
        question->done(question, LOOKUP_NONE, NULL);
}

void lookup_ptr(struct lookup *lookup, const struct addr *addr, struct lookup_question *question)
{
    char name[PTR_QUESTION_MAX];
    ptr_question(addr, name);
    ares_query(lookup->channel, name, ns_c_in, ns_t_ptr, on_ptr, question);
}

struct forward_question {
    struct forward *forward;
    enum addr_family family;
    bool done;
};

static void on_forward(void *context, int status, int timeouts, struct ares_addrinfo *found)
{
    (void)timeouts;
    struct forward_question *question = context;
    struct forward *forward = question->forward;
    question->done = true;
    if (status == ARES_SUCCESS && found) {
        for (const struct ares_addrinfo_node *at = found->nodes; at; at = at->ai_next)
            forward_add(forward, at->ai_addr, question->family);
    }
    ares_freeaddrinfo(found);
    if (!forward->count)
        snprintf(forward->reason, sizeof forward->reason, "%s",
                 status == ARES_SUCCESS ? "it has no address" : ares_strerror(status));
}

void lookup_forward(struct lookup *lookup, const char *name, enum addr_family family, int limit_ms,
                    struct forward *ret)
{
    *ret = (struct forward){.count = 0};
    struct forward_question question = {.forward = ret, .family = family};
    const struct ares_addrinfo_hints hints = {
        .ai_family = family == ADDR_V4   ? AF_INET
                     : family == ADDR_V6 ? AF_INET6
                                         : AF_UNSPEC,
    };
    int64_t end_ns = clock_now_ns() + limit_ms * MSEC;
    ares_getaddrinfo(lookup->channel, name, NULL, &hints, on_forward, &question);
    while (!question.done) {
        int64_t left_ns = end_ns - clock_now_ns();
        if (left_ns <= 0)
            ares_cancel(lookup->channel); /* calls on_forward */
        struct pollfd fds[LOOKUP_FDS_MAX];
        size_t count = lookup_fds(lookup, fds);
        poll(fds, count, lookup_wait_ms(lookup, (int)(left_ns > 0 ? left_ns / MSEC + 1 : 0)));
        lookup_work(lookup, fds, count);
    }
}

size_t lookup_fds(const struct lookup *lookup, struct pollfd ret[static LOOKUP_FDS_MAX])
{
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    unsigned bits = (unsigned)ares_getsock(lookup->channel, sockets, ARES_GETSOCK_MAXNUM);
    size_t count = 0;
    for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM && count < LOOKUP_FDS_MAX; i++) {
        short events = 0;
        if (bits >> i & 1)
            events = POLLIN;
        if (bits >> (i + ARES_GETSOCK_MAXNUM) & 1)
            events |= POLLOUT;
        if (events)
            ret[count++] = (struct pollfd){.fd = sockets[i], .events = events};
    }
    return count;
}

int lookup_wait_ms(const struct lookup *lookup, int at_most_ms)
{
    struct timeval most = {.tv_sec = at_most_ms / 1000, .tv_usec = at_most_ms % 1000 * 1000};
    struct timeval wait;
    const struct timeval *least = ares_timeout(lookup->channel, &most, &wait);
    return (int)(least->tv_sec * 1000 + (least->tv_usec + 999) / 1000);
}

void lookup_work(struct lookup *lookup, const struct pollfd *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool in = fds[i].revents & (POLLIN | POLLERR | POLLHUP);
        bool out = fds[i].revents & POLLOUT;
        if (in || out)
            ares_process_fd(lookup->channel, in ? fds[i].fd : ARES_SOCKET_BAD,
                            out ? fds[i].fd : ARES_SOCKET_BAD);
    }
    ares_process_fd(lookup->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* time-outs */
}

void lookup_free(struct lookup *lookup)
{
    if (!lookup)
        return;
    if (lookup->channel)
        ares_destroy(lookup->channel);
    free(lookup);
}
