#include "cli/supervisor/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"

static void output_done(struct output *output)
{
    output->ops->close(output->report);
    if (output->file)
        fclose(output->file);
    free(output->path);
}

static bool is_stdout(const struct output *output)
{
    return strcmp(output->path, "-") == 0;
}

/* What the user calls it. */
static const char *output_name(const struct output *output)
{
    return is_stdout(output) ? "standard output" : output->path;
}

static int write_error(const struct output *output, struct error *err)
{
    int error = sink_error(output->sink);
    if (error == ENOENT)
        return error_set(err, EX_IOERR, "%s was removed while it was written", output_name(output));
    return error_set(err, EX_IOERR, "cannot write %s: %s", output_name(output), strerror(error));
}

/* Remember the first failure. */
static void check_output(struct outputs *outputs, const struct output *output)
{
    if (outputs->failed || sink_error(output->sink) == 0)
        return;
    outputs->failed = true;
    outputs->reader_left = is_stdout(output) && sink_error(output->sink) == EPIPE;
    write_error(output, &outputs->error);
}

/* A copy, so that all descriptors of reports are closed alike. A standard output that was closed is only for
 * reading here (base/descriptors.h). */
static int open_stdout(int *ret, struct error *err)
{
    int flags = fcntl(STDOUT_FILENO, F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY)
        return error_set(err, EX_IOERR, "cannot write standard output: it is closed");
    *ret = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return *ret < 0 ? error_set(err, EX_IOERR, "cannot write standard output: %s", strerror(errno)) : 0;
}

static int open_path(const char *path, int *ret, struct error *err)
{
    *ret = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    return *ret < 0
               ? error_set(err, EX_CANTCREAT, "cannot create the output file '%s': %s", path, strerror(errno))
               : 0;
}

static int refuse_same_file(const struct outputs *outputs, const char *path, int fd, struct error *err)
{
    struct stat mine;
    if (fstat(fd, &mine) < 0 || !S_ISREG(mine.st_mode))
        return 0;
    for (unsigned i = 0; i < outputs->count; i++) {
        struct stat other;
        const char *other_path = outputs->list[i].path;
        if (stat(other_path, &other) == 0 && other.st_dev == mine.st_dev && other.st_ino == mine.st_ino)
            return error_set(err, EX_USAGE, "two reports go to the same file: '%s' and '%s'", other_path,
                             path);
    }
    return 0;
}

static int open_output(const struct outputs *outputs, struct output *output, struct error *err)
{
    own(close_fd) int fd = -1;
    int r = is_stdout(output) ? open_stdout(&fd, err) : open_path(output->path, &fd, err);
    if (r == 0)
        r = refuse_same_file(outputs, output->path, fd, err);
    if (r < 0)
        return r;
    output->file = sink_open(fd, &output->sink);
    if (!output->file)
        return error_set(err, EX_OSERR, "out of memory");
    take_fd(&fd);
    return 0;
}

/* Takes over `path`. */
static int add_output(struct outputs *outputs, const struct report_ops *ops, char *path, struct error *err)
{
    struct output output = {.ops = ops, .path = path};
    int r = 0;
    if (!path)
        r = error_set(err, EX_OSERR, "out of memory");
    else if (outputs->count == OUTPUTS_MAX)
        r = error_set(err, EX_USAGE, "more than %d output files", OUTPUTS_MAX);
    else
        r = open_output(outputs, &output, err);
    if (r < 0)
        output_done(&output);
    else
        outputs->list[outputs->count++] = output;
    return r;
}

static int add_all(struct outputs *outputs, const char *base, struct error *err)
{
    int r = 0;
    for (unsigned i = 0; i < report_table_len && r == 0; i++) {
        char *path = NULL;
        if (!report_table[i]->suffix)
            continue;
        if (asprintf(&path, "%s%s", base, report_table[i]->suffix) < 0)
            path = NULL;
        r = add_output(outputs, report_table[i], path, err);
    }
    return r;
}

static const struct report_ops *find_report(const char *letters)
{
    for (unsigned i = 0; i < report_table_len; i++) {
        if (strcmp(report_table[i]->option + 1, letters) == 0)
            return report_table[i];
    }
    return NULL;
}

