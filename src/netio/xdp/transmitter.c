#include "netio/xdp/transmitter.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/bitset.h"
#include "netio/clock.h"
#include "packet/packet.h"

/* The signal that ends a run: its handler does nothing, but the system call returns. */
#define END_SIGNAL SIGUSR2

/* Frames of one run, if nothing ends it before: bounds how long a signal that came too early is missed. */
#define RUN_FRAMES (1u << 23)

#define PENDING_LEN (WIRE_LINES_MAX * sizeof(struct wire_line))
#define HOSTS_LEN   (WIRE_HOSTS_MAX * sizeof(struct wire_host))
#define PORTS_LEN   (WIRE_SPECS_MAX * sizeof(uint16_t))

static void on_signal(int number)
{
    (void)number;
}

static int run_once(const struct transmitter *transmitter)
{
    uint8_t frame[WIRE_FRAME_MAX] = {0};
    struct bpf_test_run_opts options = {
        .sz = sizeof options,
        .data_in = frame,
        .data_size_in = atomic_load(&transmitter->frame_len),
        .repeat = RUN_FRAMES,
        .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
    };
    return bpf_prog_test_run_opts(transmitter->program_fd, &options);
}

static void *keep_running(void *context)
{
    struct transmitter *transmitter = context;
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, END_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &only, NULL);
    pthread_mutex_lock(&transmitter->lock);
    while (!transmitter->over) {
        if (!transmitter->wanted || atomic_load(&transmitter->error)) {
            pthread_cond_wait(&transmitter->wanted_changed, &transmitter->lock);
            continue;
        }
        atomic_store(&transmitter->running, true);
        pthread_mutex_unlock(&transmitter->lock);
        int result = run_once(transmitter);
        atomic_store(&transmitter->running, false);
        pthread_mutex_lock(&transmitter->lock);
        if (result < 0 && result != -EINTR && !transmitter->over)
            atomic_store(&transmitter->error, -result);
    }
    pthread_mutex_unlock(&transmitter->lock);
    return NULL;
}

static int start_thread(struct transmitter *transmitter)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t all, before;
    sigfillset(&all);
    if (sigaction(END_SIGNAL, &action, NULL) < 0)
        return errno;
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&transmitter->thread, NULL, keep_running, transmitter);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    transmitter->has_thread = error == 0;
    return error;
}

int transmitter_open(struct transmitter *ret, const struct wire *wire, struct error *err)
{
    *ret = (struct transmitter){.program_fd = wire->fds[WIRE_PROGRAM_TRANSMIT]};
    pthread_mutex_init(&ret->lock, NULL);
    pthread_cond_init(&ret->wanted_changed, NULL);
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
    const struct timespec pause = {.tv_nsec = MSEC};
    pthread_mutex_lock(&transmitter->lock);
    transmitter->over = true;
    transmitter->wanted = false;
    pthread_cond_signal(&transmitter->wanted_changed);
    pthread_mutex_unlock(&transmitter->lock);
    while (atomic_load(&transmitter->running)) {
        pthread_kill(transmitter->thread, END_SIGNAL);
        nanosleep(&pause, NULL);
    }
    pthread_join(transmitter->thread, NULL);
}

void transmitter_close(struct transmitter *transmitter)
{
    if (transmitter->order)
        transmitter->order->active = 0;
    if (transmitter->has_thread)
        stop_thread(transmitter);
    wire_unmap(transmitter->order, sizeof *transmitter->order);
    wire_unmap(transmitter->pending, PENDING_LEN);
    wire_unmap(transmitter->hosts, HOSTS_LEN);
    wire_unmap(transmitter->ports, PORTS_LEN);
    *transmitter = (struct transmitter){0};
}

void transmitter_rest(struct transmitter *transmitter)
{
    pthread_mutex_lock(&transmitter->lock);
    transmitter->wanted = false;
    pthread_mutex_unlock(&transmitter->lock);
    if (atomic_load(&transmitter->running))
        pthread_kill(transmitter->thread, END_SIGNAL);
}

/* End the run that is under way, and wait until it has. */
static void end_run(struct transmitter *transmitter)
{
    const struct timespec pause = {.tv_nsec = MSEC};
    while (atomic_load(&transmitter->running)) {
        transmitter_rest(transmitter);
        nanosleep(&pause, NULL);
    }
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

static uint64_t pace_of(const struct order *order)
{
    double pace = (double)SEC / order->rate_pps * (double)(1 << WIRE_PACE_SHIFT);
    return pace < 1 ? 0 : (uint64_t)pace;
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
        .pace = pace_of(order),
        .next = order->next,
        .walked = order->next,
    };
    memcpy(made.frame, template->frame, template->len);
    memcpy(&made.tail, template->frame + template->len - sizeof made.tail, sizeof made.tail);
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
    if (template->len != atomic_load(&transmitter->frame_len))
        end_run(transmitter); /* its frames have another length */
    struct wire_order made = make_order(order, template);
    made.start_ns = made.now_ns = (uint64_t)now_ns;
    copy_block(transmitter, order->block);
    atomic_store(&transmitter->frame_len, template->len);
    *transmitter->order = made;
    __atomic_store_n(&transmitter->order->active, 1, __ATOMIC_RELEASE);
    pthread_mutex_lock(&transmitter->lock);
    transmitter->wanted = true;
    pthread_cond_signal(&transmitter->wanted_changed);
    pthread_mutex_unlock(&transmitter->lock);
}

bool transmitter_is_busy(const struct transmitter *transmitter, uint32_t *ret_sent)
{
    *ret_sent = __atomic_load_n(&transmitter->order->sent, __ATOMIC_RELAXED);
    return __atomic_load_n(&transmitter->order->active, __ATOMIC_ACQUIRE) &&
           !atomic_load(&transmitter->error);
}

uint32_t transmitter_end(struct transmitter *transmitter, struct order *order)
{
    struct wire_order *made = transmitter->order;
    __atomic_store_n(&made->active, 0, __ATOMIC_RELEASE);
    uint32_t sent = made->sent;
    order->next = made->next;
    order->limit -= sent;
    return sent;
}
