/* relay NAMESPACE_A DEVICE_A NAMESPACE_B DEVICE_B DELAY_US [JITTER_US [LOSS_PERCENT [QUEUE]]]
 *
 * A delay line between two TAP devices, each in its own network namespace (given by path): the practice
 * network's slow paths, for kernels without netem. Every frame that comes out of one device goes into the
 * other DELAY_US later, give or take JITTER_US; with jitter frames overtake each other, without they never
 * do. LOSS_PERCENT of them are lost; QUEUE is how many can be on their way at once, in both directions
 * together. Prints "ready" when both devices are open. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/rand.h"
#include "base/time.h"

#define FRAME_MAX      2048
#define READS_A_TURN   64 /* from one device, before the other gets its turn */
#define QUEUE_STANDARD 65536

struct frame {
    int64_t due_ns;
    uint64_t number; /* in order of arrival: decides between frames due at the same time */
    size_t len;
    int out; /* which end it goes to */
    unsigned char bytes[FRAME_MAX];
};

struct relay {
    int fd[2];
    int64_t delay_ns;
    int64_t jitter_ns;
    uint64_t loss_percent;
    struct rand rand;
    uint64_t arrived;

    struct frame **heap; /* on their way, the one due first at [0] */
    size_t heap_len;
    struct frame **unused; /* a stack */
    size_t unused_len;
};

static void __attribute__((format(printf, 1, 2), noreturn)) die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("relay: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(EX_OSERR);
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SEC + now.tv_nsec;
}

static int open_tap(const char *namespace, const char *device)
{
    int ns = open(namespace, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
        die("cannot enter %s: %s", namespace, strerror(errno));
    close(ns);

    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
        die("cannot open the TAP device %s: %s", device, strerror(errno));
    return fd;
}

static bool is_before(const struct frame *a, const struct frame *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->number < b->number;
}

static void heap_push(struct relay *relay, struct frame *frame)
{
    size_t at = relay->heap_len++;
    for (; at > 0 && is_before(frame, relay->heap[(at - 1) / 2]); at = (at - 1) / 2)
        relay->heap[at] = relay->heap[(at - 1) / 2];
    relay->heap[at] = frame;
}

static struct frame *heap_pop(struct relay *relay)
{
    struct frame *first = relay->heap[0];
    struct frame *last = relay->heap[--relay->heap_len];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < relay->heap_len && is_before(relay->heap[child + 1], relay->heap[child]))
            child++;
        if (child >= relay->heap_len || !is_before(relay->heap[child], last))
            break;
        relay->heap[at] = relay->heap[child];
        at = child;
    }
    relay->heap[at] = last;
    return first;
}

static int64_t draw_jitter(struct relay *relay)
{
    if (relay->jitter_ns == 0)
        return 0;
    return (int64_t)rand_below(&relay->rand, (uint64_t)(2 * relay->jitter_ns)) - relay->jitter_ns;
}

/* Take in what an end has, as long as there is room. */
static void take_in(struct relay *relay, int end)
{
    for (int i = 0; i < READS_A_TURN && relay->unused_len > 0; i++) {
        struct frame *frame = relay->unused[relay->unused_len - 1];
        ssize_t len = read(relay->fd[end], frame->bytes, sizeof frame->bytes);
        if (len <= 0)
            return;
        if (rand_below(&relay->rand, 100) < relay->loss_percent)
            continue;
        frame->len = (size_t)len;
        frame->out = !end;
        frame->number = relay->arrived++;
        frame->due_ns = now_ns() + relay->delay_ns + draw_jitter(relay);
        relay->unused_len--;
        heap_push(relay, frame);
    }
}

/* Hand over what is due. A device that is down, or has no room, loses the frame, as a wire would. */
static void hand_over(struct relay *relay)
{
    while (relay->heap_len > 0 && relay->heap[0]->due_ns <= now_ns()) {
        struct frame *frame = heap_pop(relay);
        ssize_t written = write(relay->fd[frame->out], frame->bytes, frame->len);
        (void)written;
        relay->unused[relay->unused_len++] = frame;
    }
}

static void wait_for_work(const struct relay *relay)
{
    struct pollfd ends[2] = {{.fd = relay->fd[0], .events = POLLIN}, {.fd = relay->fd[1], .events = POLLIN}};
    nfds_t count = relay->unused_len > 0 ? 2 : 0;
    if (relay->heap_len == 0) {
        ppoll(ends, count, NULL, NULL);
        return;
    }
    int64_t left_ns = relay->heap[0]->due_ns - now_ns();
    if (left_ns <= 0)
        return;
    struct timespec left = {.tv_sec = left_ns / SEC, .tv_nsec = left_ns % SEC};
    ppoll(ends, count, &left, NULL);
}

static void make_room(struct relay *relay, size_t queue)
{
    struct frame *frames = calloc(queue, sizeof *frames);
    relay->heap = calloc(queue, sizeof *relay->heap);
    relay->unused = calloc(queue, sizeof *relay->unused);
    if (!frames || !relay->heap || !relay->unused)
        die("no memory for %zu frames", queue);
    for (size_t i = 0; i < queue; i++)
        relay->unused[relay->unused_len++] = &frames[i];
}

static uint64_t number_argument(int argc, char **argv, int index, uint64_t otherwise)
{
    return index < argc ? strtoull(argv[index], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fputs("usage: relay NAMESPACE_A DEVICE_A NAMESPACE_B DEVICE_B DELAY_US [JITTER_US [LOSS_PERCENT "
              "[QUEUE]]]\n",
              stderr);
        return EX_USAGE;
    }
    struct relay relay = {
        .delay_ns = (int64_t)number_argument(argc, argv, 5, 0) * USEC,
        .jitter_ns = (int64_t)number_argument(argc, argv, 6, 0) * USEC,
        .loss_percent = number_argument(argc, argv, 7, 0),
        .rand = {.state = 1},
    };
    make_room(&relay, number_argument(argc, argv, 8, QUEUE_STANDARD));
    relay.fd[0] = open_tap(argv[1], argv[2]);
    relay.fd[1] = open_tap(argv[3], argv[4]);
    puts("ready");
    fflush(stdout);

    for (;;) {
        wait_for_work(&relay);
        for (int end = 0; end < 2; end++)
            take_in(&relay, end);
        hand_over(&relay);
    }
}
