/* Records out: what all scanners share. */
#pragma once

#include "engine/engine.h"

/* A record of this moment, of netio's clock; host may be NULL. Everything else is zero. */
struct record record_new(const struct engine_config *config, int64_t now_ns, enum record_type type,
                         const struct addr *host);
