#include "netio/xdp/transmitter.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/bitset.h"
#include "netio/clock.h"
#include "packet/packet.h"

/* Frames of one run at most: bounds how long it goes on when there is nothing to send any more. */
#define RUN_FRAMES (1u << 14)

/* So many are waited for before a run begins. */
#define BATCH 64u

#define PENDING_LEN (WIRE_LINES_MAX * sizeof(struct wire_line))
#define HOSTS_LEN   (WIRE_HOSTS_MAX * sizeof(struct wire_host))
#define PORTS_LEN   (WIRE_SPECS_MAX * sizeof(uint16_t))

static bool is_active(const struct transmitter *transmitter)
{
    return __atomic_load_n(&transmitter->order->active, __ATOMIC_ACQUIRE) &&
           !atomic_load(&transmitter->error);
}

/* When the nth probe of the order is to leave. */
static int64_t due_ns(const struct transmitter *transmitter, uint32_t nth)
{
    return transmitter->start_ns + (int64_t)(nth * transmitter->pace_ns);
}

/* How many probes may leave by now; fewer than a batch are none, and wait until *ret_next_ns. */
static uint32_t probes_due(const struct transmitter *transmitter, int64_t now_ns, int64_t *ret_next_ns)
{
    uint32_t sent = transmitter->order->sent;
    uint32_t left = transmitter->order->limit - sent;
    uint32_t most = left < RUN_FRAMES ? left : RUN_FRAMES;
    uint32_t least = left < BATCH ? left : BATCH;
    *ret_next_ns = due_ns(transmitter, sent + least - 1);
    if (now_ns < *ret_next_ns)
        return 0;
    if (now_ns >= due_ns(transmitter, sent + most - 1))
        return most;
    uint32_t due = (uint32_t)((double)(now_ns - transmitter->start_ns) / transmitter->pace_ns) + 1 - sent;
    return due < least ? least : due;
}

static int run_once(const struct transmitter *transmitter, uint32_t frame_count)
{
    uint8_t frame[WIRE_FRAME_MAX] = {0};
    struct bpf_test_run_opts options = {
        .sz = sizeof options,
        .data_in = frame,
        .data_size_in = transmitter->order->len,
        .repeat = (int)frame_count,
        .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
    };
    return bpf_prog_test_run_opts(transmitter->program_fd, &options);
}

/* Send what is due of the order, or wait until something is. Under the lock, which is open meanwhile. */
static void carry_on(struct transmitter *transmitter)
{
    int64_t now_ns = clock_monotonic_ns(), next_ns;
    uint32_t due = probes_due(transmitter, now_ns, &next_ns);
    if (due == 0) {
        const struct timespec until = {.tv_sec = next_ns / SEC, .tv_nsec = next_ns % SEC};
        pthread_cond_timedwait(&transmitter->changed, &transmitter->lock, &until);
        return;
    }
    pthread_mutex_unlock(&transmitter->lock);
    transmitter->order->now_ns = (uint64_t)now_ns;
    int result = run_once(transmitter, due);
    if (result < 0 && result != -EINTR)
        atomic_store(&transmitter->error, -result);
    pthread_mutex_lock(&transmitter->lock);
}

/* Send the next order from one core alone. Where frames are handed over within the machine, the core that
 * sent them takes them in at the other end, too, before it sends more. If the thread moved, that would be
 * left to the core it came from, and more would be sent than that one takes in. */
static void stay(void)
{
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET((size_t)sched_getcpu(), &here);
    sched_setaffinity(0, sizeof here, &here);
}

/* Wait for an order, and wake up on whatever core is idle. Under the lock, which is open meanwhile. */
static void wait_anywhere(struct transmitter *transmitter)
{
    bool may_leave = sched_setaffinity(0, sizeof transmitter->cores, &transmitter->cores) == 0;
    pthread_cond_wait(&transmitter->changed, &transmitter->lock);
    if (may_leave)
        stay();
}

static void *keep_running(void *context)
{
    struct transmitter *transmitter = context;
    pthread_mutex_lock(&transmitter->lock);
    while (!transmitter->over) {
        transmitter->running = is_active(transmitter);
        if (transmitter->running) {
            carry_on(transmitter);
        } else {
            pthread_cond_signal(&transmitter->ended);
            wait_anywhere(transmitter);
        }
    }
    pthread_mutex_unlock(&transmitter->lock);
    return NULL;
}

static int start_thread(struct transmitter *transmitter)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&transmitter->thread, NULL, keep_running, transmitter);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    transmitter->has_thread = error == 0;
    return error;
}

static void init_condition(pthread_cond_t *ret)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(ret, &attributes);
    pthread_condattr_destroy(&attributes);
}

