/* Back from the texts of a store. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "verdict/verdict.h"

/* False: no such name. NULL is none. */
bool text_protocol(const char *text, uint8_t *ret);
bool text_state(const char *text, uint8_t *ret);
bool text_reason(const char *text, uint8_t *ret);

/* NULL is CONFIRMATION_NONE. */
bool text_confirmation(const char *text, uint8_t *ret);

/* NULL is ADDR_NONE. A link-local address may be bound to an interface that this machine does not have: its
 * scope is then made of the interface's name, and TEXT_SCOPE_MISSING or above, where no index of an interface
 * is. */
#define TEXT_SCOPE_MISSING (UINT32_C(1) << 31)
bool text_addr(const char *text, struct addr *ret);
bool text_mac(const char *text, uint8_t ret[static 6]);

/* Takes the \xNN of escaped text back to bytes, in place. */
void text_unescape(char *text);
