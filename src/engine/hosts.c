#include "engine/hosts.h"

#include <errno.h>
#include <stdlib.h>

int host_table_init(struct host_table *table, uint32_t capacity)
{
    struct host_record *records = calloc(capacity, sizeof *records);
    if (!records)
        return -ENOMEM;
    *table = (struct host_table){.records = records, .capacity = capacity, .used = 1};
    return 0;
}

void host_table_done(struct host_table *table)
{
    free(table->records);
    *table = (struct host_table){0};
}

uint32_t host_table_take(struct host_table *table, const struct rtt_limits *limits)
{
    uint32_t taken = table->first_free;
    if (taken != HOST_RECORD_NONE)
        table->first_free = table->records[taken].next_free;
    else if (table->used < table->capacity)
        taken = table->used++;
    else
        return HOST_RECORD_NONE;
    struct host_record *record = &table->records[taken];
    *record = (struct host_record){0};
    rtt_init(&record->rtt, limits);
    return taken;
}

void host_table_give_back(struct host_table *table, uint32_t record)
{
    if (record == HOST_RECORD_NONE)
        return;
    table->records[record].next_free = table->first_free;
    table->first_free = record;
}

struct host_record *host_table_get(struct host_table *table, uint32_t record)
{
    return record == HOST_RECORD_NONE ? NULL : &table->records[record];
}
