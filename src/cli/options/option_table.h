/* The one table of options. The parser, --help, the manual page and the completions for bash all follow from
 * it. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "cli/options/options.h"

enum option_argument {
    ARGUMENT_NONE,
    ARGUMENT_REQUIRED, /* glued, after '=' or the next word */
    ARGUMENT_GLUED,    /* may follow at once, in the same word: -PS22,80 */
    ARGUMENT_LEVEL     /* the letter again and again, or a number: -vv, -v3 */
};

enum option_group {
    GROUP_TARGETS,
    GROUP_DISCOVERY,
    GROUP_SCANS,
    GROUP_PORTS,
    GROUP_TIMING,
    GROUP_PACKETS,
    GROUP_OUTPUT,
    GROUP_GENERAL,
    GROUP_ABSENT, /* options of Nmap that Portolan does not have; help says what to do instead */
    GROUP_COUNT
};

/* One option as it stands on the command line. */
struct option_use {
    const struct option *option;
    const char *spelled; /* "-p", "--max-rate" */
    const char *value;   /* NULL: none */
};

struct option {
    const char *name;    /* "max-rate"; NULL: only the short spelling */
    const char *letters; /* "sS", "p"; NULL: only the long spelling */
    const char *metavar; /* how help calls the argument */
    const char *help;    /* one sentence without full stop */
    const char *detail;  /* what the setter needs to know: the technique's name; else NULL */
    int (*set)(struct options *options, const struct option_use *use, struct error *err);
    size_t field;      /* offset in struct options, for setters of plain fields */
    uint64_t min, max; /* of the value, in its unit (durations: milliseconds) */
    uint8_t argument;  /* enum option_argument */
    uint8_t group;     /* enum option_group */
    bool repeats;      /* may be given more than once */
};

extern const struct option option_table[];
extern const unsigned option_table_len;

const char *option_group_title(enum option_group group);

/* By long name, without dashes; or NULL. */
const struct option *option_find(const char *name);

/* The option whose letters the text (without its dash) starts with, the longest that fits; or NULL. */
const struct option *option_find_letters(const char *text);

/* The long spelling closest to this unknown word (without dashes), written to `text`; or NULL when none is
 * close. */
const char *option_nearest(const char *word, char text[static 64]);
