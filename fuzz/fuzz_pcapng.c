/* pcapng: three numbers, a packet and what is said of it; read back by the draft's rules alone (sections 3.1,
 * 3.5 and 4), all of it is there, and nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "fuzz.h"
#include "store/pcapng.h"

/* The file is in the byte order of the machine that wrote it: this one. */
static uint32_t number_at(const char *text, size_t at)
{
    uint32_t number;
    memcpy(&number, text + at, sizeof number);
    return number;
}

static uint16_t half_at(const char *text, size_t at)
{
    uint16_t number;
    memcpy(&number, text + at, sizeof number);
    return number;
}

/* Where the block of this type ends that begins here. */
static size_t block_end(const char *text, size_t len, size_t at, uint32_t type)
{
    assert(len - at >= 12 && number_at(text, at) == type);
    uint32_t block_len = number_at(text, at + 4);
    assert(block_len % 4 == 0 && block_len >= 12 && block_len <= len - at);
    assert(number_at(text, at + block_len - 4) == block_len);
    return at + block_len;
}

static void check_packet(const char *text, size_t at, size_t end, const struct pcapng_packet *packet)
{
    size_t padded = (packet->kept_len + 3u) / 4 * 4;
    size_t comment_len = strlen(packet->comment);
    assert(number_at(text, at + 8) == 0);
    assert(((uint64_t)number_at(text, at + 12) << 32 | number_at(text, at + 16)) ==
           (uint64_t)packet->time_ns);
    assert(number_at(text, at + 20) == packet->kept_len && number_at(text, at + 24) == packet->packet_len);
    assert(packet->kept_len == 0 || memcmp(text + at + 28, packet->bytes, packet->kept_len) == 0);
    size_t option = at + 28 + padded;
    assert(half_at(text, option) == 1 && half_at(text, option + 2) == comment_len);
    assert(memcmp(text + option + 4, packet->comment, comment_len) == 0);
    option += 4 + (comment_len + 3) / 4 * 4;
    assert(number_at(text, option) == 0 && option + 8 == end);
}

static void check_file(const struct pcapng_packet *packet)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&text, &len);
    assert(file);
    pcapng_begin(file, "a program");
    pcapng_packet(file, packet);
    fclose(file);
    size_t interface = block_end(text, len, 0, 0x0a0d0d0a);
    size_t block = block_end(text, len, interface, 1);
    size_t end = block_end(text, len, block, 6);
    assert(number_at(text, 8) == 0x1a2b3c4d && half_at(text, interface + 8) == 101 && end == len);
    check_packet(text, block, end, packet);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char comment[PCAPNG_COMMENT_MAX] = "";
    struct reader in = reader_over(data, size);
    uint64_t time_ns = (uint64_t)read_be32(&in) << 32;
    time_ns |= read_be32(&in);
    struct pcapng_packet packet = {.time_ns = (int64_t)time_ns, .packet_len = read_be32(&in)};
    size_t comment_len = read_u8(&in);
    if (!in.ok)
        return 0;
    comment_len = comment_len < reader_left(&in) ? comment_len : reader_left(&in);
    const uint8_t *said = read_span(&in, comment_len);
    for (size_t i = 0; i < comment_len; i++)
        comment[i] = (char)(' ' + said[i] % ('~' - ' ' + 1));
    size_t left = reader_left(&in);
    packet.kept_len = (uint32_t)(left < PCAPNG_PACKET_MAX ? left : PCAPNG_PACKET_MAX);
    packet.bytes = read_span(&in, packet.kept_len);
    packet.comment = comment;
    check_file(&packet);
    return 0;
}
