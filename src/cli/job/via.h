/* The host through which others are scanned: HOST[:PORT] of -sI, [USER[:PASSWORD]@]HOST[:PORT] of -b. The
 * host is a name, an IPv4 address, or an IPv6 address, in brackets when a port follows. Nothing is decoded:
 * what stands before the last @ is the user, up to its first colon, and the password. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "plan/targets.h"

#define VIA_LOGIN_MAX 256 /* with the final NUL */

struct via {
    struct addr addr;
    uint16_t port;
    char user[VIA_LOGIN_MAX], password[VIA_LOGIN_MAX]; /* "": not given */
};

/* What may stand in the option. */
struct via_rule {
    const char *spelled; /* "-b", for messages */
    bool with_login;
    uint16_t port; /* when none is given */
};

/* EX_USAGE for what is no such host, or as the resolver fails; a name without an address is
 * EX_UNAVAILABLE. */
int via_read(const char *text, const struct via_rule *rule, const struct target_resolver *resolver,
             struct via *ret, struct error *err);
