/* What the kernel has counted as sent by an interface (/proc/net/dev): the only sign whether frames that a
 * program made have left it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Frames that the interface has sent; 0 when it cannot be read.
 *   fd  of /proc/net/dev, or -1 */
uint64_t link_count_sent(int fd, const char *name);

/* The same of whole lines of the file's text: true when one is of this interface. *ret_len: of the whole
 * lines. */
bool link_count_parse(const char *text, const char *name, size_t *ret_len, uint64_t *ret_sent);
