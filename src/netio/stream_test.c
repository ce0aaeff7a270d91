/* What every backend with streams promises (stream.h), for the kernel's TCP and for the simulator: one set of
 * tests. The server speaks a little FTP: it greets, answers USER, hangs up after QUIT; the one on the other
 * port resets at USER. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netio/connect/socket.h"
#include "netio/netio.h"
#include "netio/sim/relay.h"

#define PATIENCE_NS (10 * SEC)
#define HEARD_MAX   4096

/* What was told of one stream. */
struct heard {
    unsigned opened, ended;
    uint8_t end; /* enum stream_change */
    int error;
    char bytes[HEARD_MAX];
    size_t len;
};

struct state {
    bool simulated;
    struct netio *io;
    struct addr addr;
    uint16_t good_port, resetting_port, closed_port;
    struct heard heard[STREAMS_MAX];
    struct sim_relay relays[2];
    struct sim_config config;
    pid_t server; /* 0: none */
};

static void on_stream(void *context, const struct stream_event *event)
{
    struct state *state = context;
    assert_in_range(event->stream, 0, STREAMS_MAX - 1);
    struct heard *heard = &state->heard[event->stream];
    assert_int_equal(heard->ended, 0);
    switch ((enum stream_change)event->change) {
    case STREAM_OPENED:
        heard->opened++;
        break;
    case STREAM_BYTES:
        assert_int_equal(heard->opened, 1);
        assert_in_range(event->len, 1, STREAM_CHUNK_MAX);
        assert_true(heard->len + event->len < HEARD_MAX);
        memcpy(heard->bytes + heard->len, event->bytes, event->len);
        heard->len += event->len;
        break;
    case STREAM_CLOSED:
    case STREAM_FAILED:
        heard->ended++;
        heard->end = event->change;
        heard->error = event->error;
        break;
    }
}

static const struct netio_events events = {.stream = on_stream};

/* ---- a server of real sockets ---- */

static int listen_somewhere(uint16_t *ret_port)
{
    union connect_sockaddr address;
    const struct addr loopback = addr_v4(0x7f000001);
    socklen_t len = connect_sockaddr(&loopback, 0, &address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, &address.any, len) == 0 && listen(fd, 8) == 0);
    assert_int_equal(getsockname(fd, &address.any, &len), 0);
    uint8_t port[2];
    memcpy(port, &address.v4.sin_port, sizeof port);
    *ret_port = get_be16(port);
    return fd;
}

static void put(int fd, const char *text)
{
    ssize_t sent = send(fd, text, strlen(text), MSG_NOSIGNAL);
    (void)sent;
}

static void serve_one(int fd, bool resets)
{
    char command[256];
    put(fd, "220 Service ready.\r\n");
    for (;;) {
        ssize_t len = recv(fd, command, sizeof command, 0);
        if (len <= 0)
            break;
        if (resets) {
            connect_socket_reset(fd);
            return;
        }
        if (strncmp(command, "QUIT", 4) == 0) {
            put(fd, "221 Goodbye.\r\n");
            break;
        }
        put(fd, "331 Please specify the password.\r\n");
    }
    close(fd);
}

static void serve(int good, int resetting)
{
    signal(SIGCHLD, SIG_IGN);
    if (fork() == 0) {
        for (;;)
            serve_one(accept(resetting, NULL, NULL), true);
    }
    for (;;) {
        int fd = accept(good, NULL, NULL);
        if (fork() == 0) {
            serve_one(fd, false);
            _exit(0);
        }
        close(fd);
    }
}

static void start_server(struct state *state)
{
    int good = listen_somewhere(&state->good_port);
    int resetting = listen_somewhere(&state->resetting_port);
    close(listen_somewhere(&state->closed_port));
    state->server = fork();
    assert_true(state->server >= 0);
    if (state->server == 0) {
        setpgid(0, 0);
        serve(good, resetting);
    }
    setpgid(state->server, state->server);
    close(good);
    close(resetting);
}

/* ---- the tests ---- */