int transmitter_open(struct transmitter *ret, const struct wire *wire, struct error *err)
{
    *ret = (struct transmitter){.program_fd = wire->fds[WIRE_PROGRAM]};
    sched_getaffinity(0, sizeof ret->cores, &ret->cores);
    pthread_mutex_init(&ret->lock, NULL);
    init_condition(&ret->changed);
    init_condition(&ret->ended);
    ret->order = wire_map(wire, WIRE_MAP_ORDER, sizeof *ret->order);
    ret->pending = wire_map(wire, WIRE_MAP_PENDING, PENDING_LEN);
    ret->hosts = wire_map(wire, WIRE_MAP_HOSTS, HOSTS_LEN);
    ret->ports = wire_map(wire, WIRE_MAP_PORTS, PORTS_LEN);
    if (ret->order && ret->pending && ret->hosts && ret->ports)
        return 0;
    int error = errno;
    transmitter_close(ret);
    return error_set(err, EX_OSERR, "cannot map what the transmitter is told: %s", strerror(error));
}

static void stop_thread(struct transmitter *transmitter)
{
    pthread_mutex_lock(&transmitter->lock);
    transmitter->over = true;
    pthread_cond_signal(&transmitter->changed);
    pthread_mutex_unlock(&transmitter->lock);
    pthread_join(transmitter->thread, NULL);
}

void transmitter_close(struct transmitter *transmitter)
{
    if (transmitter->order)
        __atomic_store_n(&transmitter->order->active, 0, __ATOMIC_RELEASE);
    if (transmitter->has_thread)
        stop_thread(transmitter);
    wire_unmap(transmitter->order, sizeof *transmitter->order);
    wire_unmap(transmitter->pending, PENDING_LEN);
    wire_unmap(transmitter->hosts, HOSTS_LEN);
    wire_unmap(transmitter->ports, PORTS_LEN);
    *transmitter = (struct transmitter){0};
}

static void copy_block(struct transmitter *transmitter, const struct block *block)
{
    size_t words = bitset_words(block_probe_count(block));
    struct wire_line *line = transmitter->pending;
    for (size_t i = 0; i < words; i += WIRE_LINE_WORDS, line++) {
        size_t count = words - i < WIRE_LINE_WORDS ? words - i : WIRE_LINE_WORDS;
        memcpy(line->words, block->pending + i, count * sizeof *block->pending);
    }
    for (uint32_t i = 0; i < block->spec_count; i++)
        transmitter->ports[i] = block->specs[i].port;
}

static struct wire_order make_order(const struct order *order, const struct template *template)
{
    const struct block *block = order->block;
    struct wire_order made = {
        .early = block->early,
        .rest = block->rest,
        .key = *order->key,
        .end = order->end,
        .limit = order->limit,
        .host_count = block->host_count,
        .interface = template->link->index,
        .try_number = order->try_number,
        .v6 = template->source.family == ADDR_V6,
        .acknowledges = template->acknowledges,
        .ip_proto = IP_PROTO_TCP,
        .ip_sum = template->ip_sum,
        .tcp_sum = template->tcp_sum,
        .len = template->len,
        .next = order->next,
        .walked = order->next,
    };
    memcpy(made.frame, template->frame, template->len);
    memcpy(made.tail, template->frame + template->len - sizeof made.tail, sizeof made.tail);
    return made;
}

void transmitter_begin(struct transmitter *transmitter, const struct order *order,
                       const struct template *template, int64_t now_ns)
{
    int error = transmitter->has_thread ? 0 : start_thread(transmitter);
    if (error) {
        atomic_store(&transmitter->error, error);
        return;
    }
    copy_block(transmitter, order->block);
    *transmitter->order = make_order(order, template);
    pthread_mutex_lock(&transmitter->lock);
    transmitter->start_ns = now_ns;
    transmitter->pace_ns = (double)SEC / order->rate_pps;
    transmitter->running = order->limit > 0;
    __atomic_store_n(&transmitter->order->active, transmitter->running, __ATOMIC_RELEASE);
    pthread_cond_signal(&transmitter->changed);
    pthread_mutex_unlock(&transmitter->lock);
}

bool transmitter_is_busy(const struct transmitter *transmitter)
{
    return is_active(transmitter);
}

uint32_t transmitter_end(struct transmitter *transmitter, struct order *order)
{
    struct wire_order *made = transmitter->order;
    pthread_mutex_lock(&transmitter->lock);
    __atomic_store_n(&made->active, 0, __ATOMIC_RELEASE);
    pthread_cond_signal(&transmitter->changed);
    while (transmitter->running)
        pthread_cond_wait(&transmitter->ended, &transmitter->lock);
    pthread_mutex_unlock(&transmitter->lock);
    order->next = made->next;
    order->limit -= made->sent;
    return made->sent;
}
