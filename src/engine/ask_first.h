/* Discovery before a scan through a third party, when it is asked for: our own packets show which targets are
 * up, and only then the other scan begins, with those. */
#pragma once

#include "engine/engine.h"
#include "engine/found_hosts.h"

/* One scanner that is both, one after the other. EX_OSERR without memory; `then` stays the caller's in that
 * case.
 *   config  of the scan; its io and its discovery are those that ask. *config is copied, as by engine_new
 *   found   empty, and named in the config that `then` was made with; filled here. Borrowed
 *   then    taken over; may have the same io */
int ask_first_new(const struct engine_config *config, struct found_hosts *found, struct scanner *then,
                  struct scanner **ret, struct error *err);
