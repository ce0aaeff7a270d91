#include "cli/supervisor/names.h"

#include <stdlib.h>
#include <string.h>

#include "sandbox/sandbox.h"

#define WAITING_MIN 64

void names_init(struct names *names, const struct options *options)
{
    *names = (struct names){.options = options};
}

void names_done(struct names *names)
{
    resolver_stop(names->resolver);
    free(names->waiting);
    *names = (struct names){.options = names->options};
}

static int confine(void *context, struct error *err)
{
    const struct names *names = context;
    struct sandbox_config config = {.role = SANDBOX_NAMES, .unwanted = names->options->no_sandbox};
    return sandbox_enter(&config, NULL, err);
}

static int start(struct names *names, struct error *err)
{
    if (names->resolver)
        return 0;
    struct resolver_config config = {
        .dns_servers = names->options->dns_servers, .confine = confine, .context = names};
    return resolver_start(&config, &names->resolver, err);
}

static int resolve_strictly(void *context, const char *name, struct addr *ret, size_t capacity,
                            size_t *ret_count, struct error *err)
{
    struct names *names = context;
    int r = start(names, err);
    if (r < 0)
        return r;
    struct resolver_addrs found;
    r = resolver_forward(names->resolver, name, ADDR_NONE, &found, err);
    if (r < 0)
        return r;
    *ret_count = found.count < capacity ? found.count : capacity;
    memcpy(ret, found.list, *ret_count * sizeof *ret);
    return 0;
}

static int resolve_leniently(void *context, const char *name, struct addr *ret, size_t capacity,
                             size_t *ret_count, struct error *err)
{
    struct names *names = context;
    struct error failure = {.status = 0};
    int r = resolve_strictly(context, name, ret, capacity, ret_count, &failure);
    if (r == -EX_DATAERR) {
        if (names->failure.status == 0)
            names->failure = failure;
        *ret_count = 0;
        return 0;
    }
    return r < 0 ? error_set(err, failure.status, "%s", failure.text) : 0;
}

static struct target_resolver target_resolver(struct names *names)
{
    return (struct target_resolver){
        .context = names,
        .prefer = names->options->ipv6 ? ADDR_V6 : ADDR_V4,
        .all = names->options->resolve_all,
    };
}

struct target_resolver names_for_targets(struct names *names)
{
    struct target_resolver resolver = target_resolver(names);
    resolver.resolve = resolve_leniently;
    return resolver;
}

struct target_resolver names_for_excluded(struct names *names)
{
    struct target_resolver resolver = target_resolver(names);
    resolver.resolve = resolve_strictly;
    resolver.all = true; /* a host is left out by whichever of its addresses */
    return resolver;
}

int names_prepare_reverse(struct names *names, struct error *err)
{
    if (!names->options->no_names)
        return start(names, err);
    resolver_stop(names->resolver);
    names->resolver = NULL;
    return 0;
}

/* Put an address at the end of the ring. False without memory: the host goes without a name. */
static bool wait_for_turn(struct names *names, const struct addr *host)
{
    if (names->waiting_count == names->waiting_capacity) {
        size_t capacity = names->waiting_capacity ? 2 * names->waiting_capacity : WAITING_MIN;
        struct addr *waiting = malloc(capacity * sizeof *waiting);
        if (!waiting)
            return false;
        for (size_t i = 0; i < names->waiting_count; i++)
            waiting[i] = names->waiting[(names->waiting_first + i) % names->waiting_capacity];
        free(names->waiting);
        names->waiting = waiting;
        names->waiting_first = 0;
        names->waiting_capacity = capacity;
    }
    names->waiting[(names->waiting_first + names->waiting_count++) % names->waiting_capacity] = *host;
    return true;
}

static void ask_waiting(struct names *names)
{
    while (names->waiting_count > 0 &&
           resolver_ask_ptr(names->resolver, &names->waiting[names->waiting_first])) {
        names->waiting_first = (names->waiting_first + 1) % names->waiting_capacity;
        names->waiting_count--;
    }
}

void names_ask(struct names *names, struct results *results, const struct addr *host)
{
    if (!names->resolver || resolver_fd(names->resolver) < 0)
        return;
    if (results_await_ptr_name(results, host) && !wait_for_turn(names, host))
        results_set_ptr_name(results, host, NULL);
    ask_waiting(names);
}

/* The resolver has died: nobody waits for it. */
static void give_up(struct names *names, struct results *results)
{
    while (names->waiting_count > 0) {
        results_set_ptr_name(results, &names->waiting[names->waiting_first], NULL);
        names->waiting_first = (names->waiting_first + 1) % names->waiting_capacity;
        names->waiting_count--;
    }
}

void names_read(struct names *names, struct results *results)
{
    if (!names->resolver)
        return;
    struct addr addr;
    char name[RESOLVER_NAME_MAX + 1];
    while (resolver_read(names->resolver, &addr, name))
        results_set_ptr_name(results, &addr, *name ? name : NULL);
    if (resolver_fd(names->resolver) >= 0)
        ask_waiting(names);
    else
        give_up(names, results);
}

pid_t names_pid(const struct names *names)
{
    return names->resolver ? resolver_pid(names->resolver) : 0;
}

int names_fd(const struct names *names)
{
    return names->resolver ? resolver_fd(names->resolver) : -1;
}

bool names_busy(const struct names *names)
{
    return names->resolver && (names->waiting_count > 0 || resolver_pending(names->resolver) > 0);
}
