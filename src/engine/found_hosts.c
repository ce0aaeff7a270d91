#include "engine/found_hosts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/bitset.h"

int found_hosts_init(struct found_hosts *found, const struct plan *plan, struct error *err)
{
    if (plan->host_count > FOUND_HOSTS_MAX)
        return error_set(err, EX_USAGE,
                         "-P options before a scan through another host take at most %" PRIu64
                         " addresses at once; --shard divides them",
                         FOUND_HOSTS_MAX);
    *found = (struct found_hosts){.up = calloc(bitset_words(plan->host_count) + 1, sizeof *found->up)};
    return found->up ? 0 : error_set(err, EX_OSERR, "out of memory");
}

void found_hosts_done(struct found_hosts *found)
{
    free(found->up);
    *found = (struct found_hosts){.count = 0};
}

void found_hosts_add(struct found_hosts *found, uint64_t position)
{
    found->count += !bitset_get(found->up, position);
    bitset_set(found->up, position);
}

uint64_t found_hosts_next(const struct found_hosts *found, const struct plan *plan, uint64_t from)
{
    while (found && from < plan->host_count && !bitset_get(found->up, from))
        from++;
    return from;
}

uint64_t found_hosts_count(const struct found_hosts *found, const struct plan *plan)
{
    return found ? found->count : plan->host_count;
}
