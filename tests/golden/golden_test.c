/* golden_test DIR: renders every scene in every report and compares it with DIR/SCENE.REPORT, byte for byte.
 * With PORTOLAN_GOLDEN_UPDATE=1 in the environment it writes those files instead: look at the difference
 * before you commit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/own.h"
#include "scene.h"

/* The whole of a file, or NULL when it cannot be read. */
static char *read_file(const char *path, size_t *ret_len)
{
    own(close_file) FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t len = 0;
    FILE *memory = file ? open_memstream(&text, &len) : NULL;
    if (!memory)
        return NULL;
    for (int byte = fgetc(file); byte != EOF; byte = fgetc(file))
        fputc(byte, memory);
    fclose(memory); /* which may move the text */
    *ret_len = len;
    return text;
}

static bool write_file(const char *path, const char *text, size_t len)
{
    own(close_file) FILE *file = fopen(path, "wb");
    return file && fwrite(text, 1, len, file) == len && fflush(file) == 0;
}

static unsigned line_of_difference(const char *a, const char *b, size_t len)
{
    unsigned line = 1;
    for (size_t i = 0; i < len && a[i] == b[i]; i++)
        if (a[i] == '\n')
            line++;
    return line;
}

static bool compare(const char *path, const char *text, size_t len)
{
    size_t expected_len = 0;
    own(free_ptr) char *expected = read_file(path, &expected_len);
    if (!expected) {
        printf("not ok - %s cannot be read\n", path);
        return false;
    }
    if (len == expected_len && memcmp(text, expected, len) == 0)
        return true;
    size_t common_len = len < expected_len ? len : expected_len;
    printf("not ok - %s differs from line %u on; rendered now:\n%.*s\n", path,
           line_of_difference(text, expected, common_len), (int)len, text);
    return false;
}

static bool check(const char *directory, const struct scene *scene, const struct report_ops *ops)
{
    char path[4096];
    own(free_ptr) char *text = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&text, &len);
    if (!memory)
        return false;
    bool rendered = scene_render(scene, ops, memory);
    fclose(memory);
    snprintf(path, sizeof path, "%s/%s.%s", directory, scene->name, ops->name);
    if (!rendered)
        printf("not ok - %s is incomplete\n", path);
    if (!rendered || !getenv("PORTOLAN_GOLDEN_UPDATE"))
        return rendered && compare(path, text, len);
    return write_file(path, text, len);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: golden_test DIRECTORY\n");
        return 2;
    }
    setenv("TZ", "UTC", 1);
    tzset();

    unsigned failed = 0;
    for (size_t i = 0; i < scene_count; i++) {
        failed += !check(argv[1], &scenes[i], &report_interactive);
        for (unsigned j = 0; j < report_table_len; j++)
            failed += !check(argv[1], &scenes[i], report_table[j]);
    }
    printf("%zu scenes, %u reports each, %u wrong\n", scene_count, report_table_len + 1, failed);
    return failed != 0;
}
