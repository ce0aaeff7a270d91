#include "store/pcapng.h"

#include <assert.h>
#include <string.h>

enum block_type { BLOCK_INTERFACE = 1, BLOCK_PACKET = 6, BLOCK_SECTION = 0x0a0d0d0a };
enum option { OPTION_END = 0, OPTION_COMMENT = 1, OPTION_PROGRAM = 4, OPTION_TIME_RESOLUTION = 9 };

#define BYTE_ORDER_MAGIC 0x1a2b3c4d
#define LINK_TYPE_RAW    101 /* packets begin with the IP header */
#define NANOSECONDS      9   /* times in units of 10^-9 s */
#define BLOCK_MAX        1024

/* A block in the making, in the byte order of this machine, which the magic tells. */
struct block {
    uint8_t bytes[BLOCK_MAX];
    size_t len;
};

static void put(struct block *block, const void *bytes, size_t len)
{
    assert(block->len + len <= sizeof block->bytes);
    memcpy(block->bytes + block->len, bytes, len);
    block->len += len;
}

static void put_u16(struct block *block, uint16_t value)
{
    put(block, &value, sizeof value);
}

static void put_u32(struct block *block, uint32_t value)
{
    put(block, &value, sizeof value);
}

/* Bytes, and zeros up to the next multiple of four. */
static void put_padded(struct block *block, const void *bytes, size_t len)
{
    static const uint8_t zeros[3] = {0};
    put(block, bytes, len);
    put(block, zeros, (4 - len % 4) % 4);
}

static void put_option(struct block *block, enum option option, const void *bytes, size_t len)
{
    put_u16(block, (uint16_t)option);
    put_u16(block, (uint16_t)len);
    put_padded(block, bytes, len);
}

static void begin(struct block *block, enum block_type type)
{
    block->len = 0;
    put_u32(block, type);
    put_u32(block, 0); /* the length, when it is known */
}

static void end(struct block *block, FILE *file)
{
    put_option(block, OPTION_END, "", 0);
    uint32_t total = (uint32_t)block->len + 4;
    put_u32(block, total);
    memcpy(block->bytes + 4, &total, sizeof total);
    fwrite(block->bytes, 1, block->len, file);
}

void pcapng_begin(FILE *file, const char *program)
{
    struct block block;
    begin(&block, BLOCK_SECTION);
    put_u32(&block, BYTE_ORDER_MAGIC);
    put_u16(&block, 1); /* version 1.0 */
    put_u16(&block, 0);
    put_u32(&block, UINT32_MAX); /* the length of the section is not known */
    put_u32(&block, UINT32_MAX);
    put_option(&block, OPTION_PROGRAM, program, strlen(program));
    end(&block, file);

    begin(&block, BLOCK_INTERFACE);
    put_u16(&block, LINK_TYPE_RAW);
    put_u16(&block, 0);
    put_u32(&block, PCAPNG_PACKET_MAX);
    put_option(&block, OPTION_TIME_RESOLUTION, &(uint8_t){NANOSECONDS}, 1);
    end(&block, file);
}

void pcapng_packet(FILE *file, const struct pcapng_packet *packet)
{
    struct block block;
    uint64_t time_ns = (uint64_t)packet->time_ns;
    assert(packet->kept_len <= PCAPNG_PACKET_MAX && strlen(packet->comment) < PCAPNG_COMMENT_MAX);
    begin(&block, BLOCK_PACKET);
    put_u32(&block, 0); /* the one interface */
    put_u32(&block, (uint32_t)(time_ns >> 32));
    put_u32(&block, (uint32_t)time_ns);
    put_u32(&block, packet->kept_len);
    put_u32(&block, packet->packet_len);
    put_padded(&block, packet->bytes, packet->kept_len);
    put_option(&block, OPTION_COMMENT, packet->comment, strlen(packet->comment));
    end(&block, file);
}
