#include "engine/bounce/ftp_reply.h"

#include <string.h>

#define CODE_LEN 3

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* Does the line begin with a code, which is then followed by a blank, a hyphen or nothing? */
static bool starts_with_code(const struct ftp_reader *reader, uint16_t *ret_code)
{
    const uint8_t *start = reader->start;
    if (reader->line_len < CODE_LEN || start[0] < '1' || start[0] > '5' || !is_digit(start[1]) ||
        !is_digit(start[2]))
        return false;
    if (reader->line_len > CODE_LEN && start[3] != ' ' && start[3] != '-')
        return false;
    *ret_code = (uint16_t)((start[0] - '0') * 100 + (start[1] - '0') * 10 + (start[2] - '0'));
    return true;
}

static void keep_text(struct ftp_reader *reader, uint8_t byte)
{
    if (reader->text_len < FTP_TEXT_MAX - 1)
        reader->reply.text[reader->text_len++] = byte >= ' ' && byte <= '~' ? (char)byte : '?';
}

/* The line is complete. True: so is the reply. */
static bool end_line(struct ftp_reader *reader)
{
    uint16_t code = 0;
    bool has_code = starts_with_code(reader, &code);
    bool goes_on = reader->line_len > CODE_LEN && reader->start[3] == '-';
    bool empty = reader->line_len == 0;
    reader->line_len = 0;
    if (reader->several_lines)
        return has_code && !goes_on && code == reader->reply.code;
    if (empty) {
        reader->len = 0; /* no reply has begun */
        return false;
    }
    reader->broken = !has_code;
    reader->reply.code = code;
    reader->several_lines = goes_on;
    return has_code && !goes_on;
}

/* One byte more. True: the reply is complete. */
static bool take(struct ftp_reader *reader, uint8_t byte)
{
    if (byte == '\r')
        return false;
    reader->broken = ++reader->len > FTP_REPLY_MAX;
    if (reader->broken)
        return false;
    if (byte == '\n') {
        if (reader->text_len > 0)
            keep_text(reader, ' ');
        return end_line(reader);
    }
    if (reader->line_len < sizeof reader->start)
        reader->start[reader->line_len++] = byte;
    keep_text(reader, byte);
    return false;
}

enum ftp_progress ftp_read(struct ftp_reader *reader, struct reader *in, struct ftp_reply *ret)
{
    while (!reader->broken && reader_left(in) > 0) {
        if (!take(reader, read_u8(in)))
            continue;
        *ret = reader->reply;
        *reader = (struct ftp_reader){.len = 0};
        return FTP_REPLY;
    }
    return reader->broken ? FTP_BROKEN : FTP_MORE;
}
