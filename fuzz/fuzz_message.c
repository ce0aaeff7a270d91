/* message_valid: what the two sides of the name process take from each other can be used without another
 * look. */
#include <string.h>

#include "fuzz.h"
#include "resolve/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message message;
    if (size != sizeof message)
        return 0;
    memcpy(&message, data, size);
    if (!message_valid(&message))
        return 0;
    char text[ADDR_TEXT_MAX];
    assert(message.kind < MESSAGE_KIND_COUNT);
    assert(strnlen(message.text, sizeof message.text) == message.text_len);
    addr_format(&message.addr, text);
    return 0;
}
