/* The tables of a store, and everything that is ever written into them; doc/store.md explains them. */
#pragma once

#define STORE_SCHEMA_VERSION 3
#define STORE_APPLICATION_ID 0x506f7274 /* "Port": what file(1) sees */

/* What a row of a batch does. The order of values is that of the parameters in schema.c. */
enum store_statement {
    STORE_SCAN,                 /* what the scan is; once */
    STORE_SCAN_STATE,           /* how far it is */
    STORE_TARGET,               /* one range of the plan's addresses */
    STORE_ASKED,                /* one range of the plan's ports */
    STORE_NAME,                 /* a name that the user gave for an address */
    STORE_EXCLUDED,             /* addresses that a later --exclude took out */
    STORE_EXCLUDED_FORGET,      /* all of them, before they are written again */
    STORE_HOST,                 /* a host, new or again */
    STORE_HOST_UNFOLD,          /* its folded ports, before they are written again */
    STORE_PORT,                 /* a port by itself, with the packet that decided */
    STORE_CONFIRMATION,         /* what became of it when it was looked at once more */
    STORE_PORTS_FORGET,         /* those of hosts that have no row yet, and will be asked again, */
    STORE_CONFIRMATIONS_FORGET, /* ... and what was confirmed of them */
    STORE_FOLDED,               /* ports of a host with one state and reason */
    STORE_DOWN,                 /* hosts that are down, from one position to another */
    STORE_BLOCK,                /* a block of the engine: how far it is */
    STORE_BLOCK_HOSTS,          /* hosts that are in it, from one position to another */
    STORE_BLOCK_VOID,           /* a part of its order that does not count */
    STORE_BLOCK_UNVOID,         /* all of them, before they are written again */
    STORE_BLOCK_FORGET,         /* it is over */
    STORE_BLOCK_FORGET_HOSTS,   /* likewise */
    STORE_BLOCKS_FORGET,        /* so are all */
    STORE_BLOCKS_FORGET_HOSTS,
    STORE_BLOCKS_UNVOID,
    STORE_COVERAGE, /* one number of what was covered */
    STORE_EVENT,    /* something happened */
    STORE_STATEMENT_COUNT
};

extern const char *const store_tables;                            /* SQL that makes them */
extern const char *const store_statements[STORE_STATEMENT_COUNT]; /* SQL by enum store_statement */
