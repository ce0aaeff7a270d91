/* What the kernel dropped before any socket saw it: the per-CPU backlog's counters (/proc/net/softnet_stat).
 * A scanner that asks a fast neighbour loses answers there, and no counter of its sockets says so. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Packets dropped on all CPUs since boot; 0 when it cannot be read.
 *   fd  of /proc/net/softnet_stat, or -1 */
uint64_t softnet_dropped(int fd);

/* Read the file's text: lines of hexadecimal columns, one a CPU, of which the second counts drops. Adds them
 * to *sum. Returns the length of the whole lines at the start of `text`; what is behind them was not looked
 * at. */
size_t softnet_parse(const char *text, uint64_t *sum);
