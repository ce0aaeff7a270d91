/* The name process as a whole, in a network and file namespace of its own with a DNS server that
 * misbehaves. */
#include "resolve/resolver.h"

#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "resolve/clock.h"
#include "resolve/dns_test_server.h"

#define SKIPPED       77 /* what Meson takes as "skipped" */
#define TEST_PORT     5300
#define TEST_SERVER   "127.0.0.1:5300"
#define NO_SERVER     "127.0.0.1:5301" /* nothing listens there */
#define ANSWER_MAX_NS (6 * SEC)

static struct resolver *start(const char *servers)
{
    struct resolver_config config = {.dns_servers = servers};
    struct resolver *resolver = NULL;
    struct error error = {.status = 0};
    if (resolver_start(&config, &resolver, &error))
        fail_msg("%s", error.text);
    return resolver;
}

/* An address whose reverse question the test server answers in this manner. */
static struct addr asked_about(enum dns_manner manner, unsigned host)
{
    return addr_v4(0xc6120000 | host << 8 | (unsigned)manner);
}

/* Wait for the next answer; fails when none comes. */
static void wait_answer(struct resolver *resolver, struct addr *ret_addr,
                        char name[static RESOLVER_NAME_MAX + 1])
{
    int64_t end_ns = clock_now_ns() + ANSWER_MAX_NS;
    while (!resolver_read(resolver, ret_addr, name)) {
        struct pollfd fd = {.fd = resolver_fd(resolver), .events = POLLIN};
        assert_true(fd.fd >= 0 && clock_now_ns() < end_ns);
        poll(&fd, 1, 1000);
    }
}

static void assert_name(struct resolver *resolver, enum dns_manner manner, const char *wanted)
{
    struct addr asked = asked_about(manner, 1), answered;
    char name[RESOLVER_NAME_MAX + 1];
    assert_true(resolver_ask_ptr(resolver, &asked));
    assert_int_equal(resolver_pending(resolver), 1);
    wait_answer(resolver, &answered, name);
    assert_true(addr_equal(&asked, &answered));
    assert_string_equal(name, wanted);
    assert_int_equal(resolver_pending(resolver), 0);
}

static void names_come_from_answers_aliases_and_tcp(void **state)
{
    (void)state;
    struct resolver *resolver = start(TEST_SERVER);
    assert_name(resolver, DNS_NORMAL, "host.example");
    assert_name(resolver, DNS_CNAME, "alias.example");
    assert_name(resolver, DNS_OVER_TCP, "tcp.example");
    assert_name(resolver, DNS_NO_NAME, "");
    assert_null(resolver_trouble(resolver));
    assert_name(resolver, DNS_REFUSED, "");
    assert_string_equal(resolver_trouble(resolver), "the DNS servers failed for 1 of 5 addresses");
    resolver_stop(resolver);
}

static void hostile_answers_give_no_name_and_harm_nobody(void **state)
{
    (void)state;
    struct resolver *resolver = start(TEST_SERVER);
    const enum dns_manner hostile[] = {DNS_LOOP,     DNS_TOO_LONG,   DNS_CNAME_LOOP,
                                       DNS_WRONG_ID, DNS_WRONG_NAME, DNS_ZERO_BYTE,
                                       DNS_CUT,      DNS_MANY,       DNS_GARBAGE};
    const size_t count = sizeof hostile / sizeof *hostile;
    for (size_t i = 0; i < count; i++) {
        struct addr asked = asked_about(hostile[i], 1);
        assert_true(resolver_ask_ptr(resolver, &asked));
    }
    for (size_t i = 0; i < count; i++) {
        struct addr answered;
        char name[RESOLVER_NAME_MAX + 1];
        wait_answer(resolver, &answered, name);
        assert_string_equal(name, "");
    }
    assert_name(resolver, DNS_STRANGE_BYTES, DNS_STRANGE_NAME);
    assert_name(resolver, DNS_NORMAL, "host.example");
    resolver_stop(resolver);
}

static void a_silent_server_costs_four_seconds_and_is_reported(void **state)
{
    (void)state;
    struct resolver *resolver = start(TEST_SERVER);
    int64_t start_ns = clock_now_ns();
    assert_name(resolver, DNS_SILENT, "");
    int64_t took_ns = clock_now_ns() - start_ns;
    assert_in_range(took_ns, 1 * SEC, 4500 * MSEC);
    assert_string_equal(resolver_trouble(resolver), "the DNS servers failed for 1 of 1 addresses");
    resolver_stop(resolver);
}

