#include "cli/talk.h"

#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/escape.h"

#define LINE_MAX_LEN 1024
#define USUAL_WIDTH  80

struct talk talk_new(FILE *out)
{
    return (struct talk){.out = out, .terminal = isatty(fileno(out)) == 1};
}

static void put_line(struct talk *talk, const char *prefix, const char *text)
{
    char escaped[ESCAPE_MAX(LINE_MAX_LEN)];
    escape_copy(ESCAPE_TEXT, text, escaped, sizeof escaped);
    talk_clear(talk);
    fprintf(talk->out, "%s%s\n", prefix, escaped);
    fflush(talk->out);
}

void talk_say(struct talk *talk, const char *format, ...)
{
    char text[LINE_MAX_LEN];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put_line(talk, "portolan: ", text);
}

void talk_note(struct talk *talk, const char *format, ...)
{
    char text[LINE_MAX_LEN];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put_line(talk, "portolan: note: ", text);
}

void talk_error(struct talk *talk, const struct error *err)
{
    put_line(talk, "portolan: ", err->text);
}

void talk_line(struct talk *talk, const char *text)
{
    put_line(talk, "", text);
}

void talk_progress(struct talk *talk, const char *text)
{
    if (!talk->terminal)
        return;
    struct winsize size = {.ws_col = 0};
    bool known = ioctl(fileno(talk->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    fprintf(talk->out, "\r\033[K%.*s", known ? size.ws_col - 1 : USUAL_WIDTH - 1, text);
    fflush(talk->out);
    talk->line_drawn = true;
}

void talk_clear(struct talk *talk)
{
    if (!talk->line_drawn)
        return;
    fputs("\r\033[K", talk->out);
    fflush(talk->out);
    talk->line_drawn = false;
}
