#include "cli/stored/limit.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

static int enter(const struct options *options, char *const *stores, size_t count, struct talk *talk,
                 struct error *err)
{
    char text[SANDBOX_TEXT_MAX];
    struct sandbox_state state;
    const char *names[SANDBOX_STORES_MAX];
    for (size_t i = 0; i < count; i++)
        names[i] = stores[i];
    const struct sandbox_config config = {
        .role = SANDBOX_READER, .unwanted = options->no_sandbox, .stores = names, .store_count = count};
    tzset(); /* reads the file of the time zone */
    int r = sandbox_enter(&config, &state, err);
    if (r == 0 && options->verbosity > 0) {
        sandbox_describe(&state, text);
        talk_note(talk, "sandbox: %s", text);
    }
    return r;
}

static int note_interface(void *context, const char *interface, uint32_t scope)
{
    talk_note(
        context,
        "the store has link-local addresses of the interface '%.64s', which this machine does not have: "
        "%" PRIu32 " stands for it",
        interface, scope);
    return 0;
}

int stored_look_at(const char *path, struct talk *talk, struct session **ret, struct error *err)
{
    struct session *session = NULL;
    int r = session_look_at(path, &session, err);
    if (r < 0)
        return r;
    r = load_missing_interfaces(session->database, note_interface, talk, err);
    if (r < 0)
        session_free(session);
    else
        *ret = session;
    return r;
}

int stored_limit(const struct options *options, size_t count, struct talk *talk, struct error *err)
{
    char *stores[SANDBOX_STORES_MAX] = {
        NULL}; /* owned; links are followed, for the log is beside the file itself */
    int r = 0;
    assert(count <= SANDBOX_STORES_MAX && count <= options->target_count);
    for (size_t i = 0; i < count && r == 0; i++) {
        stores[i] = realpath(options->targets[i], NULL);
        if (!stores[i] || access(stores[i], R_OK) < 0)
            r = error_set(err, EX_NOINPUT, "cannot read '%s': %s", options->targets[i], strerror(errno));
    }
    if (r == 0)
        r = enter(options, stores, count, talk, err);
    for (size_t i = 0; i < count; i++)
        free(stores[i]);
    return r;
}
