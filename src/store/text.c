#include "store/text.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"

bool text_protocol(const char *text, uint8_t *ret)
{
    for (unsigned i = 0; text && i < PROTOCOL_COUNT; i++) {
        if (strcmp(text, protocol_name((enum protocol)i)) == 0) {
            *ret = (uint8_t)i;
            return true;
        }
    }
    return false;
}

bool text_state(const char *text, uint8_t *ret)
{
    for (unsigned i = 0; text && i < PORT_STATE_COUNT; i++) {
        if (strcmp(text, state_name((enum port_state)i)) == 0) {
            *ret = (uint8_t)i;
            return true;
        }
    }
    return false;
}

bool text_reason(const char *text, uint8_t *ret)
{
    for (unsigned i = 0; text && i < REASON_COUNT; i++) {
        if (strcmp(text, reason_name((enum reason)i)) == 0) {
            *ret = (uint8_t)i;
            return true;
        }
    }
    return false;
}

bool text_confirmation(const char *text, uint8_t *ret)
{
    for (unsigned i = 0; i < CONFIRMATION_COUNT; i++) {
        if (strcmp(text ? text : "", confirmation_name((enum confirmation)i)) == 0) {
            *ret = (uint8_t)i;
            return true;
        }
    }
    return false;
}

static bool on_missing_interface(const char *text, struct addr *ret)
{
    static const struct siphash_key key = {.half = {0, 0}};
    const char *percent = strchr(text, '%');
    char bare[ADDR_TEXT_MAX];
    struct addr addr;
    size_t len = percent ? (size_t)(percent - text) : sizeof bare;
    if (len >= sizeof bare || !percent[1] || strlen(percent + 1) >= IF_NAMESIZE)
        return false;
    memcpy(bare, text, len);
    bare[len] = '\0';
    if (!addr_parse(bare, &addr) || !addr_is_link_local(&addr))
        return false;
    addr.scope =
        TEXT_SCOPE_MISSING | (uint32_t)siphash(&key, (const uint8_t *)percent + 1, strlen(percent + 1));
    *ret = addr;
    return true;
}

bool text_addr(const char *text, struct addr *ret)
{
    if (text)
        return addr_parse(text, ret) || on_missing_interface(text, ret);
    *ret = (struct addr){.family = ADDR_NONE};
    return true;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Two digits of base 16; -1: they are none. */
static int two_digits(const char *text)
{
    int high = digit(text[0]);
    int low = high < 0 ? -1 : digit(text[1]);
    return low < 0 ? -1 : high * 16 + low;
}

bool text_mac(const char *text, uint8_t ret[static 6])
{
    uint8_t mac[6];
    if (strlen(text) != 17)
        return false;
    for (unsigned i = 0; i < 6; i++) {
        int byte = two_digits(text + (size_t)3 * i);
        if (byte < 0 || (i < 5 && text[3 * i + 2] != ':'))
            return false;
        mac[i] = (uint8_t)byte;
    }
    memcpy(ret, mac, sizeof mac);
    return true;
}

void text_unescape(char *text)
{
    char *to = text;
    while (*text) {
        int byte = text[0] == '\\' && text[1] == 'x' ? two_digits(text + 2) : -1;
        if (byte > 0) {
            *to++ = (char)byte;
            text += 4;
        } else {
            *to++ = *text++;
        }
    }
    *to = '\0';
}
