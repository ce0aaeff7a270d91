/* The FTP server: how many connections it bears, when it is of no use, and what it never did for us. */
#include "engine/bounce/internal.h"

/* So many connections in a row that came to nothing show that nothing will; fewer, before the server has done
 * anything for us. Between two of them we wait, twice as long each time. */
#define FAILURES_MAX       12
#define FIRST_FAILURES_MAX 5
#define FIRST_BACKOFF_NS   (250 * MSEC)
#define BACKOFF_STEPS      5

static void note(struct bounce *bounce, enum relay_trouble trouble, unsigned number)
{
    struct record record = record_new(&bounce->config, bounce->now_ns, RECORD_NOTE, &bounce->relay.addr);
    record.note = NOTE_RELAY;
    record.value[0] = trouble;
    record.value[1] = number;
    bounce_emit(bounce, &record);
}

void relay_give_up(struct bounce *bounce, enum relay_trouble trouble, unsigned number)
{
    if (bounce->given_up)
        return;
    bounce->given_up = true;
    note(bounce, trouble, number);
}

unsigned relay_sessions(const struct bounce *bounce, bool working)
{
    unsigned count = 0;
    for (unsigned i = 0; i < BOUNCE_SESSIONS_MAX; i++) {
        enum bounce_step step = (enum bounce_step)bounce->sessions[i].step;
        count += step != STEP_NONE && !(working && step == STEP_STUCK);
    }
    return count;
}

/* How many failures in a row are enough: the more, the more the server has done for us before. */
static unsigned failures_enough(const struct bounce *bounce, enum relay_trouble trouble)
{
    bool may_pass = trouble == RELAY_HANGS_UP || trouble == RELAY_FULL;
    if (bounce->has_grown)
        return FAILURES_MAX;
    return bounce->was_in || may_pass ? FIRST_FAILURES_MAX : 1;
}

/* Is there a connection that has been of use? */
static bool any_is_fruitful(const struct bounce *bounce)
{
    bool fruitful = false;
    for (unsigned i = 0; i < BOUNCE_SESSIONS_MAX; i++)
        fruitful |= bounce->sessions[i].step != STEP_NONE && bounce->sessions[i].fruitful;
    return fruitful;
}

void relay_session_failed(struct bounce *bounce, bool while_logging_in, enum relay_trouble trouble,
                          unsigned number)
{
    unsigned others = relay_sessions(bounce, false);
    int64_t wait_ns = FIRST_BACKOFF_NS
                      << (bounce->failures < BACKOFF_STEPS ? bounce->failures : BACKOFF_STEPS);
    if (while_logging_in && others > 0)
        bounce->allowed = others;
    if (++bounce->failures >= failures_enough(bounce, trouble) && !any_is_fruitful(bounce))
        relay_give_up(bounce, trouble, number);
    bounce->next_open_ns = bounce->now_ns + wait_ns;
}

void relay_note_refusals(struct bounce *bounce)
{
    const struct {
        const struct bounce_consent *consent;
        enum relay_trouble trouble;
    } kinds[] = {{&bounce->high, bounce->high.names_target ? RELAY_FORBIDS : RELAY_NO_LIST},
                 {&bounce->low, RELAY_FORBIDS_LOW},
                 {&bounce->v6, RELAY_FORBIDS_V6}};
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0] && !bounce->given_up; i++)
        if (kinds[i].consent->refused > 0 && kinds[i].consent->obeyed == 0)
            note(bounce, kinds[i].trouble, kinds[i].consent->code);
    if (!bounce->given_up && !bounce->has_told && bounce->has_grown)
        note(bounce, RELAY_TELLS_NOTHING, 0);
}
