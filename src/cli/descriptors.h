/* Open files of this process. */
#pragma once

/* Descriptors 0 to 2 must exist, or a socket would become standard output. Those that are missing are opened so that every
 * write to them fails. */
void descriptors_hold_standard(void);

/* Close everything but 0 to 2 and these; those of -1 are passed over. Sorts the list. */
void descriptors_keep_only(int *fds, unsigned count);
