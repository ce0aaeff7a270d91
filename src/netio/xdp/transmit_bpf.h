/* The sending side of the kernel backend: given live frames (BPF_PROG_TEST_RUN), it walks to the next pending
 * probe of the order, and turns the frame into it. */
#pragma once

#include "base/addr.h"
#include "netio/xdp/wire_bpf.h"
#include "plan/permutation_core.h"
#include "technique/token_core.h"

/* How many steps of the walk one run may take: what is not pending is stepped over. */
#define STEPS 24

/* 2^32 / WIRE_LINE_WORDS, rounded up: exact for all words of the bitmap. */
#define WIRE_LINE_INVERSE UINT64_C(613566757)

/* So often the clock is read. */
#define CLOCK_PERIOD 16

ARRAY(order, struct wire_order, 1);
ARRAY(pending, struct wire_line, WIRE_LINES_MAX);
ARRAY(hosts, struct wire_host, WIRE_HOSTS_MAX);
ARRAY(ports, struct wire_ports, WIRE_SPECS_MAX / WIRE_PORTS);

struct walk {
    struct wire_order *todo;
    struct wire_place place;
    int found; /* 1: place is the next that is pending; 0: not yet; -1: there is none */
};

/* Have the processor fetch what the place needs: each probe jumps over all of the bitmap and the hosts, and
 * waiting for memory would take longer than all that is reckoned. There is no instruction for that; a load
 * would hold up what comes behind it, a store does not. */
static __always_inline void touch_place(const struct wire_place *place)
{
    struct wire_line *line = bpf_map_lookup_elem(&pending, &place->line);
    if (line)
        line->touched = 1;
    struct wire_host *host = bpf_map_lookup_elem(&hosts, &place->slot);
    if (host)
        host->touched = 1;
}

static __always_inline struct wire_place place_of(const struct wire_order *todo, uint32_t bit)
{
    uint32_t word = bit / 64;
    struct wire_place place = {
        .line = (uint32_t)(word * WIRE_LINE_INVERSE >> 32), .bit = bit % 64, .spec = bit / todo->host_count};
    place.word = word - place.line * WIRE_LINE_WORDS;
    place.slot = bit - place.spec * todo->host_count;
    return place;
}

static __always_inline int is_pending(const struct wire_place *place)
{
    const struct wire_line *line = bpf_map_lookup_elem(&pending, &place->line);
    return line && place->word < WIRE_LINE_WORDS && (line->words[place->word] >> place->bit & 1);
}

/* One pass of the next position through the permutation: most need no other. */
static __always_inline void look_ahead(struct wire_order *todo)
{
    uint64_t position = todo->walked;
    uint64_t base = position < todo->early.size ? 0 : todo->early.size;
    const struct permutation *permutation = position < todo->early.size ? &todo->early : &todo->rest;
    uint64_t value = todo->walking ? todo->value : position - base;
    if (!permutation->identity)
        value = permutation_forth(permutation, value);
    todo->value = value;
    todo->walking = value >= permutation->size;
    if (todo->walking)
        return;
    struct wire_place place = place_of(todo, (uint32_t)(base + value));
    touch_place(&place);
    todo->ahead[position % WIRE_AHEAD] = place;
    todo->walked = position + 1;
}

static __always_inline int is_far_enough(const struct wire_order *todo)
{
    return todo->walked >= todo->end || todo->walked - todo->next >= WIRE_AHEAD;
}

/* A step further. 1: enough. */
static inline long walk_on(uint32_t index, struct walk *walk)
{
    (void)index;
    struct wire_order *todo = walk->todo;
    if (todo->next >= todo->end || todo->sent >= todo->limit) {
        walk->found = -1;
        return 1;
    }
    if (!is_far_enough(todo))
        look_ahead(todo);
    if (!is_far_enough(todo))
        return 0;
    walk->place = todo->ahead[todo->next++ % WIRE_AHEAD];
    walk->found = is_pending(&walk->place);
    return walk->found;
}

static __always_inline void copy_words(uint8_t *data, const uint64_t *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        *(uint64_t *)(data + 8 * i) = words[i];
}

/* So many words a frame has at least, and so many if it is longer than these and its tail; what is longer
 * than that and its tail is rare. A loop over all possible lengths takes the verifier as long as the rest of
 * the program. */
#define SHORT_WORDS 6
#define LONG_WORDS  9
#define TAIL_LEN    (8 * WIRE_TAIL_WORDS)

static __always_inline int copy_frame(struct xdp_md *ctx, const struct wire_order *todo, uint8_t *data,
                                      uint8_t *end)
{
    uint32_t len = todo->len;
    if (len < TAIL_LEN || len > WIRE_FRAME_MAX)
        return 0;
    if (len > 8 * LONG_WORDS + TAIL_LEN)
        return bpf_xdp_store_bytes(ctx, 0, (void *)todo->frame, len) == 0;
    uint8_t *tail = data + (len - TAIL_LEN);
    if (tail + TAIL_LEN > end || data + 8 * SHORT_WORDS > end)
        return 0;
    copy_words(data, todo->frame, SHORT_WORDS);
    if (len > 8 * SHORT_WORDS + TAIL_LEN) {
        if (data + 8 * LONG_WORDS > end)
            return 0;
        copy_words(data + 8 * SHORT_WORDS, todo->frame + SHORT_WORDS, LONG_WORDS - SHORT_WORDS);
    }
    copy_words(tail, todo->tail, WIRE_TAIL_WORDS);
    return 1;
}