static void a_server_that_is_not_there_costs_nothing(void **state)
{
    (void)state;
    struct resolver *resolver = start(NO_SERVER);
    int64_t start_ns = clock_now_ns();
    assert_name(resolver, DNS_NORMAL, "");
    assert_true(clock_now_ns() - start_ns < 500 * MSEC);
    assert_non_null(resolver_trouble(resolver));
    resolver_stop(resolver);
}

static void the_next_server_is_asked_when_the_first_is_silent(void **state)
{
    (void)state;
    struct resolver *resolver = start("127.0.0.1:5301,198.18.0.53,127.0.0.1:5300");
    assert_name(resolver, DNS_NORMAL, "host.example");
    resolver_stop(resolver);
}

/* More at once than fit; silent ones among them. */
static void hundreds_are_in_flight_and_each_is_answered_once(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    struct resolver *resolver = start(TEST_SERVER);
    static const enum dns_manner manners[] = {DNS_NORMAL, DNS_NO_NAME, DNS_NORMAL, DNS_SILENT};
    unsigned asked = 0, answered = 0, full = 0, named = 0;
    bool seen[COUNT] = {false};
    while (answered < COUNT) {
        while (asked < COUNT) {
            /* One silent one in every 100. */
            enum dns_manner manner = asked % 100 == 99 ? DNS_SILENT : manners[asked % 3];
            struct addr addr = asked_about(manner, 0);
            addr = addr_v4(addr_to_v4(&addr) + (asked % 250 << 8) + (asked / 250 << 16));
            if (!resolver_ask_ptr(resolver, &addr))
                break;
            asked++;
        }
        full += asked < COUNT;
        struct addr addr;
        char name[RESOLVER_NAME_MAX + 1];
        wait_answer(resolver, &addr, name);
        unsigned index =
            (addr_to_v4(&addr) >> 8 & 0xff) + (addr_to_v4(&addr) >> 16 & 0xff) * 250 - 0x12 * 250;
        assert_true(index < COUNT && !seen[index]);
        seen[index] = true;
        assert_string_equal(name, (addr_to_v4(&addr) & 0xff) == DNS_NORMAL ? "host.example" : "");
        named += name[0] != '\0';
        answered++;
    }
    assert_true(full > 0);
    assert_true(named > COUNT / 2);
    assert_int_equal(resolver_pending(resolver), 0);
    resolver_stop(resolver);
}

static void servers_that_went_silent_do_not_hold_up_a_large_scan(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    struct resolver *resolver = start(TEST_SERVER);
    int64_t start_ns = clock_now_ns();
    for (unsigned asked = 0, answered = 0; answered < COUNT; answered++) {
        struct addr addr = asked_about(DNS_SILENT, asked % 250);
        while (asked < COUNT && resolver_ask_ptr(resolver, &addr))
            asked++;
        char name[RESOLVER_NAME_MAX + 1];
        wait_answer(resolver, &addr, name);
        assert_string_equal(name, "");
    }
    assert_true(clock_now_ns() - start_ns < 10 * SEC);
    resolver_stop(resolver);
}

static void forward(struct resolver *resolver, const char *name, enum addr_family family, const char *wanted)
{
    struct resolver_addrs addrs = {.count = 0};
    struct error error = {.status = 0};
    int status = resolver_forward(resolver, name, family, &addrs, &error);
    char text[1024] = "";
    for (size_t i = 0; i < addrs.count; i++) {
        char one[ADDR_TEXT_MAX];
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "",
                 addr_format(&addrs.list[i], one));
    }
    if (status) {
        assert_int_equal(error.status, EX_DATAERR);
        snprintf(text, sizeof text, "%s", error.text);
    }
    assert_string_equal(text, wanted);
}

