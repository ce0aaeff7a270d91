#include "netio/sim/service.h"

#include <string.h>

#include "technique/payload.h"

static unsigned id_len(enum payload_id id)
{
    switch (id) {
    case PAYLOAD_ID_HALF:
        return 2;
    case PAYLOAD_ID_WHOLE:
        return 4;
    case PAYLOAD_ID_TEXT:
        return 8;
    case PAYLOAD_ID_NONE:
        break;
    }
    return 0;
}

/* Byte by byte the payload, whatever its id is? */
static bool is_asked(const struct payload *payload, const uint8_t *question, size_t len)
{
    size_t id_end = payload->id_at + id_len((enum payload_id)payload->id);
    return len == payload->bytes.len && memcmp(question, payload->bytes.at, payload->id_at) == 0 &&
           memcmp(question + id_end, payload->bytes.at + id_end, len - id_end) == 0;
}

size_t sim_service_answer(uint16_t port, bool picky, const uint8_t *question, size_t len,
                          uint8_t ret[static SIM_SERVICE_MAX])
{
    unsigned turns = payload_tries(port);
    for (unsigned turn = picky ? turns - 1 : 0; turn < turns; turn++) {
        const struct payload *payload = payload_of_try(port, (uint8_t)turn);
        if (!payload || payload->sample.len == 0 || payload->sample.len > SIM_SERVICE_MAX ||
            !is_asked(payload, question, len))
            continue;
        memcpy(ret, payload->sample.at, payload->sample.len);
        if (payload->echo != PAYLOAD_ECHO_NONE)
            memcpy(ret + payload->sample_id_at, question + payload->id_at,
                   id_len((enum payload_id)payload->id));
        return payload->sample.len;
    }
    return 0;
}