static int add_chosen(struct outputs *outputs, const struct options *options, struct error *err)
{
    bool uses_stdout = false;
    for (unsigned i = 0; i < options->output_count; i++)
        uses_stdout = uses_stdout || strcmp(options->outputs[i].path, "-") == 0;
    outputs->interactive = !uses_stdout;

    int r = 0;
    for (unsigned i = 0; i < options->output_count && r == 0; i++) {
        const struct option_output *chosen = &options->outputs[i];
        const struct report_ops *ops = find_report(chosen->letters);
        if (strcmp(chosen->letters, "oA") == 0)
            r = add_all(outputs, chosen->path, err);
        else if (ops)
            r = add_output(outputs, ops, strdup(chosen->path), err);
        else
            r = error_set(err, EX_USAGE, "-%s: this build of Portolan does not have this report yet",
                          chosen->letters);
    }
    if (r == 0 && outputs->interactive) /* last: nothing is said before all files can be written */
        r = add_output(outputs, &report_interactive, strdup("-"), err);
    return r;
}

int outputs_open(const struct options *options, struct outputs *ret, struct error *err)
{
    struct outputs outputs = {.count = 0};
    int r = add_chosen(&outputs, options, err);
    if (r < 0) {
        outputs_done(&outputs);
        return r;
    }
    *ret = outputs;
    return 0;
}

int outputs_begin(struct outputs *outputs, const struct report_run *run, struct error *err)
{
    int r = 0;
    for (unsigned i = 0; i < outputs->count && r == 0; i++) {
        struct output *output = &outputs->list[i];
        if (!is_stdout(output))
            sink_cut(output->sink);
        output->report = output->ops->open(output->file, run);
        if (!output->report)
            r = error_set(err, EX_OSERR, "out of memory");
        else if (fflush(output->file) != 0 || ferror(output->file))
            r = write_error(output, err);
    }
    return r;
}

void outputs_port(struct outputs *outputs, const struct addr *host, const struct port_result *port)
{
    outputs->written = true;
    for (unsigned i = 0; i < outputs->count && !outputs->failed; i++) {
        struct output *output = &outputs->list[i];
        if (!output->ops->port)
            continue;
        output->ops->port(output->report, host, port);
        check_output(outputs, output);
    }
}

void outputs_host(struct outputs *outputs, const struct host_result *host)
{
    outputs->written = true;
    for (unsigned i = 0; i < outputs->count && !outputs->failed; i++) {
        outputs->list[i].ops->host(outputs->list[i].report, host);
        check_output(outputs, &outputs->list[i]);
    }
}

int outputs_waiting_fd(const struct outputs *outputs)
{
    int fd = -1;
    for (unsigned i = 0; i < outputs->count && fd < 0; i++)
        fd = sink_waiting_fd(outputs->list[i].sink);
    return fd;
}

int outputs_reader_fd(const struct outputs *outputs)
{
    int fd = -1;
    for (unsigned i = 0; i < outputs->count && fd < 0; i++)
        fd = is_stdout(&outputs->list[i]) ? sink_reader_fd(outputs->list[i].sink) : -1;
    return fd;
}

void outputs_reader_left(struct outputs *outputs)
{
    for (unsigned i = 0; i < outputs->count; i++) {
        if (!is_stdout(&outputs->list[i]))
            continue;
        sink_reader_left(outputs->list[i].sink);
        check_output(outputs, &outputs->list[i]);
    }
}

void outputs_flush(struct outputs *outputs)
{
    for (unsigned i = 0; i < outputs->count; i++) {
        struct output *output = &outputs->list[i];
        if (outputs->written)
            fflush(output->file);
        if (sink_waiting_fd(output->sink) >= 0)
            sink_flush(output->sink);
        check_output(outputs, output);
    }
    outputs->written = false;
}

/* A failure of one file does not keep the others from being completed. */
void outputs_end(struct outputs *outputs, const struct report_end *end)
{
    for (unsigned i = 0; i < outputs->count; i++) {
        struct output *output = &outputs->list[i];
        if (sink_error(output->sink) != 0)
            continue;
        bool whole = output->ops->end(output->report, end);
        fflush(output->file);
        check_output(outputs, output);
        if (!whole && !outputs->failed) {
            outputs->failed = true;
            error_set(&outputs->error, EX_OSERR, "out of memory: %s is not complete", output_name(output));
        }
    }
    for (unsigned i = 0; i < outputs->count; i++) { /* all are whole before one is waited for */
        sink_drain(outputs->list[i].sink);
        check_output(outputs, &outputs->list[i]);
    }
}

void outputs_done(struct outputs *outputs)
{
    for (unsigned i = 0; i < outputs->count; i++)
        output_done(&outputs->list[i]);
    outputs->count = 0;
}
