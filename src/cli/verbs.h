/* The words that ask for something else than a scan, and which options go with them. */
#pragma once

#include <stdbool.h>

#include "cli/options/option_table.h"
#include "cli/options/options.h"

const char *verb_name(enum options_verb verb);
enum options_verb verb_find(const char *word); /* VERB_SCAN: it is none */

/* May this option be given with it? */
bool verb_allows(enum options_verb verb, const struct option *option);

/* Does it have its words, in options->targets? EX_USAGE. */
int verb_check(const struct options *options, struct error *err);