static void open_simulated(struct state *state)
{
    state->addr = addr_v4(0xcb007105);
    state->good_port = 21;
    state->resetting_port = 22;
    state->closed_port = 23;
    for (unsigned i = 0; i < 2; i++)
        state->relays[i] =
            (struct sim_relay){.addr = state->addr, .rtt_ns = 5 * MSEC, .port = (uint16_t)(21 + i)};
    state->relays[1].fault = SIM_FAULT_RESET;
    state->relays[1].fault_at = "USER";
    state->config = (struct sim_config){.seed = 1, .relays = state->relays, .relay_count = 2};
    state->io = sim_new(&state->config);
}

static int set_up(struct state *state)
{
    struct error err;
    if (state->simulated) {
        open_simulated(state);
    } else {
        state->addr = addr_v4(0x7f000001);
        start_server(state);
        assert_int_equal(stream_open(&(struct stream_options){.ttl = 0}, &state->io, &err), 0);
    }
    assert_non_null(state->io);
    state->io->events = &events;
    state->io->context = state;
    return 0;
}

static int set_up_simulated(void **test_state)
{
    struct state *state = calloc(1, sizeof *state);
    assert_non_null(state);
    state->simulated = true;
    *test_state = state;
    return set_up(state);
}

static int set_up_live(void **test_state)
{
    struct state *state = calloc(1, sizeof *state);
    assert_non_null(state);
    *test_state = state;
    return set_up(state);
}

static int tear_down(void **test_state)
{
    struct state *state = *test_state;
    state->io->ops->close(state->io);
    if (state->server > 0) {
        kill(-state->server, SIGKILL);
        waitpid(state->server, NULL, 0);
    }
    free(state);
    return 0;
}

static void connect_to(struct state *state, uint32_t stream, uint16_t port)
{
    state->heard[stream] = (struct heard){.len = 0};
    assert_int_equal(state->io->ops->streams->open(state->io, stream, &state->addr, port), 0);
}

static void say(struct state *state, uint32_t stream, const char *text)
{
    assert_int_equal(state->io->ops->streams->send(state->io, stream, text, strlen(text)), 0);
}

/* Work until the stream has brought this text, or, for NULL, has ended. */
static void await(struct state *state, uint32_t stream, const char *text)
{
    struct heard *heard = &state->heard[stream];
    struct netio *io = state->io;
    int64_t until_ns = io->ops->now(io) + PATIENCE_NS;
    while (text ? !strstr(heard->bytes, text) : !heard->ended) {
        assert_true(io->ops->now(io) < until_ns);
        io->ops->work(io, NULL, until_ns);
    }
}

static void listen_for(struct state *state, int64_t time_ns)
{
    struct netio *io = state->io;
    for (int64_t until_ns = io->ops->now(io) + time_ns; io->ops->now(io) < until_ns;)
        io->ops->work(io, NULL, until_ns);
}

static void a_talk_goes_to_and_fro_until_the_server_hangs_up(void **test_state)
{
    struct state *state = *test_state;
    connect_to(state, 0, state->good_port);
    await(state, 0, "220 ");
    assert_int_equal(state->heard[0].opened, 1);
    say(state, 0, "USER anonymous\r\n");
    await(state, 0, "331 ");
    say(state, 0, "QUIT\r\n");
    await(state, 0, NULL);
    assert_non_null(strstr(state->heard[0].bytes, "221 "));
    assert_int_equal(state->heard[0].end, STREAM_CLOSED);
    assert_true(state->io->stats.bytes_sent >= strlen("USER anonymous\r\nQUIT\r\n"));
    assert_int_equal(state->io->stats.bytes_received, state->heard[0].len);
}

static void streams_do_not_mix(void **test_state)
{
    struct state *state = *test_state;
    for (uint32_t i = 0; i < 8; i++)
        connect_to(state, i, state->good_port);
    for (uint32_t i = 0; i < 8; i++)
        await(state, i, "220 ");
    for (uint32_t i = 0; i < 8; i += 2)
        say(state, i, "USER anonymous\r\n");
    for (uint32_t i = 0; i < 8; i += 2)
        await(state, i, "331 ");
    listen_for(state, 30 * MSEC);
    for (uint32_t i = 1; i < 8; i += 2)
        assert_null(strstr(state->heard[i].bytes, "331 "));
}

static void a_closed_port_refuses(void **test_state)
{
    struct state *state = *test_state;
    connect_to(state, 3, state->closed_port);
    await(state, 3, NULL);
    assert_int_equal(state->heard[3].end, STREAM_FAILED);
    assert_int_equal(state->heard[3].error, ECONNREFUSED);
    assert_int_equal(state->heard[3].opened, 0);
}

