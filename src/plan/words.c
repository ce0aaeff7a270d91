#include "plan/words.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

static int cannot_read(const struct words *words, int error, struct error *err)
{
    return error_set(err, EX_NOINPUT, "cannot read %s: %s", words->path, strerror(error));
}

/* The buffer's next bytes. 1, 0 at the end of the file, or negative. */
static int fill(struct words *words, struct error *err)
{
    errno = 0;
    words->len = fread(words->buffer, 1, sizeof words->buffer, words->file);
    words->at = 0;
    if (words->len)
        return 1;
    return ferror(words->file) ? cannot_read(words, errno ? errno : EIO, err) : 0;
}

static int skip_byte_order_mark(struct words *words, struct error *err)
{
    int status = fill(words, err);
    if (status > 0 && words->len >= 3 && memcmp(words->buffer, "\xef\xbb\xbf", 3) == 0)
        words->at = 3;
    return status < 0 ? status : 0;
}

int words_open(struct words *ret, const char *path, bool dash_is_stdin, struct error *err)
{
    bool is_stdin = dash_is_stdin && strcmp(path, "-") == 0;
    ret->path = is_stdin ? "standard input" : path;
    ret->owns_file = !is_stdin;
    ret->line = 1;
    ret->column = 1;
    ret->file = is_stdin ? stdin : fopen(path, "re");
    if (!ret->file)
        return error_set(err, EX_NOINPUT, "cannot open %s: %s", ret->path, strerror(errno));

    struct stat stat;
    int status = 0;
    if (fstat(fileno(ret->file), &stat) == 0 && S_ISDIR(stat.st_mode))
        status = cannot_read(ret, EISDIR, err);
    else
        status = skip_byte_order_mark(ret, err);
    if (status < 0)
        words_close(ret);
    return status;
}

enum kind { KIND_TEXT, KIND_BLANK, KIND_LINE_END, KIND_COMMENT, KIND_BINARY };

static enum kind kind_of(unsigned char byte)
{
    if (byte > '#' && byte != 0x7f)
        return KIND_TEXT;
    switch (byte) {
    case ' ':
    case '\t':
    case '\r':
    case '\v':
    case '\f':
        return KIND_BLANK;
    case '\n':
        return KIND_LINE_END;
    case '#':
        return KIND_COMMENT;
    default:
        return byte < ' ' || byte == 0x7f ? KIND_BINARY : KIND_TEXT;
    }
}

static int not_text(const struct words *words, unsigned char byte, struct error *err)
{
    return error_set(err, EX_DATAERR,
                     "%s:%" PRIu64 ":%" PRIu64 ": byte 0x%02x does not belong in a text file", words->path,
                     words->line, words->column, byte);
}

static void step(struct words *words, enum kind kind)
{
    words->at++;
    words->column++;
    if (kind == KIND_LINE_END) {
        words->line++;
        words->column = 1;
    }
}

/* Take bytes into the word until one ends it, which stays in the buffer. 1 once it ended, 0 when the buffer
 * did. */
static int take_word(struct words *words, struct word *ret, struct error *err)
{
    for (; words->at < words->len; step(words, KIND_TEXT)) {
        unsigned char byte = words->buffer[words->at];
        enum kind kind = kind_of(byte);
        if (kind == KIND_BINARY)
            return not_text(words, byte, err);
        if (kind != KIND_TEXT)
            return 1;
        if (ret->len == WORD_TEXT_MAX)
            return error_set(err, EX_DATAERR, "%s:%" PRIu64 ": entry longer than %d bytes, starting '%.40s'",
                             words->path, ret->line, WORD_TEXT_MAX, ret->text);
        ret->text[ret->len++] = (char)byte;
    }
    return 0;
}

/* Pass over blanks, line ends and comments. 1 at the first byte of a word, 0 at the end of the buffer. */
static int skip_to_word(struct words *words, bool *in_comment, struct error *err)
{
    while (words->at < words->len) {
        unsigned char byte = words->buffer[words->at];
        enum kind kind = kind_of(byte);
        if (kind == KIND_BINARY)
            return not_text(words, byte, err);
        if (kind == KIND_TEXT && !*in_comment)
            return 1;
        if (kind == KIND_COMMENT)
            *in_comment = true;
        if (kind == KIND_LINE_END)
            *in_comment = false;
        step(words, kind);
    }
    return 0;
}

int words_next(struct words *words, struct word *ret, struct error *err)
{
    bool in_comment = false;
    int status = 0;
    while ((status = skip_to_word(words, &in_comment, err)) == 0) {
        status = fill(words, err);
        if (status <= 0)
            return status;
    }
    if (status < 0)
        return status;

    ret->line = words->line;
    ret->column = words->column;
    ret->len = 0;
    while ((status = take_word(words, ret, err)) == 0) {
        status = fill(words, err);
        if (status < 0)
            return status;
        if (status == 0)
            break;
    }
    if (status < 0)
        return status;
    ret->text[ret->len] = '\0';
    return 1;
}

void words_close(struct words *words)
{
    if (words->file && words->owns_file)
        fclose(words->file);
    words->file = NULL;
}
