/* hostile NAMES DIRECTORY: renders every report with hostile text in all places where foreign text can stand,
 * for consumers_test.py to read back. NAMES holds one name a line, in hex. Name i is the user's name of host
 * i, name i + 1 its name from DNS, and name i the service of TCP port i of one more host; the first ones are
 * the command line and the reason why the run ended. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/own.h"
#include "base/time.h"
#include "render.h"

#define NAMES_MAX 4096
#define NETWORK   0xc6120000u         /* 198.18.0.0 */
#define SERVER    addr_v4(0xcb007101) /* 203.0.113.1 */
#define START_NS  (INT64_C(1767323045) * SEC)

struct names {
    char *texts[NAMES_MAX]; /* owned */
    uint32_t count;
};

static const struct report_scan scan[] = {{.type = "syn", .protocol = PROTOCOL_TCP}};

static char *decode(const char *hex)
{
    size_t len = strspn(hex, "0123456789abcdef") / 2;
    char *text = calloc(len + 1, 1);
    for (size_t i = 0; text && i < len; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        text[i] = (char)strtoul(digits, NULL, 16);
    }
    return text;
}

static bool read_names(const char *path, struct names *ret)
{
    own(close_file) FILE *file = fopen(path, "r");
    own(free_ptr) char *line = NULL;
    size_t capacity = 0;
    while (file && ret->count < NAMES_MAX && getline(&line, &capacity, file) > 0) {
        char *text = decode(line);
        if (!text)
            return false;
        ret->texts[ret->count++] = text;
    }
    return ret->count > 0;
}

static const char *service(void *context, enum protocol protocol, uint16_t port)
{
    const struct names *names = context;
    (void)protocol;
    return port < names->count ? names->texts[port] : NULL;
}

static void choose(void *context, struct addr_set *targets, struct port_set *ports)
{
    const struct names *names = context;
    addr_set_add(targets, SERVER, SERVER);
    addr_set_add(targets, addr_v4(NETWORK), addr_v4(NETWORK + names->count - 1));
    /* As many again stay silent, so that the server does not pass for a host that answers everything. */
    for (uint32_t i = 0; i < 2 * names->count; i++)
        port_set_add(ports, PORTS_TCP, (uint16_t)i);
}

static void put(struct results *results, enum record_type type, struct addr host)
{
    struct record record = {.type = (uint8_t)type, .host = host, .time_ns = START_NS, .rtt_ns = MSEC};
    results_record(results, &record);
}

static void put_open(struct results *results, struct addr host, uint16_t port)
{
    struct record record = {.type = RECORD_PORT,
                            .host = host,
                            .port = port,
                            .state = PORT_OPEN,
                            .reason = REASON_SYN_ACK,
                            .time_ns = START_NS};
    results_record(results, &record);
}

static void play(void *context, struct results *results)
{
    const struct names *names = context;
    for (uint32_t i = 0; i < names->count; i++) {
        struct addr host = addr_v4(NETWORK + i);
        results_set_user_name(results, &host, names->texts[i]);
        put(results, RECORD_HOST_UP, host);
        results_set_ptr_name(results, &host, names->texts[(i + 1) % names->count]);
        put(results, RECORD_HOST_DONE, host);
    }
    for (uint32_t i = 0; i < names->count; i++)
        put_open(results, SERVER, (uint16_t)i);
    put(results, RECORD_HOST_DONE, SERVER);
}

/* The first names one after another, as a command line might hold them. */
static char *join(const struct names *names)
{
    char *text = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&text, &len);
    if (!memory)
        return NULL;
    for (uint32_t i = 0; i < names->count && i < 200; i++)
        fprintf(memory, "%s%s", i ? " " : "", names->texts[i]);
    fclose(memory);
    return text;
}

static bool render_to(const char *directory, const struct report_ops *ops, struct names *names)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/hostile.%s", directory, ops->name);
    own(close_file) FILE *file = fopen(path, "wb");
    own(free_ptr) char *command_line = join(names);
    if (!file || !command_line)
        return false;
    struct rendering rendering = {
        .ops = ops,
        .run = {.version = "0.1.0",
                .command_line = command_line,
                .start_ns = START_NS,
                .scans = scan,
                .scan_count = 1,
                .show_reason = true,
                .fold = {.verbosity = 1},
                .service = service,
                .service_context = names},
        .end = {.end_ns = START_NS + SEC, .interrupted = command_line},
        .choose = choose,
        .play = play,
        .context = names,
    };
    return render(&rendering, file);
}

static bool render_all(const char *directory, struct names *names)
{
    bool complete = render_to(directory, &report_interactive, names);
    for (unsigned i = 0; i < report_table_len; i++)
        complete = render_to(directory, report_table[i], names) && complete;
    return complete;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: hostile NAMES DIRECTORY\n");
        return 2;
    }
    setenv("TZ", "UTC", 1);
    tzset();

    struct names *names = calloc(1, sizeof *names);
    bool complete = names && read_names(argv[1], names) && render_all(argv[2], names);
    for (uint32_t i = 0; names && i < names->count; i++)
        free(names->texts[i]);
    free(names);
    return !complete;
}
