#include "resolve/dns_test_server.h"

#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"

#define HEADER_LEN   12
#define PACKET_MAX   1500
#define TYPE_A       1
#define TYPE_CNAME   5
#define TYPE_PTR     12
#define TYPE_AAAA    28
#define RCODE_NAME   3
#define RCODE_POLICY 5
#define FLAGS_REPLY  0x8180 /* response, recursion desired and available */
#define FLAG_CUT     0x0200
#define QUESTION     "\xc0\x0c" /* compressed: the name of the question */

struct query {
    const uint8_t *bytes;
    size_t len; /* up to the end of the question */
    uint16_t type;
    char name[256]; /* with dots */
    bool tcp;
};

static bool query_read(const uint8_t *data, size_t len, bool tcp, struct query *ret)
{
    struct reader in = reader_over(data, len);
    struct writer name = writer_over((uint8_t *)ret->name, sizeof ret->name - 1);
    read_span(&in, HEADER_LEN);
    for (uint8_t label_len = read_u8(&in); label_len; label_len = read_u8(&in)) {
        const uint8_t *label = read_span(&in, label_len);
        if (!label)
            return false;
        if (writer_len(&name))
            write_u8(&name, '.');
        write_bytes(&name, label, label_len);
    }
    ret->type = read_be16(&in);
    read_be16(&in);
    ret->name[writer_len(&name)] = '\0';
    ret->bytes = data;
    ret->len = (size_t)(in.at - data);
    ret->tcp = tcp;
    return in.ok && name.ok;
}

static void header(struct writer *out, const struct query *query, uint16_t flags, uint16_t answer_count)
{
    write_be16(out, get_be16(query->bytes));
    write_be16(out, (uint16_t)(FLAGS_REPLY | flags));
    write_be16(out, 1);
    write_be16(out, answer_count);
    write_be32(out, 0);
    write_bytes(out, query->bytes + HEADER_LEN, query->len - HEADER_LEN);
}

struct span {
    const char *bytes;
    size_t len;
};

/* A string literal without, and a name with, its own zero. */
#define SPAN(literal) ((struct span){literal, sizeof(literal) - 1})
#define NAME(literal) ((struct span){literal, sizeof(literal)})

static void answer(struct writer *out, struct span owner, uint16_t type, struct span data)
{
    write_bytes(out, (const uint8_t *)owner.bytes, owner.len);
    write_be16(out, type);
    write_be16(out, 1);
    write_be32(out, 60);
    write_be16(out, (uint16_t)data.len);
    write_bytes(out, (const uint8_t *)data.bytes, data.len);
}

static void too_long(struct writer *out, const struct query *query)
{
    char name[401] = {0};
    for (size_t i = 0; i < 400; i += 40) {
        name[i] = 39;
        memset(name + i + 1, 'x', 39);
    }
    header(out, query, 0, 1);
    answer(out, SPAN(QUESTION), TYPE_PTR, (struct span){name, sizeof name});
}

static void strange_bytes(struct writer *out, const struct query *query)
{
    static const char end[] = "\7example"; /* with its zero */
    char name[64];
    const size_t first = sizeof DNS_STRANGE_NAME - sizeof ".example";
    name[0] = (char)first;
    memcpy(name + 1, DNS_STRANGE_NAME, first);
    memcpy(name + 1 + first, end, sizeof end);
    header(out, query, 0, 1);
    answer(out, SPAN(QUESTION), TYPE_PTR, (struct span){name, 1 + first + sizeof end});
}

static void loop(struct writer *out, const struct query *query)
{
    header(out, query, 0, 1);
    uint16_t here = (uint16_t)(0xc000 | (writer_len(out) + 12));
    answer(out, SPAN(QUESTION), TYPE_PTR, (struct span){(char[]){(char)(here >> 8), (char)here}, 2});
}

static void cname_loop(struct writer *out, const struct query *query)
{
    header(out, query, 0, 3);
    answer(out, SPAN(QUESTION), TYPE_CNAME, NAME("\1x"));
    answer(out, NAME("\1x"), TYPE_CNAME, NAME("\1y"));
    answer(out, NAME("\1y"), TYPE_CNAME, NAME("\1x"));
}

static void cname(struct writer *out, const struct query *query)
{
    header(out, query, 0, 2);
    answer(out, SPAN(QUESTION), TYPE_CNAME, NAME("\0044/25\1x"));
    answer(out, NAME("\0044/25\1X"), TYPE_PTR, NAME("\5alias\7example"));
}

static void one_answer(struct writer *out, const struct query *query, struct span name)
{
    header(out, query, 0, 1);
    answer(out, SPAN(QUESTION), TYPE_PTR, name);
}

static void over_tcp(struct writer *out, const struct query *query)
{
    header(out, query, query->tcp ? 0 : FLAG_CUT, query->tcp);
    if (query->tcp)
        answer(out, SPAN(QUESTION), TYPE_PTR, NAME("\3tcp\7example"));
}

static void garbage(struct writer *out, const struct query *query)
{
    write_be16(out, get_be16(query->bytes));
    for (int i = 0; i < 5; i++)
        write_be16(out, UINT16_MAX);
}

