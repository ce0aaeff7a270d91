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

/* NULL is ADDR_NONE. */
bool text_addr(const char *text, struct addr *ret);
bool text_mac(const char *text, uint8_t ret[static 6]);

/* Takes the \xNN of escaped text back to bytes, in place. */
void text_unescape(char *text);
