#include "technique/payload.h"

#include <string.h>

#include "technique/payload_table.h"

#define TEXT_LEN 8

static const struct payload_port *find_port(uint16_t port)
{
    unsigned low = 0, high = payload_ports_len;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (payload_ports[middle].port < port)
            low = middle + 1;
        else
            high = middle;
    }
    return low < payload_ports_len && payload_ports[low].port == port ? &payload_ports[low] : NULL;
}

static const struct payload *turn_of(const struct payload_port *entry, unsigned turn)
{
    return &payload_table[payload_turns[entry->first_turn + turn % entry->turn_count]];
}

const struct payload *payload_of_try(uint16_t port, uint8_t try_number)
{
    const struct payload_port *entry = find_port(port);
    return entry ? turn_of(entry, try_number) : NULL;
}

bool payload_port_at(unsigned index, uint16_t *ret)
{
    if (index >= payload_ports_len)
        return false;
    *ret = payload_ports[index].port;
    return true;
}

unsigned payload_tries(uint16_t port)
{
    const struct payload_port *entry = find_port(port);
    return entry ? entry->turn_count : 1;
}

static void put_text(uint8_t p[static TEXT_LEN], uint32_t number)
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < TEXT_LEN; i++)
        p[i] = (uint8_t)digits[number >> (28 - 4 * i) & 0xf];
}

/* False: not eight hexadecimal digits. Servers may write them in capitals. */
static bool get_text(const uint8_t p[static TEXT_LEN], uint32_t *ret)
{
    uint32_t number = 0;
    for (unsigned i = 0; i < TEXT_LEN; i++) {
        uint8_t lower = p[i] | 0x20;
        if (p[i] >= '0' && p[i] <= '9')
            number = number << 4 | (uint32_t)(p[i] - '0');
        else if (lower >= 'a' && lower <= 'f')
            number = number << 4 | (uint32_t)(lower - 'a' + 10);
        else
            return false;
    }
    *ret = number;
    return true;
}

void payload_write(const struct payload *payload, uint32_t number, struct writer *out)
{
    uint8_t *bytes = write_span(out, payload->bytes.len);
    if (!bytes)
        return;
    memcpy(bytes, payload->bytes.at, payload->bytes.len);
    switch ((enum payload_id)payload->id) {
    case PAYLOAD_ID_HALF:
        put_be16(bytes + payload->id_at, (uint16_t)(number >> 16));
        break;
    case PAYLOAD_ID_WHOLE:
        put_be32(bytes + payload->id_at, number);
        break;
    case PAYLOAD_ID_TEXT:
        put_text(bytes + payload->id_at, number);
        break;
    case PAYLOAD_ID_NONE:
        break;
    }
}

static bool matches(const struct payload *payload, const uint8_t *data, size_t len)
{
    if (len < (size_t)payload->match_at + payload->match.len)
        return false;
    for (unsigned i = 0; i < payload->match.len; i++)
        if ((data[payload->match_at + i] & payload->match_mask.at[i]) != payload->match.at[i])
            return false;
    return true;
}

static bool read_id(enum payload_id id, struct reader in, uint32_t *ret)
{
    uint32_t number = 0;
    const uint8_t *text;
    switch (id) {
    case PAYLOAD_ID_HALF:
        number = (uint32_t)read_be16(&in) << 16;
        break;
    case PAYLOAD_ID_WHOLE:
        number = read_be32(&in);
        break;
    case PAYLOAD_ID_TEXT:
        text = read_span(&in, TEXT_LEN);
        if (!text || !get_text(text, &number))
            return false;
        break;
    case PAYLOAD_ID_NONE:
        return false;
    }
    *ret = number;
    return in.ok;
}

/* The part of the data that begins with the echoed id. False: there is none. */
static bool find_echo(const struct payload *payload, const uint8_t *data, size_t len, struct reader *ret)
{
    struct reader in = reader_over(data, len);
    if (payload->echo == PAYLOAD_ECHO_AT) {
        read_span(&in, payload->echo_at);
    } else {
        const uint8_t *found = memmem(data, len, payload->echo_after.at, payload->echo_after.len);
        if (!found)
            return false;
        read_span(&in, (size_t)(found - data) + payload->echo_after.len);
    }
    *ret = in;
    return in.ok;
}

bool payload_recognise(const struct payload *payload, const uint8_t *data, size_t len,
                       struct payload_proof *ret)
{
    if (!matches(payload, data, len))
        return false;
    if (payload->echo == PAYLOAD_ECHO_NONE) {
        *ret = (struct payload_proof){.id = PAYLOAD_ID_NONE};
        return true;
    }
    struct reader echo;
    uint32_t number;
    if (!find_echo(payload, data, len, &echo) || !read_id((enum payload_id)payload->id, echo, &number))
        return false;
    *ret = (struct payload_proof){.id = payload->id, .number = number};
    return true;
}

bool payload_recognise_any(uint16_t port, const uint8_t *data, size_t len, struct payload_proof *ret)
{
    const struct payload_port *entry = find_port(port);
    bool recognised = false;
    for (unsigned turn = 0; entry && turn < entry->turn_count; turn++) {
        struct payload_proof proof;
        if (!payload_recognise(turn_of(entry, turn), data, len, &proof))
            continue;
        recognised = true;
        *ret = proof;
        if (proof.id != PAYLOAD_ID_NONE)
            break;
    }
    return recognised;
}

bool payload_recognise_elsewhere(uint16_t port, const uint8_t *data, size_t len)
{
    const struct payload_port *entry = find_port(port);
    for (unsigned turn = 0; entry && turn < entry->turn_count; turn++) {
        const struct payload *payload = turn_of(entry, turn);
        struct payload_proof proof;
        if ((payload->elsewhere || payload->echo != PAYLOAD_ECHO_NONE) &&
            payload_recognise(payload, data, len, &proof))
            return true;
    }
    return false;
}
