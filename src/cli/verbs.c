#include "cli/verbs.h"

#include <string.h>

static const struct {
    const char *name;
    const char *words; /* how they are called when they are missing */
    unsigned word_count;
} verbs[VERB_COUNT] = {
    [VERB_SCAN] = {"", "", 0},
    [VERB_DOCTOR] = {"doctor", "nothing more", 0},
    [VERB_RESUME] = {"resume", "FILE", 1},
    [VERB_REPORT] = {"report", "FILE", 1},
    [VERB_DIFF] = {"diff", "FILE FILE", 2},
    [VERB_EXPLAIN] = {"explain", "FILE HOST:PORT", 2},
};

/* By long name, or letters where there is none. Options of what is shown go with every report; a scan that
 * goes on may be slower or faster, go another way, and leave out more, but asks the same. */
static const char *const of_reports[] = {"oN",      "oX",    "oG",     "oJ",   "oL",    "oA",
                                         "verbose", "debug", "reason", "open", "color", "no-color"};
static const char *const of_resumed[] = {"exclude", "excludefile", "min-rate",    "max-rate", "packet-trace",
                                         "then",    "dns-servers", "stats-every", "pcap",     "backend"};

static bool is_among(const struct option *option, const char *const *names, unsigned count)
{
    const char *name = option->name ? option->name : option->letters;
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

const char *verb_name(enum options_verb verb)
{
    return verbs[verb].name;
}

enum options_verb verb_find(const char *word)
{
    for (unsigned i = VERB_SCAN + 1; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].name, word) == 0)
            return (enum options_verb)i;
    }
    return VERB_SCAN;
}

bool verb_allows(enum options_verb verb, const struct option *option)
{
    bool reports = is_among(option, of_reports, sizeof of_reports / sizeof of_reports[0]);
    bool limits = option->name && strcmp(option->name, "no-sandbox") == 0;
    if (option->name && (strcmp(option->name, "help") == 0 || strcmp(option->name, "version") == 0))
        return true;
    switch (verb) {
    case VERB_SCAN:
        return !option->name || strcmp(option->name, "json") != 0;
    case VERB_DIFF:
        return limits || (option->name && strcmp(option->name, "json") == 0);
    case VERB_RESUME:
        return reports || is_among(option, of_resumed, sizeof of_resumed / sizeof of_resumed[0]);
    case VERB_REPORT:
        return reports || limits || (option->name && strcmp(option->name, "servicedb") == 0);
    case VERB_EXPLAIN:
        return limits;
    case VERB_DOCTOR:
    case VERB_COUNT:
        break;
    }
    return false;
}

int verb_check(const struct options *options, struct error *err)
{
    if (options->target_count == verbs[options->verb].word_count)
        return 0;
    return error_set(err, EX_USAGE, "portolan %s takes: %s", verbs[options->verb].name,
                     verbs[options->verb].words);
}
