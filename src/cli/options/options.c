/* The command line, word by word, by the table of options. */
#include "cli/options/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options/option_table.h"
#include "cli/verbs.h"

#define SPELLED_MAX     72
#define TEMPLATE_NORMAL 3

struct parse {
    int argc;
    char *const *argv;
    int at;     /* index of the word that is being read */
    bool *seen; /* by row of the table */
    bool over;  /* what is read replaces what is there, and words that are no options were read before */
    struct options *options;
};

/* Is there a dash of Unicode, as word processors make them, at this place? Returns its length in bytes. */
static size_t unicode_dash_len(const char *text)
{
    static const char *const dashes[] = {"\u2010", "\u2011", "\u2012", "\u2013", "\u2014",
                                         "\u2015", "\u2212", "\ufe58", "\ufe63", "\uff0d"};
    for (unsigned i = 0; i < sizeof dashes / sizeof dashes[0]; i++) {
        if (strncmp(text, dashes[i], strlen(dashes[i])) == 0)
            return strlen(dashes[i]);
    }
    return 0;
}

static int refuse_unicode_dash(const struct parse *parse, const char *word, struct error *err)
{
    const char *rest = word;
    bool found = false;
    for (size_t len = 1; *rest && len > 0; rest += len) {
        len = unicode_dash_len(rest);
        found = found || len > 0;
        if (len == 0 && *rest == '-')
            len = 1;
        else if (len == 0)
            break;
    }
    if (!found)
        return 0;
    return error_set(err, EX_USAGE,
                     "argument %d, '%s', starts with a dash of Unicode; type it with the key '-'", parse->at,
                     word);
}

/* Apply one option; value NULL: none. */
static int apply(struct parse *parse, const struct option *option, const char *spelled, const char *value,
                 struct error *err)
{
    bool *seen = &parse->seen[option - option_table];
    if (*seen && !option->repeats)
        return error_set(err, EX_USAGE, "%s is given twice", spelled);
    *seen = true;
    if (!verb_allows((enum options_verb)parse->options->verb, option))
        return error_set(err, EX_USAGE, "%s cannot be given with %s%s", spelled,
                         parse->options->verb == VERB_SCAN ? "a scan" : "portolan ",
                         verb_name((enum options_verb)parse->options->verb));
    struct option_use use = {.option = option, .spelled = spelled, .value = value};
    return option->set(parse->options, &use, err);
}

/* The next word as the argument of this option. */
static int next_word(struct parse *parse, const struct option *option, const char *spelled, const char **ret,
                     struct error *err)
{
    if (parse->at + 1 >= parse->argc)
        return error_set(err, EX_USAGE, "%s needs an argument: %s", spelled, option->metavar);
    *ret = parse->argv[++parse->at];
    return refuse_unicode_dash(parse, *ret, err);
}

static int unknown(const char *word, struct error *err)
{
    char near[64];
    if (option_nearest(word + strspn(word, "-"), near))
        return error_set(err, EX_USAGE, "unknown option '%s'; did you mean %s?", word, near);
    return error_set(err, EX_USAGE, "unknown option '%s'; see portolan --help", word);
}

static int parse_long(struct parse *parse, const char *word, struct error *err)
{
    char name[SPELLED_MAX];
    size_t len = strcspn(word, "=");
    if (len >= sizeof name)
        return unknown(word, err);
    memcpy(name, word, len);
    name[len] = '\0';
    const char *value = word[len] == '=' ? word + len + 1 : NULL;

    const struct option *option = option_find(name + 2);
    if (!option)
        return unknown(name, err);
    if (option->group == GROUP_ABSENT)
        return apply(parse, option, name, value, err);
    if (value && option->argument == ARGUMENT_NONE)
        return error_set(err, EX_USAGE, "%s takes no argument, but '%s' is given", name, value);
    if (!value && option->argument == ARGUMENT_REQUIRED) {
        int r = next_word(parse, option, name, &value, err);
        if (r < 0)
            return r;
    }
    return apply(parse, option, name, value, err);
}

/* One option written with letters; `rest` is what follows them in the word. Returns how much of it was the
 * argument. */
static int parse_letters(struct parse *parse, const struct option *option, const char *rest,
                         struct error *err)
{
    char spelled[SPELLED_MAX];
    snprintf(spelled, sizeof spelled, "-%s", option->letters);
    if (option->argument == ARGUMENT_NONE)
        return apply(parse, option, spelled, NULL, err);

