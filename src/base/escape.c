#include "base/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ESCAPE_LEN 4 /* \xNN */

/* One character of UTF-8 as RFC 3629 section 4 allows it: shortest form, no surrogates, at most U+10FFFF.
 * Returns its length, or 0. */
static size_t utf8_read(const uint8_t *bytes, size_t len, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800,
                                     0x10000}; /* by length: below it is an overlong form */
    uint8_t lead = bytes[0];
    size_t char_len = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (char_len == 0 || char_len > len)
        return 0;

    uint32_t code = char_len == 1 ? lead : lead & (0x7fu >> char_len);
    for (size_t i = 1; i < char_len; i++) {
        if (bytes[i] >> 6 != 2)
            return 0;
        code = code << 6 | (bytes[i] & 0x3f);
    }
    if (code < least[char_len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    *ret = code;
    return char_len;
}

/* Characters that no XML document may hold, and those that a reader of it should not meet in a name. */
static bool kept_in_xml(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } dropped[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},   {0x200e, 0x200f},
        {0x2028, 0x202e}, {0x2066, 0x2069}, {0xfffe, 0xffff},
    };
    for (size_t i = 0; i < sizeof dropped / sizeof dropped[0]; i++)
        if (code >= dropped[i].first && code <= dropped[i].last)
            return false;
    return true;
}

size_t escape_kept(enum escape_sink sink, const char *text, size_t len)
{
    uint8_t byte = (uint8_t)text[0];
    bool printable = byte >= 0x20 && byte <= 0x7e;
    uint32_t code;
    size_t char_len;
    if (byte == '\\')
        return 0;
    switch (sink) {
    case ESCAPE_TEXT:
        return printable;
    case ESCAPE_GREPABLE:
        return printable && !strchr("/,()", byte);
    case ESCAPE_XML:
        char_len = utf8_read((const uint8_t *)text, len, &code);
        return char_len && kept_in_xml(code) ? char_len : 0;
    case ESCAPE_JSON:
        return utf8_read((const uint8_t *)text, len, &code);
    }
    return 0;
}

/* One step: what the first character of `text` becomes. Returns how many bytes of it that takes. */
static size_t escape_next(enum escape_sink sink, const char *text, size_t len, char ret[static ESCAPE_LEN],
                          size_t *ret_len)
{
    static const char digits[] = "0123456789abcdef";
    size_t kept = escape_kept(sink, text, len);
    if (kept) {
        memcpy(ret, text, kept);
        *ret_len = kept;
        return kept;
    }
    uint8_t byte = (uint8_t)text[0];
    ret[0] = '\\';
    ret[1] = 'x';
    ret[2] = digits[byte >> 4];
    ret[3] = digits[byte & 15];
    *ret_len = ESCAPE_LEN;
    return 1;
}

size_t escape_copy(enum escape_sink sink, const char *text, char *ret, size_t capacity)
{
    size_t len = strlen(text);
    size_t written = 0;
    for (size_t at = 0; at < len;) {
        char piece[ESCAPE_LEN];
        size_t piece_len;
        at += escape_next(sink, text + at, len - at, piece, &piece_len);
        if (written + piece_len >= capacity)
            break;
        memcpy(ret + written, piece, piece_len);
        written += piece_len;
    }
    ret[written] = '\0';
    return written;
}

char *escape_new(enum escape_sink sink, const char *text)
{
    size_t capacity = ESCAPE_MAX(strlen(text));
    char *escaped = malloc(capacity);
    if (escaped)
        escape_copy(sink, text, escaped, capacity);
    return escaped;
}

void escape_write(enum escape_sink sink, const char *text, FILE *out)
{
    size_t len = strlen(text);
    for (size_t at = 0; at < len;) {
        char piece[ESCAPE_LEN];
        size_t piece_len;
        at += escape_next(sink, text + at, len - at, piece, &piece_len);
        fwrite(piece, 1, piece_len, out);
    }
}
