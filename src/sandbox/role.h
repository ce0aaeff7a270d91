/* The processes of Portolan, by what they must still be able to do once they have begun. */
#pragma once

enum sandbox_role {
    SANDBOX_PACKETS,    /* the packet process: sends and receives through sockets that are open and bound */
    SANDBOX_TRANSMITS,  /* the same, with a thread that runs a BPF program it was given */
    SANDBOX_CONNECTS,   /* the same of a scan that connects, too: opens a socket for each connection */
    SANDBOX_SUPERVISOR, /* writes to files that are open, waits for its children, reads keys */
    SANDBOX_STORE,      /* the supervisor of a scan with a store: has a thread that opens files there, too */
    SANDBOX_READER,     /* report, diff, explain: looks at stores, and writes to what is open */
    SANDBOX_NAMES,      /* the name process: reads the system's files on names, asks servers */
    SANDBOX_TERMINAL,   /* waits, and sets the terminal right */
    SANDBOX_ROLE_COUNT
};
