#include "sandbox/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/calls.h"
#include "sandbox/caps.h"
#include "sandbox/landlock.h"
#include "sandbox/sanitizers.h"

/* Where the name service of a system has its modules and what it reads. The last are links on many systems,
 * and lead elsewhere. */
static const struct landlock_path name_paths[] = {
    {"/etc", LANDLOCK_READ},
    {"/usr", LANDLOCK_READ},
    {"/lib", LANDLOCK_READ},
    {"/lib64", LANDLOCK_READ},
    {"/run", LANDLOCK_READ},
    {"/var/lib", LANDLOCK_READ},
    {"/etc/hosts", LANDLOCK_READ},
    {"/etc/resolv.conf", LANDLOCK_READ},
    {"/etc/nsswitch.conf", LANDLOCK_READ},
};

struct sandbox_state sandbox_possible(void)
{
    struct sandbox_state state = {.landlock_version = landlock_version()};
    state.calls = calls_filter_exists() ? SANDBOX_ON : SANDBOX_MISSING;
    state.files = state.landlock_version > 0 ? SANDBOX_ON : SANDBOX_MISSING;
    if (sanitizers_present())
        state.calls = state.files = SANDBOX_SANITIZERS;
    return state;
}

/* Stores, and what SQLite keeps beside them. */
static int limit_to_stores(const struct sandbox_config *config, struct landlock_limits limits,
                           unsigned version, struct error *err)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    enum { ENDINGS = sizeof endings / sizeof endings[0], PATHS = SANDBOX_STORES_MAX * ENDINGS };
    char *names[PATHS] = {NULL}; /* owned */
    struct landlock_path paths[PATHS + 1] = {{"/dev/urandom", LANDLOCK_READ}};
    int r = 0;
    limits.paths = paths;
    limits.path_count = 1;
    for (size_t i = 0; i < config->store_count * ENDINGS && r == 0; i++) {
        if (asprintf(&names[i], "%s%s", config->stores[i / ENDINGS], endings[i % ENDINGS]) < 0)
            r = error_set(err, EX_OSERR, "out of memory");
        else
            paths[limits.path_count++] = (struct landlock_path){names[i], LANDLOCK_READ};
    }
    if (r == 0)
        r = landlock_enter(&limits, version, err);
    for (size_t i = 0; i < PATHS; i++)
        free(names[i]);
    return r;
}

static int limit_files(const struct sandbox_config *config, unsigned version, struct error *err)
{
    enum sandbox_role role = config->role;
    struct landlock_path store_paths[] = {
        {config->directory, LANDLOCK_CHANGE}, {"/dev/urandom", LANDLOCK_READ}, /* as SQLite wants it */
    };
    struct landlock_limits limits = {
        .no_tcp = role != SANDBOX_CONNECTS && role != SANDBOX_NAMES,
        .no_signals = role == SANDBOX_PACKETS || role == SANDBOX_CONNECTS || role == SANDBOX_READER ||
                      role == SANDBOX_TERMINAL,
    };
    if (role == SANDBOX_READER)
        return limit_to_stores(config, limits, version, err);
    if (role == SANDBOX_NAMES) {
        limits.paths = name_paths;
        limits.path_count = sizeof name_paths / sizeof name_paths[0];
    } else if (config->directory) {
        limits.paths = store_paths;
        limits.path_count = sizeof store_paths / sizeof store_paths[0];
    }
    return landlock_enter(&limits, version, err);
}

int sandbox_enter(const struct sandbox_config *config, struct sandbox_state *ret_state, struct error *err)
{
    struct sandbox_state state = sandbox_possible();
    if (config->unwanted)
        state.calls = state.files = SANDBOX_UNWANTED;
    int r = caps_no_new_privs(err);
    if (r == 0 && state.files == SANDBOX_ON)
        r = limit_files(config, state.landlock_version, err);
    if (r == 0 && state.calls == SANDBOX_ON)
        r = calls_limit(config->role, config->children, config->child_count, err);
    if (r == 0 && ret_state)
        *ret_state = state;
    return r;
}

static const char *describe_layer(enum sandbox_layer layer)
{
    switch (layer) {
    case SANDBOX_ON:
        return "limited";
    case SANDBOX_UNWANTED:
        return "not limited (--no-sandbox)";
    case SANDBOX_MISSING:
        return "not limited (this kernel cannot)";
    case SANDBOX_SANITIZERS:
        return "not limited (built with sanitizers)";
    }
    return "";
}

void sandbox_describe(const struct sandbox_state *state, char ret[static SANDBOX_TEXT_MAX])
{
    char version[32] = "";
    if (state->files == SANDBOX_ON)
        snprintf(version, sizeof version, " (Landlock %u)", state->landlock_version);
    snprintf(ret, SANDBOX_TEXT_MAX, "system calls are %s, files are %s%s", describe_layer(state->calls),
             describe_layer(state->files), version);
}
