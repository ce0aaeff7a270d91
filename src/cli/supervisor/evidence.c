#include "cli/supervisor/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/own.h"
#include "store/pcapng.h"

int evidence_open(struct evidence *evidence, const char *path, struct error *err)
{
    own(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_set(err, EX_CANTCREAT, "cannot create the output file '%s': %s", path, strerror(errno));
    evidence->file = sink_open(fd, &evidence->sink);
    if (!evidence->file)
        return error_set(err, EX_OSERR, "out of memory");
    take_fd(&fd);
    pcapng_begin(evidence->file, "Portolan " PORTOLAN_VERSION);
    return evidence_flush(evidence, err);
}

void evidence_done(struct evidence *evidence)
{
    if (evidence->file)
        fclose(evidence->file);
    evidence->file = NULL;
}

static void write_packet(const struct evidence *evidence, const struct evidence_parts *parts)
{
    const struct record *record = &parts->last;
    char text[ADDR_TEXT_MAX];
    char host[PCAPNG_COMMENT_MAX / 2]; /* only the zone, the name of an interface, can grow */
    char comment[PCAPNG_COMMENT_MAX];
    escape_copy(ESCAPE_TEXT, addr_format(&record->host, text), host, sizeof host);
    snprintf(comment, sizeof comment, "%s port %u/%s is %s: %s", host, record->port,
             protocol_name((enum protocol)record->protocol), state_name((enum port_state)record->state),
             reason_name((enum reason)record->reason));
    struct pcapng_packet packet = {.time_ns = record->time_ns,
                                   .bytes = parts->bytes,
                                   .kept_len = (uint32_t)parts->len,
                                   .packet_len = record->part.packet_len,
                                   .comment = comment};
    pcapng_packet(evidence->file, &packet);
}

/* Parts come one behind the other; any other part is one of a packet whose beginning was not seen. */
static bool goes_on(const struct evidence_parts *parts, const struct record *record)
{
    const struct record *last = &parts->last;
    return parts->len == (size_t)record->part.number * RECORD_BYTES && last->port == record->port &&
           last->protocol == record->protocol && addr_equal(&last->host, &record->host);
}

static bool is_whole(const struct evidence_parts *parts)
{
    return parts->len > 0 && parts->len >= parts->last.part.kept_len;
}

void evidence_take(struct evidence *evidence, struct evidence_parts *parts, const struct record *record)
{
    if (record->part.number == 0)
        parts->len = 0;
    else if (!goes_on(parts, record))
        return;
    const uint8_t *bytes = record->type == RECORD_PORT ? record->packet : record->bytes;
    memcpy(parts->bytes + parts->len, bytes, record->part.len);
    parts->len += record->part.len;
    parts->last = *record;
    if (evidence->file && is_whole(parts))
        write_packet(evidence, parts);
}

bool evidence_is_of(const struct evidence_parts *parts, const struct addr *host,
                    const struct port_result *port)
{
    const struct record *last = &parts->last;
    return is_whole(parts) && last->port == port->port && last->protocol == port->protocol &&
           last->state == port->state && addr_equal(&last->host, host);
}

int evidence_flush(struct evidence *evidence, struct error *err)
{
    if (!evidence->file || (fflush(evidence->file) == 0 && !ferror(evidence->file)))
        return 0;
    return error_set(err, EX_IOERR, "cannot write the packets: %s", strerror(sink_error(evidence->sink)));
}

int evidence_end(struct evidence *evidence, struct error *err)
{
    int r = evidence_flush(evidence, err);
    if (r < 0 || !evidence->file)
        return r;
    sink_drain(evidence->sink);
    int error = sink_error(evidence->sink);
    if (error == ENOENT)
        return error_set(err, EX_IOERR, "the file of the packets was removed while it was written");
    return error ? error_set(err, EX_IOERR, "cannot write the packets: %s", strerror(error)) : 0;
}
