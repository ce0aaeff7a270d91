/* options_parse: a command line, its words one behind the other with a zero between. What is taken fits
 * together or is refused in one line; what is not taken is explained. */
#include <string.h>

#include "cli/options/options.h"
#include "fuzz.h"

#define TEXT_MAX  512
#define WORDS_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_MAX + 1];
    char *words[WORDS_MAX + 1] = {(char[]){"portolan"}};
    int count = 1;
    if (size > TEXT_MAX)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    for (size_t at = 0; at < size && count < WORDS_MAX; at += strlen(text + at) + 1)
        words[count++] = text + at;

    struct options options;
    struct error err = {.status = 0};
    if (options_parse(count, words, &options, &err) < 0) {
        assert(err.status > 0 && err.text[0]);
        return 0;
    }
    if (options_check(&options, &err) < 0)
        assert(err.status > 0 && err.text[0]);
    options_done(&options);
    return 0;
}
