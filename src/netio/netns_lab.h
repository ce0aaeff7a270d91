/* A practice network for tests: two network namespaces of this process alone, a veth pair between them, no
 * way out. The calling thread is in the near one afterwards. Works as root, or as anybody where user
 * namespaces are allowed; nothing is left behind, whatever becomes of the process.
 *
 *   near: veth `near`  198.18.0.1/24      2001:db8::1/64      (and 198.18.0.33) routes:
 *                                                               203.0.113.0/24 and 2001:db8:1::/64 through
 *                                                               the far end
 *                                                               198.51.100.0/25 through a gateway that is not
 *                                                               there
 *                                                               198.51.100.128/25 unreachable
 *                                                               nothing else
 *   far:  veth `far`   198.18.0.2/24      2001:db8::2/64      and all of the two routed networks;
 *                                                               TCP port LAB_OPEN_PORT listens, all others
 *                                                               are closed */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LAB_OPEN_PORT 80

struct netns_lab {
    int near; /* namespaces */
    int far;
    int listener;
    int near_listener; /* LAB_OPEN_PORT in the near namespace */
};

#define LAB_NOT_POSSIBLE 77 /* exit status: Meson's word for a test that could not run */

/* Ends the program, with LAB_NOT_POSSIBLE where this machine does not let us make namespaces, and at any
 * other failure with a message. */
void netns_lab_open(struct netns_lab *ret);
/* Bring the near end up again, with its addresses and routes, after a test took them away. */
void netns_lab_restore(const struct netns_lab *lab);
/* Does the far end poll (as with GRO), and so take frames that a BPF program sends? It does from the
 * start. */
void netns_lab_let_far_poll(const struct netns_lab *lab, bool polls);
void netns_lab_close(struct netns_lab *lab);

/* Run a shell command in the namespace; ends the program when it fails. */
void netns_lab_run(int namespace, const char *command);