static void a_reset_is_told(void **test_state)
{
    struct state *state = *test_state;
    connect_to(state, 1, state->resetting_port);
    await(state, 1, "220 ");
    say(state, 1, "USER anonymous\r\n");
    await(state, 1, NULL);
    assert_int_equal(state->heard[1].end, STREAM_FAILED);
    assert_int_equal(state->heard[1].error, ECONNRESET);
}

/* It was taken for an end in order, and so for a sign that somebody has the connection. */
static void a_reset_that_sending_runs_into_is_told_as_one(void **test_state)
{
    struct state *state = *test_state;
    uint16_t port;
    int listener = listen_somewhere(&port);
    connect_to(state, 2, port);
    int64_t until_ns = state->io->ops->now(state->io) + PATIENCE_NS;
    while (!state->heard[2].opened) {
        assert_true(state->io->ops->now(state->io) < until_ns);
        state->io->ops->work(state->io, NULL, until_ns);
    }
    connect_socket_reset(accept(listener, NULL, NULL));
    close(listener);
    say(state, 2, "USER anonymous\r\n");
    await(state, 2, NULL);
    assert_int_equal(state->heard[2].end, STREAM_FAILED);
    assert_int_equal(state->heard[2].error, ECONNRESET);
}

static void of_a_closed_stream_nothing_is_told_and_its_number_is_free(void **test_state)
{
    struct state *state = *test_state;
    connect_to(state, 0, state->good_port);
    await(state, 0, "220 ");
    say(state, 0, "USER anonymous\r\n");
    state->io->ops->streams->close(state->io, 0);
    state->io->ops->streams->close(state->io, 0);
    connect_to(state, 0, state->good_port);
    await(state, 0, "220 ");
    listen_for(state, 30 * MSEC);
    assert_int_equal(state->heard[0].opened, 1);
    assert_null(strstr(state->heard[0].bytes, "331 "));
}

static void after_an_end_the_number_is_free(void **test_state)
{
    struct state *state = *test_state;
    for (unsigned i = 0; i < 3; i++) {
        connect_to(state, 5, state->good_port);
        await(state, 5, "220 ");
        say(state, 5, "QUIT\r\n");
        await(state, 5, NULL);
    }
}

static void more_than_the_peer_takes_is_refused(void **test_state)
{
    struct state *state = *test_state;
    char much[STREAM_OUT_MAX + 1];
    memset(much, 'x', sizeof much);
    connect_to(state, 0, state->good_port);
    await(state, 0, "220 ");
    assert_int_equal(state->io->ops->streams->send(state->io, 0, much, sizeof much), ENOBUFS);
    say(state, 0, "USER anonymous\r\n");
    await(state, 0, "331 ");
}

static void only_streams_can_be_asked_of_the_live_backend(void **test_state)
{
    struct state *state = *test_state;
    const struct netio_ops *ops = state->io->ops;
    assert_true(ops->can(state->io, REQUEST_STREAM));
    assert_false(ops->can(state->io, REQUEST_CONNECT));
    assert_false(ops->can(state->io, REQUEST_PACKET));
    assert_int_equal(ops->reach(state->io, &state->addr), REACH_LOCAL);
    assert_true(addr_equal(&(struct addr[]){ops->source(state->io, &state->addr)}[0], &state->addr));
}

#define PROMISE(function)                                                                                    \
    cmocka_unit_test_setup_teardown(function, set_up_live, tear_down),                                       \
        cmocka_unit_test_setup_teardown(function, set_up_simulated, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROMISE(a_talk_goes_to_and_fro_until_the_server_hangs_up),
        PROMISE(streams_do_not_mix),
        PROMISE(a_closed_port_refuses),
        PROMISE(a_reset_is_told),
        PROMISE(of_a_closed_stream_nothing_is_told_and_its_number_is_free),
        PROMISE(after_an_end_the_number_is_free),
        PROMISE(more_than_the_peer_takes_is_refused),
        cmocka_unit_test_setup_teardown(a_reset_that_sending_runs_into_is_told_as_one, set_up_live,
                                        tear_down),
        cmocka_unit_test_setup_teardown(only_streams_can_be_asked_of_the_live_backend, set_up_live,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("stream contract", tests, NULL, NULL);
}
