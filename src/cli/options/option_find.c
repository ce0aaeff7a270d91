/* Look-ups in the table of options. */
#include "cli/options/option_table.h"

#include <stdio.h>
#include <string.h>

#define NEAREST_MAX 2 /* more changes than this, and it is another word */

const char *option_group_title(enum option_group group)
{
    switch (group) {
    case GROUP_TARGETS:
        return "TARGETS";
    case GROUP_DISCOVERY:
        return "HOST DISCOVERY";
    case GROUP_SCANS:
        return "KINDS OF SCAN";
    case GROUP_PORTS:
        return "PORTS";
    case GROUP_TIMING:
        return "TIMING";
    case GROUP_PACKETS:
        return "PACKETS";
    case GROUP_OUTPUT:
        return "OUTPUT";
    case GROUP_GENERAL:
        return "NAMES AND HELP";
    case GROUP_ABSENT:
        return "OPTIONS OF NMAP THAT PORTOLAN DOES NOT HAVE";
    case GROUP_COUNT:
        break;
    }
    return "";
}

const struct option *option_find(const char *name)
{
    for (unsigned i = 0; i < option_table_len; i++) {
        if (option_table[i].name && strcmp(option_table[i].name, name) == 0)
            return &option_table[i];
    }
    return NULL;
}

const struct option *option_find_letters(const char *text)
{
    const struct option *best = NULL;
    for (unsigned i = 0; i < option_table_len; i++) {
        const char *letters = option_table[i].letters;
        if (letters && strncmp(text, letters, strlen(letters)) == 0 &&
            (!best || strlen(letters) > strlen(best->letters)))
            best = &option_table[i];
    }
    return best;
}

/* Least number of letters to add, remove or change (Levenshtein), the first row of the table at a time. Words
 * longer than the row are never close to an option. */
static size_t distance(const char *a, const char *b)
{
    size_t row[64];
    size_t b_len = strlen(b);
    if (b_len >= sizeof row / sizeof row[0])
        return SIZE_MAX;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b_len; j++) {
            size_t changed = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            size_t added = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            row[j + 1] = changed < added ? changed : added;
        }
    }
    return row[b_len];
}

const char *option_nearest(const char *word, char text[static 64])
{
    const struct option *best = NULL;
    size_t best_distance = NEAREST_MAX + 1;
    size_t len = strlen(word);
    for (unsigned i = 0; i < option_table_len; i++) {
        const struct option *option = &option_table[i];
        if (!option->name || option->group == GROUP_ABSENT)
            continue;
        size_t changes = distance(option->name, word);
        if (len >= 4 && strncmp(option->name, word, len) == 0)
            changes = 1; /* the beginning of a name */
        if (changes < best_distance) {
            best_distance = changes;
            best = option;
        }
    }
    if (!best)
        return NULL;
    snprintf(text, 64, "--%s", best->name);
    return text;
}
