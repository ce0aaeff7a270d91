#include "report/phrase.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/time.h"

static struct tm local_tm(int64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / SEC);
    struct tm tm = {0};
    localtime_r(&seconds, &tm);
    return tm;
}

static struct tm utc_tm(int64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / SEC);
    struct tm tm = {0};
    gmtime_r(&seconds, &tm);
    return tm;
}

const char *phrase_time(int64_t time_ns, char text[static PHRASE_TIME_MAX])
{
    struct tm tm = local_tm(time_ns);
    strftime(text, PHRASE_TIME_MAX, "%a %b %e %H:%M:%S %Y", &tm);
    return text;
}

const char *phrase_time_zone(int64_t time_ns, char text[static PHRASE_TIME_MAX])
{
    struct tm tm = local_tm(time_ns);
    strftime(text, PHRASE_TIME_MAX, "%Y-%m-%d %H:%M:%S %Z", &tm);
    return text;
}

const char *phrase_time_utc(int64_t time_ns, char text[static PHRASE_TIME_MAX])
{
    struct tm tm = utc_tm(time_ns);
    strftime(text, PHRASE_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return text;
}

const char *phrase_time_utc_us(int64_t time_ns, char text[static PHRASE_TIME_MAX])
{
    struct tm tm = utc_tm(time_ns);
    size_t len = strftime(text, PHRASE_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + len, PHRASE_TIME_MAX - len, ".%06" PRId64 "Z", time_ns % SEC / USEC);
    return text;
}

const char *phrase_elapsed(const struct report_run *run, const struct report_end *end,
                           char text[static PHRASE_TIME_MAX])
{
    int64_t elapsed_ns =
        end->end_ns > run->start_ns ? end->end_ns - run->start_ns : 0; /* clocks are set back */
    int64_t hundredths = elapsed_ns / (10 * MSEC);
    snprintf(text, PHRASE_TIME_MAX, "%" PRId64 ".%02" PRId64, hundredths / 100, hundredths % 100);
    return text;
}

const char *phrase_summary(const struct report_run *run, const struct report_end *end,
                           char text[static PHRASE_SUMMARY_MAX])
{
    char elapsed[PHRASE_TIME_MAX];
    snprintf(text, PHRASE_SUMMARY_MAX,
             "%" PRIu64 " IP address%s (%" PRIu64 " host%s up) scanned in %s seconds", end->hosts_total,
             end->hosts_total == 1 ? "" : "es", end->hosts_up, phrase_plural(end->hosts_up),
             phrase_elapsed(run, end, elapsed));
    return text;
}

const char *phrase_trust(const struct report_run *run, const struct report_end *end,
                         char text[static PHRASE_TRUST_MAX])
{
    char loss[32] = "not known", limited[32] = "not known", doubt[32] = "not known";
    if (end->tries)
        snprintf(loss, sizeof loss, "%.1f%%", 100.0 * (double)end->tries_lost / (double)end->tries);
    if (!end->account_unknown) {
        snprintf(limited, sizeof limited, "%" PRIu64, end->hosts_limited);
        snprintf(doubt, sizeof doubt, "%.2g", end->doubt);
    }
    snprintf(text, PHRASE_TRUST_MAX,
             "Probes: %" PRIu64 " | Answers: %" PRIu64 " | Not proved: %" PRIu64 " | Lost by us: %" PRIu64
             " | Lost on the way: %s | Limited hosts: %s | Ports in doubt: %s | Risk accepted: %.2g",
             end->probes_sent, end->answers, end->rejected, end->drops, loss, limited, doubt, run->risk);
    return text;
}

const char *phrase_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

const char *phrase_service(const struct report_run *run, const struct port_result *port)
{
    return run->service ? run->service(run->service_context, (enum protocol)port->protocol, port->port)
                        : NULL;
}
