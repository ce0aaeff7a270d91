#include "netio/xdp/link_count.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SENT_COLUMN 9 /* after the name: eight columns of what was received, then bytes and packets sent */

/* The line after the name and its colon. NULL: it is of another interface. */
static const char *columns_of(const char *line, const char *name)
{
    size_t len = strlen(name);
    line += strspn(line, " ");
    return strncmp(line, name, len) == 0 && line[len] == ':' ? line + len + 1 : NULL;
}

bool link_count_parse(const char *text, const char *name, size_t *ret_len, uint64_t *ret_sent)
{
    const char *line = text;
    const char *found = NULL;
    for (const char *end; (end = strchr(line, '\n')); line = end + 1)
        found = found ? found : columns_of(line, name);
    *ret_len = (size_t)(line - text);
    if (!found)
        return false;
    for (unsigned i = 0; i < SENT_COLUMN; i++) {
        char *next;
        strtoull(found, &next, 10);
        found = next;
    }
    *ret_sent = strtoull(found, NULL, 10);
    return true;
}

uint64_t link_count_sent(int fd, const char *name)
{
    char text[4096];
    uint64_t sent = 0;
    off_t offset = 0;
    while (fd >= 0) {
        size_t whole;
        ssize_t len = pread(fd, text, sizeof text - 1, offset);
        if (len <= 0)
            break;
        text[len] = '\0';
        if (link_count_parse(text, name, &whole, &sent) || whole == 0)
            break;
        offset += (off_t)whole;
    }
    return sent;
}
