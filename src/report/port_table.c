#include "report/port_table.h"

#include <string.h>

#include "base/escape.h"
#include "report/phrase.h"

#define CELL_MAX 160

enum column { COLUMN_PORT, COLUMN_STATE, COLUMN_SERVICE, COLUMN_REASON, COLUMN_COUNT };

struct row {
    char cells[COLUMN_COUNT][CELL_MAX]; /* escaped */
};

struct layout {
    size_t widths[COLUMN_COUNT];
    unsigned column_count;
};

static const char *color_of(enum port_state state)
{
    static const char *const colors[PORT_STATE_COUNT] = {
        [PORT_UNKNOWN] = "\x1b[35m",         /* magenta */
        [PORT_OPEN] = "\x1b[1;32m",          /* bold green */
        [PORT_CLOSED] = "\x1b[31m",          /* red */
        [PORT_FILTERED] = "\x1b[33m",        /* yellow */
        [PORT_UNFILTERED] = "\x1b[36m",      /* cyan */
        [PORT_OPEN_FILTERED] = "\x1b[32m",   /* green */
        [PORT_CLOSED_FILTERED] = "\x1b[33m", /* yellow */
    };
    return colors[state];
}

static void fill_heading(const struct report_run *run, struct row *ret)
{
    static const char *const headings[COLUMN_COUNT] = {"PORT", "STATE", "SERVICE", "REASON"};
    for (unsigned i = 0; i < COLUMN_COUNT; i++)
        snprintf(ret->cells[i], CELL_MAX, "%s", headings[i]);
    if (run->fold.ip_protocols)
        snprintf(ret->cells[COLUMN_PORT], CELL_MAX, "PROTOCOL");
}

/* "syn-ack ttl 64", "admin-prohibited from 203.0.113.1 ttl 250", "reset ttl 61 (not the host's 64)" */
static void fill_reason(const struct host_result *host, const struct port_result *port,
                        char ret[static CELL_MAX])
{
    char source[ADDR_TEXT_MAX];
    char from[ESCAPE_MAX(ADDR_TEXT_MAX)] = "";
    char ttl[16] = "";
    char foreign[32] = "";
    if (port->source.family != ADDR_NONE)
        escape_copy(ESCAPE_TEXT, addr_format(&port->source, source), from, sizeof from);
    if (port->ttl)
        snprintf(ttl, sizeof ttl, " ttl %u", port->ttl);
    if (port->foreign)
        snprintf(foreign, sizeof foreign, " (not the host's %u)", host->own_ttl);
    const char *confirmed = confirmation_name((enum confirmation)port->confirmation);
    snprintf(ret, CELL_MAX, "%s%s%.60s%s%s%s%s", reason_name((enum reason)port->reason),
             from[0] ? " from " : "", from, ttl, foreign, confirmed[0] ? ", " : "", confirmed);
}

static void fill_row(const struct report_run *run, const struct host_result *host,
                     const struct port_result *port, struct row *ret)
{
    const char *service = phrase_service(run, port);
    if (port->protocol == PROTOCOL_IP)
        snprintf(ret->cells[COLUMN_PORT], CELL_MAX, "%u", port->port);
    else
        snprintf(ret->cells[COLUMN_PORT], CELL_MAX, "%u/%s", port->port,
                 protocol_name((enum protocol)port->protocol));
    snprintf(ret->cells[COLUMN_STATE], CELL_MAX, "%s", state_name((enum port_state)port->state));
    escape_copy(ESCAPE_TEXT, service ? service : "unknown", ret->cells[COLUMN_SERVICE], CELL_MAX);
    fill_reason(host, port, ret->cells[COLUMN_REASON]);
}

static void widen(struct layout *layout, const struct row *row)
{
    for (unsigned i = 0; i < layout->column_count; i++) {
        size_t width = strlen(row->cells[i]);
        if (width > layout->widths[i])
            layout->widths[i] = width;
    }
}

static void write_row(FILE *file, const struct layout *layout, const struct row *row, const char *color)
{
    for (unsigned i = 0; i < layout->column_count; i++) {
        bool colored = color && i == COLUMN_STATE;
        bool last = i + 1 == layout->column_count;
        size_t width = strlen(row->cells[i]);
        int padding = last ? 0 : (int)(layout->widths[i] - width) + 1;
        fprintf(file, "%s%s%s%*s", colored ? color : "", row->cells[i], colored ? "\x1b[0m" : "", padding,
                "");
    }
    fputc('\n', file);
}

void port_table_write(FILE *file, const struct report_run *run, bool color, const struct host_result *host,
                      const struct fold *fold)
{
    struct layout layout = {.column_count = run->show_reason ? COLUMN_COUNT : COLUMN_REASON};
    struct row row;
    fill_heading(run, &row);
    widen(&layout, &row);
    for (uint32_t i = 0; i < host->port_count; i++) {
        if (fold_hides(fold, &host->ports[i]))
            continue;
        fill_row(run, host, &host->ports[i], &row);
        widen(&layout, &row);
    }

    fill_heading(run, &row);
    write_row(file, &layout, &row, NULL);
    for (uint32_t i = 0; i < host->port_count; i++) {
        if (fold_hides(fold, &host->ports[i]))
            continue;
        fill_row(run, host, &host->ports[i], &row);
        write_row(file, &layout, &row, color ? color_of((enum port_state)host->ports[i].state) : NULL);
    }
}
