/* -oL: one line "ip:port" or "[v6]:port" for each open port, as soon as it is found, for the next program in
 * a pipe. IP protocols have no such line. A port may come twice. */
#include "report/report.h"

#include <stdlib.h>

#include "base/escape.h"

struct report {
    FILE *file;
};

static struct report *list_open(FILE *file, const struct report_run *run)
{
    (void)run;
    struct report *report = calloc(1, sizeof *report);
    if (report)
        report->file = file;
    return report;
}

static void list_port(struct report *report, const struct addr *host, const struct port_result *port)
{
    if (port->state != PORT_OPEN || port->protocol == PROTOCOL_IP)
        return;
    char text[ADDR_TEXT_MAX];
    fputs(host->family == ADDR_V6 ? "[" : "", report->file);
    escape_write(ESCAPE_TEXT, addr_format(host, text),
                 report->file); /* a zone is a name that somebody chose */
    fprintf(report->file, host->family == ADDR_V6 ? "]:%u\n" : ":%u\n", port->port);
}

static void list_host(struct report *report, const struct host_result *host)
{
    (void)report;
    (void)host;
}

static bool list_end(struct report *report, const struct report_end *end)
{
    (void)end;
    fflush(report->file);
    return true;
}

static void list_close(struct report *report)
{
    free(report);
}

const struct report_ops report_list = {
    .name = "list",
    .option = "-oL",
    .open = list_open,
    .port = list_port,
    .host = list_host,
    .end = list_end,
    .close = list_close,
};
