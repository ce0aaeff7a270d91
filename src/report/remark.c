#include "report/remark.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report/phrase.h"

/* Fewer ports may be all alike by chance. */
#define PORTS_MIN 8

/* One sentence more. */
__attribute__((format(printf, 2, 3))) static void say(char text[static REMARK_MAX], const char *format, ...)
{
    size_t len = strlen(text);
    if (len > 0)
        text[len++] = ' ';
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + len, REMARK_MAX - len, format, arguments);
    va_end(arguments);
}

static const char *tcp_scan(const struct report_run *run)
{
    for (size_t i = 0; i < run->scan_count; i++)
        if (run->scans[i].protocol == PROTOCOL_TCP)
            return run->scans[i].type;
    return "";
}

static void count_tcp(const struct host_result *host, uint32_t counts[static PORT_STATE_COUNT],
                      uint32_t *ret_resets)
{
    *ret_resets = 0;
    for (uint32_t i = 0; i < host->port_count; i++) {
        if (host->ports[i].protocol != PROTOCOL_TCP)
            continue;
        counts[host->ports[i].state]++;
        *ret_resets += host->ports[i].reason == REASON_RESET;
    }
}

static bool asks_closed_ports(const char *scan)
{
    static const char *const scans[] = {"null", "fin", "xmas", "maimon"};
    for (size_t i = 0; i < sizeof scans / sizeof scans[0]; i++)
        if (strcmp(scan, scans[i]) == 0)
            return true;
    return false;
}

static bool any_open(const struct host_result *host)
{
    for (uint32_t i = 0; i < host->port_count; i++)
        if (host->ports[i].state == PORT_OPEN)
            return true;
    return false;
}

/* What an idle scan promises (doc/decisions/008), and what it cannot know. */
static void remark_on_idle(const struct report_run *run, const struct host_result *host,
                           char text[static REMARK_MAX])
{
    if (any_open(host))
        say(text,
            "Idle scan: a port called open is wrong with a chance of 1 in %.0f at most, one called "
            "closed|filtered is open with a chance of 1 in 1000 at most.",
            1 / run->risk);
    else if (!host->unfinished)
        say(text,
            "Idle scan: no port moved the zombie's ID. Either none is open, or packets in the zombie's name "
            "do not reach this host; that cannot be told apart. Else an open port was missed with a chance "
            "of 1 in 1000 at most.");
}

/* Some stacks answer some probes alike, whether a port is open or not. */
static void remark_on_technique(const struct report_run *run, const struct host_result *host,
                                char text[static REMARK_MAX])
{
    const char *scan = tcp_scan(run);
    uint32_t counts[PORT_STATE_COUNT] = {0}, resets;
    count_tcp(host, counts, &resets);
    if (resets < PORTS_MIN)
        return;

    if (asks_closed_ports(scan) && counts[PORT_CLOSED] == resets && counts[PORT_OPEN_FILTERED] == 0)
        say(text,
            "Every port that answered was reset: some systems (Windows, many Cisco devices, OS/400) reset "
            "these probes on open ports too, and then this scan tells nothing apart.");
    if (strcmp(scan, "window") != 0)
        return;
    if (counts[PORT_OPEN] == 0)
        say(text,
            "No reset had a window: on most systems resets from open and closed ports look alike, and open "
            "ports would show as closed here.");
    else if (counts[PORT_CLOSED] == 0)
        say(text, "Every reset had a window: on this system it does not tell open ports from closed ones.");
    else if (counts[PORT_OPEN] > counts[PORT_CLOSED])
        say(text,
            "More ports look open than closed: on some systems it is the other way round, and the few that "
            "look closed may be the open ones.");
}

static void remark_on_foreign(const struct host_result *host, char text[static REMARK_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < host->port_count; i++)
        count += host->ports[i].foreign;
    if (count > 0)
        say(text,
            "Resets or errors about %u port%s have another TTL than the host's own answers (%u): a box on "
            "the way, "
            "not the host, may have sent them.",
            count, phrase_plural(count), host->own_ttl);
}

bool remark_on(const struct report_run *run, const struct host_result *host, char text[static REMARK_MAX])
{
    text[0] = '\0';
    remark_on_foreign(host, text);
    if (host->proxied && !host->answers_all)
        say(text,
            "Open ports of this host answer with a closed window, as a SYN proxy does: whether there are "
            "services behind them is not known (low confidence).");
    if (host->answers_all)
        say(text,
            "Nearly every port answers as if it were open: a SYN proxy, a tarpit or a firewall speaks for "
            "this host, and which of its ports are open is not known (low confidence).");
    else if (run->idle)
        remark_on_idle(run, host, text);
    else
        remark_on_technique(run, host, text);
    return text[0];
}
