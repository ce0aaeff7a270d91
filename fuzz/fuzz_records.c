/* A packet process that was taken over: whatever records it leaves in the ring, the supervisor ends the scan
 * in order, what it prints and writes holds no control character, and the store can be read. */
#include <unistd.h>

#include "base/time.h"
#include "cli/job/session.h"
#include "cli/supervisor/supervisor.h"
#include "store_input.h"

#define RECORDS_MAX 4096
#define HOST_COUNT  8
#define WORDS_MAX   24

/* Every way in which what it says can come out. */
struct listeners {
    struct store_place place; /* of the store, and the reports beside it */
    char report[STORE_PATH_MAX + 8];
    char packets[STORE_PATH_MAX + 8];
    char *said; /* what the user is told; owned */
    size_t said_len;
};

static void assert_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        assert((text[i] >= 0x20 && text[i] <= 0x7e) || text[i] == '\n');
}

static struct addr take_addr(struct reader *in)
{
    static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8};
    uint8_t byte = read_u8(in);
    if (byte < HOST_COUNT)
        return addr_v4(0xc6120000 + byte);
    return byte < 2 * HOST_COUNT ? addr_v6(v6, byte) : (struct addr){.family = ADDR_NONE};
}

/* Any record; what it says in numbers or bytes comes last. */
static struct record take_record(struct reader *in)
{
    struct record record = {.type = read_u8(in)};
    record.flags = read_u8(in);
    record.protocol = read_u8(in);
    record.state = read_u8(in);
    record.reason = read_u8(in);
    record.ttl = read_u8(in);
    record.tries = read_u8(in);
    record.note = read_u8(in);
    record.port = read_be16(in);
    for (unsigned i = 0; i < sizeof record.mac; i++)
        record.mac[i] = read_u8(in);
    record.host = take_addr(in);
    record.source = take_addr(in);
    record.time_ns = take_number(in);
    if (record.type == RECORD_EVIDENCE) {
        for (unsigned i = 0; i < RECORD_BYTES; i++)
            record.bytes[i] = read_u8(in);
    } else {
        for (unsigned i = 0; i < PROGRESS_COUNT; i++)
            record.value[i] = (uint64_t)take_number(in);
    }
    return record;
}

/* The packet process has said all this, and has ended. False: the last record is not whole. */
static bool fill_ring(struct ring *ring, const uint8_t *data, size_t size)
{
    struct reader in = reader_over(data, size);
    for (unsigned i = 0; i < RECORDS_MAX && in.ok && reader_left(&in) > 0; i++) {
        struct record record = take_record(&in);
        ring_push(ring, &record);
    }
    return in.ok;
}

/* The worker's side stays open: nobody reads the commands, and nobody dies of it. */
static void open_crew(struct crew *crew)
{
    struct channel *channel = &crew->members[0].channel;
    const uint64_t call = 1;
    int r = channel_open(channel, NULL);
    assert(r == 0);
    crew->count = 1;
    ssize_t written = write(channel->wake_fd, &call, sizeof call);
    assert(written == sizeof call);
}

static void check_listeners(const struct listeners *listeners)
{
    struct error err = {.status = 0};
    struct session *session = NULL;
    char text[4096];
    size_t len;
    FILE *report = fopen(listeners->report, "r");
    assert(report);
    while ((len = fread(text, 1, sizeof text, report)) > 0)
        assert_plain(text, len);
    fclose(report);
    assert_plain(listeners->said, listeners->said_len);
    int r = session_look_at(listeners->place.path, &session, &err);
    assert(r == 0);
    session_free(session);
}

static void supervise(const struct options *options, struct crew *crew, FILE *out)
{
    static const struct scan_privilege privilege = {.raw = true};
    struct names names;
    struct job *job = NULL;
    struct talk talk = talk_new(out);
    names_init(&names, options);
    int r = job_new(options, NULL, &privilege, &names, &job, NULL);
    assert(r == 0);
    supervisor_run(job, &names, crew, &talk);
    names_done(&names);
    job_free(job);
}

/* A scan with a store, a report and the packets. */
static void run_scan(struct listeners *listeners, struct crew *crew)
{
    char options_of_scan[] = "-sSU\0-n\0-vv\0--reason\0--no-sandbox\0-p\0"
                             "1-30";
    char *argv[WORDS_MAX] = {(char[]){"portolan"}, (char[]){"--store"},      listeners->place.path,
                             (char[]){"-oX"},      listeners->report,        (char[]){"--pcap"},
                             listeners->packets,   (char[]){"198.18.0.0/29"}};
    int argc = 8;
    for (size_t at = 0; at < sizeof options_of_scan; at += strlen(options_of_scan + at) + 1)
        argv[argc++] = options_of_scan + at;
    struct options options;
    int r = options_parse(argc, argv, &options, NULL);
    assert(r == 0);
    FILE *nowhere = freopen("/dev/null", "w", stdout); /* the report for people */
    FILE *out = open_memstream(&listeners->said, &listeners->said_len);
    assert(nowhere && out);
    supervise(&options, crew, out);
    fclose(out);
    options_done(&options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct listeners listeners = {.said = NULL};
    struct crew crew = {.count = 0};
    open_crew(&crew);
    if (!fill_ring(&crew.members[0].channel.ring, data, size)) {
        crew_end(&crew);
        return 0;
    }
    store_place_open(&listeners.place);
    snprintf(listeners.report, sizeof listeners.report, "%s.xml", listeners.place.path);
    snprintf(listeners.packets, sizeof listeners.packets, "%s.pcap", listeners.place.path);
    run_scan(&listeners, &crew);
    check_listeners(&listeners);
    free(listeners.said);
    unlink(listeners.report);
    unlink(listeners.packets);
    store_place_done(&listeners.place);
    return 0;
}
