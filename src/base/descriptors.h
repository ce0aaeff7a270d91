/* Open files of this process. */
#pragma once

/* Descriptors 0 to 2 must exist, or a socket would become standard output. Those that are missing are opened
 * so that every write to them fails. */
void descriptors_hold_standard(void);

/* Make standard input and output nobody's. 0, or -errno: they are what they were. */
int descriptors_null_standard(void);

/* Close everything but 0 to 2 and these; those of -1 are passed over. Sorts the list. 0, or -errno: something
 * may still be open. */
int descriptors_keep_only(int *fds, unsigned count);
