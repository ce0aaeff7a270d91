/* The table of techniques: a new one is a file and a row here, a line each. */
#include <string.h>

#include "technique/rows.h"

/* clang-format off */
const struct technique *const technique_table[] = {
    &technique_syn,
    &technique_connect,
    &technique_null,
    &technique_fin,
    &technique_xmas,
    &technique_maimon,
    &technique_ack,
    &technique_window,
    &technique_udp,
    &technique_sctp_init,
    &technique_sctp_cookie,
    &technique_ip_protocol,
    &technique_idle,
    &technique_bounce,
    &technique_ping_echo,
    &technique_ping_timestamp,
    &technique_ping_syn,
    &technique_ping_ack,
    &technique_ping_udp,
    &technique_ping_sctp,
    &technique_ping_connect,
    &technique_neighbor,
};
/* clang-format on */

const unsigned technique_table_len = sizeof technique_table / sizeof technique_table[0];

struct technique technique_with_data(const struct technique *base, const struct probe_data *data)
{
    struct technique technique = *base;
    technique.data = data;
    return technique;
}

const struct technique *technique_find(const char *name)
{
    for (unsigned i = 0; i < technique_table_len; i++)
        if (strcmp(technique_table[i]->name, name) == 0)
            return technique_table[i];
    return NULL;
}
