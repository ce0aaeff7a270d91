/* replay PATH...: without libFuzzer, hand a fuzz target each file named, or each file of a directory named,
 * whole and cut at every length. Exit 0 when all passed, 1 when there was nothing to read; a target that
 * objects aborts. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define INPUT_MAX 65536
#define CUTS_MAX  512

/* In memory of its own, so that a sanitizer or valgrind sees a read one byte too far. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static unsigned replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "cannot read %s: %s\n", path, strerror(errno));
        return 0;
    }
    uint8_t *data = malloc(INPUT_MAX);
    if (!data)
        abort();
    size_t size = fread(data, 1, INPUT_MAX, file);
    fclose(file);

    for (size_t cut = 0; cut < size && cut < CUTS_MAX; cut++)
        run(data, cut);
    run(data, size);
    free(data);
    return 1;
}

static unsigned replay_directory(DIR *directory, const char *path)
{
    unsigned count = 0;
    const struct dirent *entry;
    while ((entry = readdir(directory))) {
        char name[4096];
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(name, sizeof name, "%s/%s", path, entry->d_name) < (int)sizeof name)
            count += replay_file(name);
    }
    return count;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    for (int i = 1; i < argc; i++) {
        DIR *directory = opendir(argv[i]);
        count += directory ? replay_directory(directory, argv[i]) : replay_file(argv[i]);
        if (directory)
            closedir(directory);
    }
    printf("%u inputs\n", count);
    return count > 0 ? 0 : 1;
}
