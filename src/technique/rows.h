/* Every technique there is, one a file. table.c lists them. */
#pragma once

#include "technique/technique.h"

/* What is scanned. */
extern const struct technique technique_syn;
extern const struct technique technique_connect;
extern const struct technique technique_null;
extern const struct technique technique_fin;
extern const struct technique technique_xmas;
extern const struct technique technique_maimon;
extern const struct technique technique_ack;
extern const struct technique technique_window;
extern const struct technique technique_sctp_init;
extern const struct technique technique_sctp_cookie;
extern const struct technique technique_ip_protocol;
extern const struct technique technique_udp;

extern const struct technique technique_idle;
extern const struct technique technique_bounce;

/* How a host shows that it is up. */
extern const struct technique technique_ping_echo;
extern const struct technique technique_ping_timestamp;
extern const struct technique technique_ping_syn;
extern const struct technique technique_ping_ack;
extern const struct technique technique_ping_udp;
extern const struct technique technique_ping_sctp;
extern const struct technique technique_ping_connect;
extern const struct technique technique_neighbor;

/* What an idle scan asks the zombie; none of them is asked for by name. */
extern const struct technique technique_zombie_id;
extern const struct technique technique_zombie_echo;
extern const struct technique technique_zombie_too_big;
