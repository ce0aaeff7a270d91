#include "netio/live/softnet.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t softnet_parse(const char *text, uint64_t *sum)
{
    const char *line = text;
    for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
        char *column;
        strtoul(line, &column, 16);
        if (column < end)
            *sum += strtoul(column, NULL, 16);
    }
    return (size_t)(line - text);
}

uint64_t softnet_dropped(int fd)
{
    char text[4096];
    uint64_t sum = 0;
    off_t offset = 0;
    while (fd >= 0) {
        ssize_t len = pread(fd, text, sizeof text - 1, offset);
        if (len <= 0)
            break;
        text[len] = '\0';
        size_t whole = softnet_parse(text, &sum);
        if (whole == 0)
            break;
        offset += (off_t)whole;
    }
    return sum;
}
