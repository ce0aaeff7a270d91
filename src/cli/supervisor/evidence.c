#include "cli/supervisor/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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

static void write_packet(const struct evidence *evidence)
{
    const struct record *record = &evidence->last;
    char host[ADDR_TEXT_MAX];
    char comment[PCAPNG_COMMENT_MAX];
    snprintf(comment, sizeof comment, "%s port %u/%s is %s: %s", addr_format(&record->host, host),
             record->port, protocol_name((enum protocol)record->protocol),
             state_name((enum port_state)record->state), reason_name((enum reason)record->reason));
    struct pcapng_packet packet = {.time_ns = record->time_ns,
                                   .bytes = evidence->bytes,
                                   .kept_len = (uint32_t)evidence->len,
                                   .packet_len = record->part.packet_len,
                                   .comment = comment};
    pcapng_packet(evidence->file, &packet);
}

/* Parts come one behind the other; any other part is one of a packet whose beginning was not seen. */
static bool goes_on(const struct evidence *evidence, const struct record *record)
{
    const struct record *last = &evidence->last;
    return evidence->len == (size_t)record->part.number * RECORD_BYTES && last->port == record->port &&
           last->protocol == record->protocol && addr_equal(&last->host, &record->host);
}

bool evidence_take(struct evidence *evidence, const struct record *record)
{
    if (record->part.number == 0)
        evidence->len = 0;
    else if (!goes_on(evidence, record))
        return false;
    memcpy(evidence->bytes + evidence->len, record->bytes, record->part.len);
    evidence->len += record->part.len;
    evidence->last = *record;
    if (evidence->len < record->part.kept_len)
        return false;
    if (evidence->file)
        write_packet(evidence);
    return true;
}

int evidence_flush(struct evidence *evidence, struct error *err)
{
    if (!evidence->file || (fflush(evidence->file) == 0 && !ferror(evidence->file)))
        return 0;
    return error_set(err, EX_IOERR, "cannot write the packets: %s", strerror(sink_error(evidence->sink)));
}
