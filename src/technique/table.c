/* The table of techniques: a new one is a file and a row here. */
#include <string.h>

#include "technique/rows.h"

const struct technique *const technique_table[] = {
    &technique_syn,      &technique_connect,  &technique_ping_echo, &technique_ping_timestamp,
    &technique_ping_syn, &technique_ping_ack, &technique_ping_udp,  &technique_ping_connect,
    &technique_neighbor,
};

const unsigned technique_table_len = sizeof technique_table / sizeof technique_table[0];

const struct technique *technique_find(const char *name)
{
    for (unsigned i = 0; i < technique_table_len; i++)
        if (strcmp(technique_table[i]->name, name) == 0)
            return technique_table[i];
    return NULL;
}
