#include "resolve/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(RESOLVER_NAME_MAX == UINT8_MAX, "text_len counts every length of a name");

void message_set_text(struct message *message, const char *text)
{
    size_t len = strnlen(text, RESOLVER_NAME_MAX);
    memcpy(message->text, text, len);
    message->text[len] = '\0';
    message->text_len = (uint8_t)len;
}

static bool is_address(const struct addr *addr)
{
    static const uint8_t zeros[12];
    if (addr->family == ADDR_V4)
        return addr->scope == 0 && memcmp(addr->bytes + 4, zeros, sizeof zeros) == 0;
    return addr->family == ADDR_V6;
}

bool message_valid(const struct message *message)
{
    if (strnlen(message->text, sizeof message->text) != message->text_len)
        return false;

    switch (message->kind) {
    case MESSAGE_ASK_FORWARD:
        return message->text_len > 0 && (message->addr.family == ADDR_NONE ||
                                         message->addr.family == ADDR_V4 || message->addr.family == ADDR_V6);
    case MESSAGE_ASK_PTR:
    case MESSAGE_ADDRESS:
        return is_address(&message->addr) && message->text_len == 0;
    case MESSAGE_READY:
        return (message->status == 0) == (message->text_len == 0);
    case MESSAGE_FORWARD_END:
        return true;
    case MESSAGE_PTR:
        return message->status <= 1 && (message->status == 0 || message->text_len == 0);
    default:
        return false;
    }
}

enum message_result message_send(int fd, const struct message *message, int flags)
{
    ssize_t sent;
    do
        sent = send(fd, message, sizeof *message, flags | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);

    if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS))
        return MESSAGE_BUSY;
    return sent == (ssize_t)sizeof *message ? MESSAGE_OK : MESSAGE_CLOSED;
}

enum message_result message_receive(int fd, int flags, struct message *ret)
{
    struct message message;
    ssize_t len;
    do /* MSG_TRUNC gives the true length, so that a message that is too long shows */
        len = recv(fd, &message, sizeof message, flags | MSG_TRUNC);
    while (len < 0 && errno == EINTR);

    if (len < 0 && errno == EAGAIN)
        return MESSAGE_BUSY;
    if (len != (ssize_t)sizeof message || !message_valid(&message))
        return MESSAGE_CLOSED;
    *ret = message;
    return MESSAGE_OK;
}
