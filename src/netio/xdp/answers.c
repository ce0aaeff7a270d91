#include "netio/xdp/answers.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <unistd.h>

#include "packet/arp.h"

/* The Ethernet type is not in the ring: the version says it. */
static uint16_t ethertype_of(const struct wire_answer *answer)
{
    return answer->data[0] >> 4 == 4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6_PACKET;
}

static int take_answer(void *context, void *data, size_t len)
{
    struct answers *answers = context;
    const struct wire_answer *answer = data;
    if (len < sizeof *answer || answer->len == 0 || answer->len > sizeof answer->data)
        return 0;
    struct captured captured = {
        .data = answer->data,
        .len = answer->len,
        .wire_len = answer->wire_len,
        .link = answers->link,
        .ethertype = ethertype_of(answer),
        .checksums_unknown = true,
    };
    memcpy(captured.source_mac, answer->source_mac, sizeof captured.source_mac);
    answers->sent_ns = token_sent_ns(answer->sent, answer->time_ns);
    answers->take(answers->context, &captured, answer->time_ns);
    return 0;
}

/* In the driver of a card where it has a place for programs, else where every driver's packets come by. In
 * its driver a veth end has room for 256 answers, and what the program sends back waits until its other end
 * happens to look (veth_xdp_flush wakes only one that has a program): resets were lost, and then answers. */
static int attach(struct answers *answers, int program_fd, bool software)
{
    static const uint32_t modes[] = {XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE};
    int error = 0;
    for (unsigned i = software; i < 2; i++) {
        const struct bpf_link_create_opts options = {.sz = sizeof options, .flags = modes[i]};
        answers->link_fd = bpf_link_create(program_fd, (int)answers->link, BPF_XDP, &options);
        if (answers->link_fd >= 0)
            return 0;
        error = -answers->link_fd;
    }
    return -error;
}

int answers_open(struct answers *ret, const struct wire *wire, const struct link *link,
                 const struct wire_config *config, struct error *err)
{
    *ret = (struct answers){.fd = -1, .link_fd = -1, .link = link->index};
    ret->config = wire_map(wire, WIRE_MAP_CONFIG, sizeof *ret->config);
    ret->ring = ring_buffer__new(wire->fds[WIRE_MAP_ANSWERS], take_answer, ret, NULL);
    if (!ret->config || !ret->ring) {
        answers_close(ret);
        return error_set(err, EX_OSERR, "cannot map the ring of answers: %s", strerror(errno));
    }
    *ret->config = *config;
    ret->fd = wire->fds[WIRE_MAP_ANSWERS];
    int result = attach(ret, wire->fds[WIRE_PROGRAM], link->software);
    if (result == 0)
        return 0;
    answers_close(ret);
    return error_set(err, EX_UNAVAILABLE, "the interface takes no XDP program: %s", strerror(-result));
}

void answers_close(struct answers *answers)
{
    if (answers->link_fd > 0)
        close(answers->link_fd);
    ring_buffer__free(answers->ring);
    wire_unmap(answers->config, sizeof *answers->config);
    *answers = (struct answers){.fd = -1, .link_fd = -1};
}

unsigned answers_read(struct answers *answers)
{
    int count = answers->ring ? ring_buffer__consume(answers->ring) : 0;
    return count > 0 ? (unsigned)count : 0;
}

void answers_wait(struct answers *answers, bool waits)
{
    if (answers->config)
        __atomic_store_n(&answers->config->waits, waits, __ATOMIC_SEQ_CST);
}