    const char *value = *rest ? rest : NULL;
    int r = 0;
    if (option->argument == ARGUMENT_REQUIRED && value)
        value += *value == '=';
    else if (option->argument == ARGUMENT_REQUIRED)
        r = next_word(parse, option, spelled, &value, err);
    if (r == 0)
        r = apply(parse, option, spelled, value, err);
    return r < 0 ? r : (int)strlen(rest);
}

/* Scans may share one dash: -sSU is -sS -sU. */
static int parse_scans(struct parse *parse, const char *word, struct error *err)
{
    for (const char *at = word + 2; *at; at++) {
        const struct option *option = option_find_letters((char[]){'s', *at, '\0'});
        if (!option)
            return unknown(word, err);
        int taken = parse_letters(parse, option, at + 1, err);
        if (taken < 0)
            return taken;
        at += taken;
    }
    return 0;
}

/* So may options of one letter without an argument: -nvF is -n -v -F. */
static int parse_short(struct parse *parse, const char *word, struct error *err)
{
    if (word[1] == 's' && word[2])
        return parse_scans(parse, word, err);
    const char *at = word + 1;
    while (*at) {
        const struct option *option = option_find_letters(at);
        size_t len = option ? strlen(option->letters) : 0;
        if (!option || (option->argument == ARGUMENT_NONE && len > 1 && at[len]))
            return unknown(word, err);
        int taken = parse_letters(parse, option, at + len, err);
        if (taken < 0)
            return taken;
        at += len + (size_t)taken;
    }
    return 0;
}

static int parse_word(struct parse *parse, bool *only_targets, struct error *err)
{
    const char *word = parse->argv[parse->at];
    struct options *options = parse->options;
    if (!*only_targets && strcmp(word, "--") == 0) {
        *only_targets = true;
        return 0;
    }
    if (!*only_targets && strncmp(word, "--", 2) == 0)
        return parse_long(parse, word, err);
    if (!*only_targets && word[0] == '-' && word[1])
        return parse_short(parse, word, err);
    if (!*word)
        return error_set(err, EX_USAGE, "argument %d is empty", parse->at);
    if (parse->over)
        return 0;
    enum options_verb verb = parse->at == 1 ? verb_find(word) : VERB_SCAN;
    if (verb != VERB_SCAN)
        options->verb = (uint8_t)verb;
    else
        options->targets[options->target_count++] = word;
    return 0;
}

static int parse_words(struct parse *parse, struct error *err)
{
    bool only_targets = false;
    for (parse->at = 1; parse->at < parse->argc; parse->at++) {
        int r = refuse_unicode_dash(parse, parse->argv[parse->at], err);
        if (r == 0)
            r = parse_word(parse, &only_targets, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Read the words over what the options say already. */
static int read_words(int argc, char *const argv[], bool over, struct options *options, struct error *err)
{
    struct parse parse = {.argc = argc, .argv = argv, .options = options, .over = over};
    parse.seen = calloc(option_table_len, sizeof *parse.seen);
    int r = parse.seen ? parse_words(&parse, err) : error_set(err, EX_OSERR, "out of memory");
    free(parse.seen);
    if (options->verbosity < options->debugging)
        options->verbosity = options->debugging;
    return r;
}

int options_parse(int argc, char *const argv[], struct options *ret, struct error *err)
{
    struct options options = {
        .argc = argc,
        .argv = argv,
        .shard_count = 1,
        .scan_flags = -1,
        .template_number = TEMPLATE_NORMAL,
        .max_retries = OPTION_UNSET,
        .scan_delay_ns = -1,
        .host_timeout_ns = -1,
    };
    options.targets = calloc((size_t)argc + 1, sizeof *options.targets);
    int r = options.targets ? read_words(argc, argv, false, &options, err)
                            : error_set(err, EX_OSERR, "out of memory");
    if (r < 0) {
        options_done(&options);
        return r;
    }
    *ret = options;
    return 0;
}

int options_resume(int begun_argc, char *const begun_argv[], const struct options *given, struct options *ret,
                   struct error *err)
{
    struct options options;
    int r = options_parse(begun_argc, begun_argv, &options, err);
    if (r < 0)
        return r;
    if (given->output_count > 0)
        options.output_count = 0;
    options.exclude = options.exclude_file = NULL; /* what they named is no part of the plan */
    options.pcap = NULL;                           /* what is in that file would be lost */
    options.verb = given->verb;
    r = read_words(given->argc, given->argv, true, &options, err);
    options.verb = VERB_SCAN;
    options.store = given->targets[0];
    if (r < 0) {
        options_done(&options);
        return r;
    }
    *ret = options;
    return 0;
}

void options_done(struct options *options)
{
    free(options->targets);
    free(options->data);
    options->targets = NULL;
    options->data = NULL;
}
