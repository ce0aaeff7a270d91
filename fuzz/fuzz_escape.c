/* escape.h: any text, in every sink. What is written can be read back, and holds nothing the sink does not
 * keep; so does a store. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "fuzz.h"
#include "store/batch.h"
#include "store/text.h"

static const enum escape_sink sinks[] = {ESCAPE_TEXT, ESCAPE_GREPABLE, ESCAPE_XML, ESCAPE_JSON};

static uint8_t hex_value(char digit)
{
    const char *found = strchr("0123456789abcdef", digit);
    assert(digit && found);
    return (uint8_t)(found - "0123456789abcdef");
}

/* The escaped text stands for these bytes. */
static void assert_stands_for(const char *escaped, const char *text)
{
    while (*escaped) {
        uint8_t byte = (uint8_t)*escaped;
        if (byte == '\\') {
            assert(escaped[1] == 'x');
            byte = (uint8_t)(hex_value(escaped[2]) << 4 | hex_value(escaped[3]));
            escaped += 3;
        }
        assert((uint8_t)*text == byte);
        escaped++;
        text++;
    }
    assert(*text == '\0');
}

/* Every character is an escape or one that the sink keeps. */
static void assert_kept(enum escape_sink sink, const char *escaped)
{
    bool ascii = sink == ESCAPE_TEXT || sink == ESCAPE_GREPABLE;
    size_t len = strlen(escaped);
    for (size_t at = 0; at < len;) {
        size_t kept = escaped[at] == '\\' ? 4 : escape_kept(sink, escaped + at, len - at);
        assert(kept >= 1 && kept <= len - at);
        assert(!ascii || (escaped[at] >= 0x20 && escaped[at] <= 0x7e));
        at += kept;
    }
}

/* As it stands in a store, and as it is had back from there. */
static void check_stored(const char *text)
{
    struct batch batch = {.bytes = NULL};
    struct batch_value value;
    enum store_statement statement;
    size_t at = 0;
    batch_row(&batch, STORE_NAME);
    batch_foreign_text(&batch, text);
    bool row = batch_next_row(&batch, &at, &statement) && batch_next_value(&batch, &at, &value);
    assert(row && value.kind == BATCH_TEXT);
    for (size_t i = 0; i < value.len; i++)
        assert(value.bytes[i] >= 0x20 && value.bytes[i] <= 0x7e);
    char *stored = strndup((const char *)value.bytes, value.len);
    assert(stored);
    text_unescape(stored);
    assert(strcmp(stored, text) == 0);
    free(stored);
    batch_done(&batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = calloc(size + 1, 1);
    char *cut = calloc(size + 1, 1);
    assert(text && cut);
    memcpy(text, data, size);
    for (size_t i = 0; i < sizeof sinks / sizeof sinks[0]; i++) {
        char *escaped = escape_new(sinks[i], text);
        assert(escaped && strlen(escaped) < ESCAPE_MAX(strlen(text)));
        assert_stands_for(escaped, text);
        assert_kept(sinks[i], escaped);

        size_t cut_len = escape_copy(sinks[i], text, cut, size + 1);
        assert(cut_len <= size && cut[cut_len] == '\0' && memcmp(cut, escaped, cut_len) == 0);
        free(escaped);
    }
    check_stored(text);
    free(text);
    free(cut);
    return 0;
}