static void ptr_reply(struct writer *out, const struct query *query, enum dns_manner manner)
{
    switch (manner) {
    case DNS_NORMAL:
        one_answer(out, query, NAME("\4host\7example"));
        break;
    case DNS_STRANGE_BYTES:
        strange_bytes(out, query);
        break;
    case DNS_LOOP:
        loop(out, query);
        break;
    case DNS_TOO_LONG:
        too_long(out, query);
        break;
    case DNS_CNAME:
        cname(out, query);
        break;
    case DNS_CNAME_LOOP:
        cname_loop(out, query);
        break;
    case DNS_OVER_TCP:
        over_tcp(out, query);
        break;
    case DNS_WRONG_ID:
        one_answer(out, query, NAME("\4evil\7example"));
        out->start[1] ^= 1;
        break;
    case DNS_WRONG_NAME:
        one_answer(out, query, NAME("\4evil\7example"));
        out->start[HEADER_LEN + 1] ^= 1; /* a letter of the question */
        break;
    case DNS_SILENT:
        break;
    case DNS_ZERO_BYTE:
        one_answer(out, query, NAME("\4a\0bc\7example"));
        break;
    case DNS_CUT:
        one_answer(out, query, NAME("\4host\7example"));
        out->at -= 5;
        break;
    case DNS_MANY:
        header(out, query, 0, UINT16_MAX);
        break;
    case DNS_GARBAGE:
        garbage(out, query);
        break;
    case DNS_REFUSED:
    case DNS_NO_NAME:
    case DNS_MANNER_COUNT:
        header(out, query, manner == DNS_REFUSED ? RCODE_POLICY : RCODE_NAME, 0);
        break;
    }
}

static void forward_reply(struct writer *out, const struct query *query)
{
    bool good = !strcmp(query->name, "good.example");
    if (good && query->type == TYPE_A) {
        header(out, query, 0, 2);
        answer(out, SPAN(QUESTION), TYPE_A, SPAN("\xc6\x12\x00\x07"));
        answer(out, SPAN(QUESTION), TYPE_A, SPAN("\xc6\x12\x00\x08"));
    } else if (good && query->type == TYPE_AAAA) {
        header(out, query, 0, 1);
        answer(out, SPAN(QUESTION), TYPE_AAAA, SPAN("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7"));
    } else if (!strcmp(query->name, "four.example")) {
        header(out, query, 0, query->type == TYPE_A);
        if (query->type == TYPE_A)
            answer(out, SPAN(QUESTION), TYPE_A, SPAN("\xc6\x12\x00\x04"));
    } else if (!strcmp(query->name, "loop.example")) {
        header(out, query, 0, 1);
        answer(out, SPAN(QUESTION), TYPE_CNAME, SPAN(QUESTION));
    } else {
        header(out, query, RCODE_NAME, 0);
    }
}

/* Bytes of the reply; 0: none. */
static size_t reply_to(const uint8_t *data, size_t len, bool tcp, uint8_t ret[static PACKET_MAX])
{
    struct query query;
    struct writer out = writer_over(ret, PACKET_MAX);
    if (!query_read(data, len, tcp, &query))
        return 0;
    if (query.type == TYPE_PTR)
        ptr_reply(&out, &query, (enum dns_manner)strtoul(query.name, NULL, 10));
    else
        forward_reply(&out, &query);
    assert(out.ok);
    return writer_len(&out);
}

static void serve_udp(int fd)
{
    uint8_t query[PACKET_MAX], reply[PACKET_MAX];
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    ssize_t len = recvfrom(fd, query, sizeof query, 0, (struct sockaddr *)&from, &from_len);
    size_t reply_len = len > 0 ? reply_to(query, (size_t)len, false, reply) : 0;
    if (reply_len)
        sendto(fd, reply, reply_len, 0, (struct sockaddr *)&from, from_len);
}

/* One question a connection (RFC 1035 section 4.2.2: a length of two bytes before each message). */
static void serve_tcp(int listener)
{
    uint8_t query[PACKET_MAX], reply[2 + PACKET_MAX];
    int fd = accept(listener, NULL, NULL);
    if (fd < 0)
        return;
    ssize_t len = recv(fd, query, sizeof query, 0);
    if (len > 2) {
        size_t reply_len = reply_to(query + 2, (size_t)len - 2, true, reply + 2);
        put_be16(reply, (uint16_t)reply_len);
        send(fd, reply, 2 + reply_len, MSG_NOSIGNAL);
    }
    close(fd);
}

int dns_test_server_start(uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons(port)};
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(!bind(udp, (struct sockaddr *)&at, sizeof at) && !bind(tcp, (struct sockaddr *)&at, sizeof at));
    assert(!listen(tcp, 8));

    int pid = fork();
    assert(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct pollfd fds[] = {{.fd = udp, .events = POLLIN}, {.fd = tcp, .events = POLLIN}};
        for (;;) {
            poll(fds, 2, -1);
            if (fds[0].revents)
                serve_udp(udp);
            if (fds[1].revents)
                serve_tcp(tcp);
        }
    }
    close(udp);
    close(tcp);
    return pid;
}
