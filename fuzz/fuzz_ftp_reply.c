/* ftp_read: replies are the same however their bytes are split, and stay within their limits. */
#include <string.h>

#include "engine/bounce/ftp_reply.h"
#include "fuzz.h"

static void check_reply(const struct ftp_reply *reply)
{
    size_t len = strnlen(reply->text, sizeof reply->text);
    assert(reply->code >= 100 && reply->code <= 599 && len < sizeof reply->text);
    for (size_t i = 0; i < len; i++)
        assert(reply->text[i] >= ' ' && reply->text[i] <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ftp_reader whole = {.len = 0}, split = {.len = 0};
    struct reader in = reader_over(data, size);
    struct ftp_reply reply, again;
    enum ftp_progress progress;
    const uint8_t *at = data;
    while ((progress = ftp_read(&whole, &in, &reply)) == FTP_REPLY) {
        check_reply(&reply);
        enum ftp_progress one = FTP_MORE;
        while (one == FTP_MORE && at < in.at) {
            struct reader byte = reader_over(at++, 1);
            one = ftp_read(&split, &byte, &again);
        }
        assert(one == FTP_REPLY && at == in.at && memcmp(&reply, &again, sizeof reply) == 0);
    }
    assert(progress == FTP_BROKEN || (reader_left(&in) == 0 && whole.len <= FTP_REPLY_MAX));
    return 0;
}