static void names_are_looked_up_at_the_servers_that_the_user_names(void **state)
{
    (void)state;
    struct resolver *resolver = start(TEST_SERVER);
    forward(resolver, "good.example", ADDR_V4, "198.18.0.7 198.18.0.8");
    forward(resolver, "good.example", ADDR_V6, "2001:db8::7");
    forward(resolver, "byfile.example", ADDR_V4, "198.18.0.99");
    forward(resolver, "nobody.invalid", ADDR_V4, "cannot resolve 'nobody.invalid': Domain name not found");
    struct resolver_addrs addrs;
    assert_int_equal(resolver_forward(resolver, "loop.example", ADDR_V4, &addrs, NULL), -EX_DATAERR);
    assert_int_equal(resolver_forward(resolver, "good.example", ADDR_NONE, &addrs, NULL), 0);
    assert_int_equal(addrs.count, 3);
    resolver_stop(resolver);
}

static void without_servers_the_system_is_asked(void **state)
{
    (void)state;
    struct resolver *resolver = start(NULL);
    forward(resolver, "localhost", ADDR_V4, "127.0.0.1");
    forward(resolver, "byfile.example", ADDR_V4, "198.18.0.99");
    forward(resolver, "good.example", ADDR_V6, "2001:db8::7");
    forward(resolver, "four.example", ADDR_V6, "cannot resolve 'four.example': it has only IPv4 addresses");
    forward(resolver, "nobody.invalid", ADDR_V4,
            "cannot resolve 'nobody.invalid': Name or service not known");
    forward(resolver, "192.168.1", ADDR_V4,
            "cannot resolve '192.168.1': it is neither an address nor a name");
    assert_name(resolver, DNS_NORMAL, "host.example");

    struct addr addr = addr_v4(0xc6120063);
    char name[RESOLVER_NAME_MAX + 1];
    assert_true(resolver_ask_ptr(resolver, &addr));
    wait_answer(resolver, &addr, name);
    assert_string_equal(name, "byfile.example");
    resolver_stop(resolver);
}

static void a_very_long_name_is_refused_in_one_line(void **state)
{
    (void)state;
    struct resolver *resolver = start(TEST_SERVER);
    char name[2000];
    memset(name, 'a', sizeof name);
    name[sizeof name - 1] = '\0';
    struct resolver_addrs addrs;
    struct error error;
    assert_int_equal(resolver_forward(resolver, name, ADDR_V4, &addrs, &error), -EX_DATAERR);
    assert_non_null(strstr(error.text, "at most 253"));
    resolver_stop(resolver);
}

/* The process is found as the only child that has its name. */
static int child_pid(void)
{
    char path[64], line[256] = "", children[256] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(children, sizeof children, file));
    fclose(file);
    for (char *end, *at = children; *at; at = end) {
        long pid = strtol(at, &end, 10);
        if (end == at)
            break;
        snprintf(path, sizeof path, "/proc/%ld/comm", pid);
        file = fopen(path, "re");
        bool found = file && fgets(line, sizeof line, file) && !strcmp(line, "portolan-names\n");
        if (file)
            fclose(file);
        if (found)
            return (int)pid;
    }
    fail_msg("no process called portolan-names");
    return 0;
}

static void the_scan_goes_on_when_the_process_dies(void **state)
{
    (void)state;
    struct resolver *resolver = start(TEST_SERVER);
    struct addr addr = asked_about(DNS_SILENT, 1);
    assert_true(resolver_ask_ptr(resolver, &addr));
    kill(child_pid(), SIGKILL);
    char name[RESOLVER_NAME_MAX + 1];
    struct pollfd fd = {.fd = resolver_fd(resolver), .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 5000), 1);
    assert_false(resolver_read(resolver, &addr, name));
    assert_int_equal(resolver_fd(resolver), -1);
    assert_int_equal(resolver_pending(resolver), 0);
    assert_false(resolver_ask_ptr(resolver, &addr));
    assert_string_equal(resolver_trouble(resolver),
                        "the process that resolves names has ended; names are missing");
    struct resolver_addrs addrs;
    assert_int_equal(resolver_forward(resolver, "good.example", ADDR_V4, &addrs, NULL), -EX_OSERR);
    resolver_stop(resolver);
}

/* Its descriptors are the standard ones, the socket to us, and those of the library. */
static void the_process_keeps_no_descriptor_of_ours(void **state)
{
    (void)state;
    int extra = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
    assert_true(dup2(extra, 200) == 200);
    struct resolver *resolver = start(TEST_SERVER);
    char path[64];
    int pid = child_pid();
    for (int fd = 4; fd <= 200; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
        assert_int_equal(access(path, F_OK), -1);
    }
    close(extra);
    close(200);
    resolver_stop(resolver);
}

