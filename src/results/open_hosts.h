/* The hosts that are open: a hash table by the host's position in the plan, which stands for its address at a third of
 * the size. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "results/answers.h"

/* What most hosts do not have. */
struct host_extra {
    char *user_name; /* owned, or NULL */
    char *ptr_name;  /* owned, or NULL */
    bool awaits_name;
    bool ended;         /* complete, and waits only for the name */
    struct record last; /* if ended: the record that ended it */
    unsigned source_count;
    struct addr sources[]; /* foreign senders; their numbers are 1 .. source_count */
};

struct open_host {
    uint64_t position; /* in the plan */
    struct open_host *next;
    struct answers answers;
    struct host_extra *extra; /* owned, or NULL */
    int64_t start_ns;         /* of the first and last record */
    int64_t end_ns;
    uint32_t rtt_us; /* of the answer that showed it up; 0: not known */
    uint8_t mac[6];
    bool touched : 1; /* a record named it; else only the user did */
    bool up : 1;
    bool has_mac : 1;
    bool lost : 1;    /* a record was lost for want of memory */
    bool changed : 1; /* since it was last shown */
    bool shown : 1;   /* at least once */
    uint8_t reason;   /* enum reason of up or down */
    uint8_t ttl;
    uint8_t source; /* number of who sent it, as in struct answer */
};

struct open_hosts {
    struct open_host **buckets; /* owned; NULL while empty */
    uint64_t bucket_count;      /* a power of two, or 0 */
    uint64_t count;
};

struct open_host *open_hosts_find(const struct open_hosts *table, uint64_t position); /* NULL: not open */

/* A new host, which must not be in the table. NULL without memory. */
struct open_host *open_hosts_add(struct open_hosts *table, uint64_t position);

/* Takes it out and frees it. */
void open_hosts_remove(struct open_hosts *table, struct open_host *host);
void open_hosts_done(struct open_hosts *table);

/* The host's extra part, made at need. NULL without memory. */
struct host_extra *open_host_extra(struct open_host *host);

/* The number of a sender. 0 when it is the host itself (ADDR_NONE) or there is no place left for it. */
uint8_t open_host_add_source(struct open_host *host, const struct addr *source);
struct addr open_host_source(const struct open_host *host, uint8_t number); /* the reverse */
