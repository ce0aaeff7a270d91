/* What this process is allowed to do, and giving it up (capabilities(7), design decision 11). Portolan needs
 * CAP_NET_RAW to open raw and packet sockets and nothing after that: main opens them, drops everything, and
 * only then reads files, names and packets. Capabilities belong to a thread, so all of this is called before
 * there is a second one. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* May this process open raw sockets, at once or after caps_raise_net_raw? */
bool caps_have_net_raw(void);

/* Make CAP_NET_RAW effective and nothing else, for the time in which sockets are opened; then nothing, which
 * cannot fail. EX_NOPERM: it is not permitted, and the text says how to grant it. */
int caps_raise_net_raw(struct error *err);
void caps_lower_net_raw(void);

/* Put CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN into effect beside CAP_NET_RAW, for loading and attaching
 * programs. -EX_NOPERM without them. Also CAP_SYS_RESOURCE where it is permitted, for the limit of locked
 * memory. Nothing lowers them but caps_drop_all. */
int caps_raise_wire(struct error *err);

/* Give up all privilege for good, and check that it is gone. Root run through sudo becomes the invoking user
 * (SUDO_UID and SUDO_GID) without supplementary groups; a set-user-ID program becomes its caller; any other
 * root stays user 0, but without a single capability, so it can write only where user 0 is allowed to as an
 * ordinary owner. From then on nobody but root may look into its memory, and no core file is written of it
 * (PR_SET_DUMPABLE). Call it before output files are opened. EX_USAGE: SUDO_UID or SUDO_GID is no user or
 * group number; EX_OSERR: something is left. */
int caps_drop_all(struct error *err);

/* No program that this process runs can gain privilege (PR_SET_NO_NEW_PRIVS). Cannot be undone. EX_OSERR. */
int caps_no_new_privs(struct error *err);
