/* Bounce scan (-b): an FTP server connects for us. What it says is judged where it is heard, in
 * engine/bounce/judge.h. */
#include "technique/rows.h"

const struct technique technique_bounce = {
    .name = "bounce",
    .title = "bounce scan",
    .kind = REQUEST_STREAM,
    .ip_proto = IP_PROTO_TCP,
    .ip_proto6 = IP_PROTO_TCP,
    .protocol = PROTOCOL_TCP,
    .silent_state = PORT_FILTERED,
    .has_ports = true,
};
