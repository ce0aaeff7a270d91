#include "cli/supervisor/progress.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/time.h"

#define DURATION_MAX 32
#define RATE_MAX     32

/* 0 .. 1; the plan is an estimate, so more may be sent than was planned. */
static double share_done(const struct progress *progress)
{
    double planned = (double)progress->values[PROGRESS_PROBES_PLANNED];
    double sent = (double)progress->values[PROGRESS_PROBES_SENT];
    if (planned <= 0)
        return 0;
    return sent < planned ? sent / planned : 1;
}

/* Whole seconds as h:mm:ss. */
static void format_duration(double seconds, char ret[static DURATION_MAX])
{
    uint64_t whole = seconds < 1e9 ? (uint64_t)seconds : 1000000000;
    snprintf(ret, DURATION_MAX, "%" PRIu64 ":%02u:%02u", whole / 3600, (unsigned)(whole / 60 % 60),
             (unsigned)(whole % 60));
}

static void format_left(const struct progress *progress, int64_t now_ns, char ret[static DURATION_MAX])
{
    double share = share_done(progress);
    double elapsed = (double)(now_ns - progress->start_ns) / (double)SEC;
    if (share > 0)
        format_duration(elapsed * (1 - share) / share, ret);
    else
        snprintf(ret, DURATION_MAX, "?");
}

static void format_rate(uint64_t pps, char ret[static RATE_MAX])
{
    if (pps >= 1000000)
        snprintf(ret, RATE_MAX, "%.2f Mpps", (double)pps / 1e6);
    else if (pps >= 1000)
        snprintf(ret, RATE_MAX, "%.1f kpps", (double)pps / 1e3);
    else
        snprintf(ret, RATE_MAX, "%" PRIu64 " pps", pps);
}

void progress_line(const struct progress *progress, int64_t now_ns, char ret[static PROGRESS_TEXT_MAX])
{
    char left[DURATION_MAX];
    char rate[RATE_MAX];
    format_left(progress, now_ns, left);
    format_rate(progress->values[PROGRESS_RATE_PPS], rate);
    snprintf(ret, PROGRESS_TEXT_MAX, "%s  %.1f%% done  %s left  found %" PRIu64 "  drops %" PRIu64, rate,
             100 * share_done(progress), left, progress->found, progress->values[PROGRESS_DROPS]);
}

void progress_status(const struct progress *progress, int64_t now_ns, char ret[static PROGRESS_TEXT_MAX])
{
    char elapsed[DURATION_MAX];
    char left[DURATION_MAX];
    char rate[RATE_MAX];
    format_duration((double)(now_ns - progress->start_ns) / (double)SEC, elapsed);
    format_left(progress, now_ns, left);
    format_rate(progress->values[PROGRESS_RATE_PPS], rate);
    snprintf(ret, PROGRESS_TEXT_MAX,
             "%s elapsed, %" PRIu64 " hosts completed (%" PRIu64
             " up), %.1f%% done, %s left, %s, found %" PRIu64 ", drops %" PRIu64,
             elapsed, progress->values[PROGRESS_HOSTS_DONE], progress->values[PROGRESS_HOSTS_UP],
             100 * share_done(progress), left, rate, progress->found, progress->values[PROGRESS_DROPS]);
}
