#include "resolve/ptr.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define HEADER_LEN        12
#define NAME_WIRE_MAX     255 /* RFC 1035 section 2.3.4 */
#define LABEL_POINTER     0xc0
#define POINTERS_MAX      64 /* in one name; writers of replies need one */
#define TYPE_CNAME        5
#define TYPE_PTR          12
#define CLASS_IN          1
#define QUESTION_REST_LEN 4 /* type, class */

struct name {
    uint8_t wire[NAME_WIRE_MAX]; /* labels without compression, each behind its length, the last one empty */
    size_t len;
};

void ptr_question(const struct addr *addr, char ret[static PTR_QUESTION_MAX])
{
    static const char hex[] = "0123456789abcdef";
    const uint8_t *bytes = addr->bytes;
    if (addr->family == ADDR_V4) {
        snprintf(ret, PTR_QUESTION_MAX, "%u.%u.%u.%u.in-addr.arpa", bytes[3], bytes[2], bytes[1], bytes[0]);
        return;
    }
    for (size_t i = 16; i-- > 0;) {
        *ret++ = hex[bytes[i] & 0xf];
        *ret++ = '.';
        *ret++ = hex[bytes[i] >> 4];
        *ret++ = '.';
    }
    memcpy(ret, "ip6.arpa", sizeof "ip6.arpa");
}

/* Follow a compression pointer whose second byte is next. It must lead to before `piece`, where the piece of
 * the name that holds it began: so there is no loop. */
static bool follow(const uint8_t *reply, uint8_t first, struct reader *at, const uint8_t **piece)
{
    size_t offset = (size_t)(first & ~LABEL_POINTER) << 8 | read_u8(at);
    if (!at->ok || offset < HEADER_LEN || offset >= (size_t)(*piece - reply))
        return false;
    *piece = reply + offset;
    at->at = *piece;
    return true;
}

/* RFC 1035 section 4.1.4. Leaves `in` behind the name where it stands, not where a pointer led. */
static bool name_read(struct reader *in, const uint8_t *reply, struct name *ret)
{
    struct reader at = *in;
    struct writer out = writer_over(ret->wire, sizeof ret->wire);
    const uint8_t *piece = in->at;
    unsigned pointer_count = 0;
    for (;;) {
        uint8_t label_len = read_u8(&at);
        if ((label_len & LABEL_POINTER) == LABEL_POINTER) {
            struct reader behind = at;
            read_u8(&behind);
            if (pointer_count++ == 0)
                *in = behind;
            if (pointer_count > POINTERS_MAX || !follow(reply, label_len, &at, &piece))
                return false;
            continue;
        }
        const uint8_t *label = read_span(&at, label_len);
        if (!label || label_len & LABEL_POINTER)
            return false;
        write_u8(&out, label_len);
        write_bytes(&out, label, label_len);
        if (label_len == 0)
            break;
    }
    if (pointer_count == 0)
        *in = at;
    ret->len = writer_len(&out);
    return in->ok && out.ok;
}

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 'a' - 'A') : byte;
}

/* Case does not matter (RFC 4343); the length bytes are below 'A'. */
static bool name_equal(const struct name *a, const struct name *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (lower(a->wire[i]) != lower(b->wire[i]))
            return false;
    return true;
}

/* False: the root, which is no name for a host, or a zero byte in a label. */
static bool name_text(const struct name *name, char ret[static PTR_NAME_MAX + 1])
{
    size_t len = name->len - 2; /* without the first length and the empty label at the end */
    if (name->len <= 2 || memchr(name->wire + 1, 0, len))
        return false;
    memcpy(ret, name->wire + 1, len);
    ret[len] = '\0';
    for (size_t dot = name->wire[0]; dot < len; dot += name->wire[dot + 1] + 1u)
        ret[dot] = '.';
    return true;
}

bool ptr_read(const uint8_t *reply, size_t len, char ret[static PTR_NAME_MAX + 1])
{
    struct reader in = reader_over(reply, len);
    read_span(&in, 4); /* id, flags: the library has checked them */
    uint16_t question_count = read_be16(&in);
    uint16_t answer_count = read_be16(&in);
    read_span(&in, 4); /* authority and additional records do not matter */
    struct name wanted;
    if (!in.ok || question_count != 1 || !name_read(&in, reply, &wanted) ||
        !read_span(&in, QUESTION_REST_LEN))
        return false;

    for (unsigned i = 0; i < answer_count; i++) {
        struct name owner, target;
        if (!name_read(&in, reply, &owner))
            return false;
        uint16_t type = read_be16(&in);
        uint16_t class = read_be16(&in);
        read_be32(&in); /* time to live */
        uint16_t data_len = read_be16(&in);
        struct reader data = in;
        if (!read_span(&in, data_len))
            return false;
        if (class != CLASS_IN || (type != TYPE_CNAME && type != TYPE_PTR) || !name_equal(&owner, &wanted))
            continue;
        if (!name_read(&data, reply, &target) || data.at != in.at)
            return false;
        if (type == TYPE_PTR)
            return name_text(&target, ret);
        wanted = target;
    }
    return false;
}