static int refuse(void *context, struct error *err)
{
    (void)context;
    return error_set(err, EX_NOPERM, "no");
}

static int confine(void *context, struct error *err)
{
    (void)context;
    (void)err;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void confinement_comes_first_and_its_failure_is_ours(void **state)
{
    (void)state;
    struct resolver_config config = {.dns_servers = TEST_SERVER, .confine = refuse};
    struct resolver *resolver = NULL;
    struct error error;
    assert_int_equal(resolver_start(&config, &resolver, &error), -EX_NOPERM);
    assert_string_equal(error.text, "no");
    assert_null(resolver);

    config.confine = confine;
    assert_int_equal(resolver_start(&config, &resolver, &error), 0);
    char path[64], text[4096] = "";
    snprintf(path, sizeof path, "/proc/%d/status", child_pid());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    close(fd);
    assert_non_null(strstr(text, "NoNewPrivs:\t1"));
    assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
    resolver_stop(resolver);
}

static void a_wrong_list_of_servers_starts_nothing(void **state)
{
    (void)state;
    struct resolver_config config = {.dns_servers = "dns.example"};
    struct resolver *resolver = NULL;
    struct error error;
    assert_int_equal(resolver_start(&config, &resolver, &error), -EX_USAGE);
    assert_non_null(strstr(error.text, "dns.example"));
    assert_null(resolver);
}

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return written;
}

/* An ordinary user is root in a namespace of users first. */
static bool become_root(void)
{
    char uid_map[64], gid_map[64];
    snprintf(uid_map, sizeof uid_map, "0 %u 1", geteuid());
    snprintf(gid_map, sizeof gid_map, "0 %u 1", getegid());
    return geteuid() == 0 ||
           (!unshare(CLONE_NEWUSER) && write_file("/proc/self/uid_map", uid_map) &&
            write_file("/proc/self/setgroups", "deny") && write_file("/proc/self/gid_map", gid_map));
}

/* A network without a way out, and an /etc of our own in which the system's DNS server is the test server. */
static bool enter_namespace(void)
{
    if (!become_root() || unshare(CLONE_NEWNET | CLONE_NEWNS))
        return false;
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &lo);
    if (fd >= 0)
        close(fd);
    return up && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
           !mount("etc", "/etc", "tmpfs", 0, NULL) &&
           write_file("/etc/resolv.conf", "nameserver 127.0.0.1\n") &&
           write_file("/etc/hosts", "127.0.0.1 localhost\n198.18.0.99 byfile.example\n") &&
           write_file("/etc/nsswitch.conf", "hosts: files dns\n");
}

int main(void)
{
    if (!enter_namespace()) {
        perror("cannot make a namespace for the test");
        return SKIPPED;
    }
    const int servers[] = {dns_test_server_start(53), dns_test_server_start(TEST_PORT)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_come_from_answers_aliases_and_tcp),
        cmocka_unit_test(hostile_answers_give_no_name_and_harm_nobody),
        cmocka_unit_test(a_silent_server_costs_four_seconds_and_is_reported),
        cmocka_unit_test(a_server_that_is_not_there_costs_nothing),
        cmocka_unit_test(the_next_server_is_asked_when_the_first_is_silent),
        cmocka_unit_test(hundreds_are_in_flight_and_each_is_answered_once),
        cmocka_unit_test(servers_that_went_silent_do_not_hold_up_a_large_scan),
        cmocka_unit_test(names_are_looked_up_at_the_servers_that_the_user_names),
        cmocka_unit_test(without_servers_the_system_is_asked),
        cmocka_unit_test(a_very_long_name_is_refused_in_one_line),
        cmocka_unit_test(the_scan_goes_on_when_the_process_dies),
        cmocka_unit_test(the_process_keeps_no_descriptor_of_ours),
        cmocka_unit_test(confinement_comes_first_and_its_failure_is_ours),
        cmocka_unit_test(a_wrong_list_of_servers_starts_nothing),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        kill(servers[i], SIGKILL);
        waitpid(servers[i], NULL, 0);
    }
    return failed;
}
