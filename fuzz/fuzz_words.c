/* words_next, as targets_read uses it: a text file of targets. The words are all there, in order, and name
 * their place. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "plan/words.h"

/* A word stands in the file where it says it does. */
static void check_place(const struct word *word, const uint8_t *data, size_t size)
{
    uint64_t line = 1;
    size_t at = size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (; line < word->line; at++) {
        assert(at < size);
        line += data[at] == '\n';
    }
    at += (size_t)word->column - 1;
    assert(at <= size && word->len <= size - at && word->len > 0);
    assert(memcmp(data + at, word->text, word->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("words", MFD_CLOEXEC);
    char path[32];
    assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);

    struct words *words = malloc(sizeof *words);
    struct word word;
    struct error err = {0};
    uint64_t line = 0, column = 0;
    assert(words && words_open(words, path, false, &err) == 0);
    int status;
    while ((status = words_next(words, &word, &err)) > 0) {
        assert(strlen(word.text) == word.len);
        assert(word.line > line || (word.line == line && word.column > column));
        check_place(&word, data, size);
        line = word.line;
        column = word.column;
    }
    assert(status == 0 || (status == -EX_DATAERR && err.text[0]));
    words_close(words);
    free(words);
    close(fd);
    return 0;
}