struct fields {
    struct wire_host *host;
    uint16_t port;
    uint16_t source_port;
    uint32_t number;
};

/* value % UINT16_MAX, without the division that clang would make of it. */
static __always_inline uint16_t remainder16(uint32_t value)
{
    value = (value & UINT16_MAX) + (value >> 16);
    value = (value & UINT16_MAX) + (value >> 16);
    return value == UINT16_MAX ? 0 : value;
}

static __always_inline void write_ipv4(const struct wire_order *todo, uint8_t *ip,
                                       const struct fields *fields)
{
    uint16_t id = 1 + remainder16(fields->number ^ fields->number >> 16);
    *(uint16_t *)(ip + 4) = swap16(id);
    *(uint16_t *)(ip + 10) = swap16(fold((uint64_t)todo->ip_sum + fields->host->dst_sum + id));
    *(uint32_t *)(ip + 16) = *(uint32_t *)fields->host->dst;
}

static __always_inline void write_tcp(const struct wire_order *todo, uint8_t *tcp,
                                      const struct fields *fields)
{
    uint64_t number_sum = sum32(fields->number);
    uint64_t sum = (uint64_t)todo->tcp_sum + fields->host->dst_sum + fields->source_port + fields->port +
                   (todo->acknowledges ? 2 * number_sum : number_sum);
    *(uint16_t *)tcp = swap16(fields->source_port);
    *(uint16_t *)(tcp + 2) = swap16(fields->port);
    *(uint32_t *)(tcp + 4) = __builtin_bswap32(fields->number);
    if (todo->acknowledges)
        *(uint32_t *)(tcp + 8) = __builtin_bswap32(fields->number);
    *(uint16_t *)(tcp + 16) = swap16(fold(sum));
}

static __always_inline int write_probe(struct xdp_md *ctx, const struct wire_order *todo,
                                       const struct fields *fields)
{
    uint8_t *data = (uint8_t *)(long)ctx->data, *end = (uint8_t *)(long)ctx->data_end;
    uint8_t *ip = data + ETHERNET_LEN;
    if (!copy_frame(ctx, todo, data, end) || ip + IPV4_LEN + TCP_LEN > end)
        return 0;
    *(uint32_t *)data = *(uint32_t *)fields->host->mac;
    *(uint16_t *)(data + 4) = *(uint16_t *)(fields->host->mac + 4);
    if (!todo->v6) {
        write_ipv4(todo, ip, fields);
        write_tcp(todo, ip + IPV4_LEN, fields);
    } else {
        if (ip + IPV6_LEN + TCP_LEN > end)
            return 0;
        __builtin_memcpy(ip + 24, fields->host->dst, 16);
        write_tcp(todo, ip + IPV6_LEN, fields);
    }
    return 1;
}

static __always_inline int find_fields(const struct wire_order *todo, const struct wire_place *place,
                                       struct fields *ret)
{
    uint32_t some = place->spec / WIRE_PORTS;
    struct wire_host *host = bpf_map_lookup_elem(&hosts, &place->slot);
    struct wire_ports *four = bpf_map_lookup_elem(&ports, &some);
    if (!host || !four || !host->usable)
        return 0;
    uint16_t port = four->ports[place->spec % WIRE_PORTS];
    uint64_t hash =
        sip_last_of_three(&host->hashed, token_word(todo->v6 ? ADDR_V6 : ADDR_V4, todo->ip_proto, port, 0));
    *ret = (struct fields){
        .host = host,
        .port = port,
        .source_port = token_port(&todo->key, hash, todo->try_number),
        .number = token_mask(hash, todo->try_number) ^ token_time((int64_t)todo->now_ns),
    };
    return 1;
}

static __always_inline int transmit(struct xdp_md *ctx)
{
    uint32_t zero = 0;
    struct fields fields;
    struct wire_order *todo = bpf_map_lookup_elem(&order, &zero);
    if (!todo || !todo->active)
        return XDP_DROP;
    if (todo->sent % CLOCK_PERIOD == 0)
        todo->now_ns = bpf_ktime_get_ns();
    struct walk walk = {.todo = todo};
    bpf_loop(STEPS, walk_on, &walk, 0);
    if (walk.found < 0)
        todo->active = 0;
    if (walk.found <= 0 || !find_fields(todo, &walk.place, &fields) || !write_probe(ctx, todo, &fields))
        return XDP_DROP;
    if (++todo->sent == todo->limit)
        todo->active = 0;
    return (int)bpf_redirect(todo->interface, 0);
}
