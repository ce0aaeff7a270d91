/* Reverse look-ups on the wire: the question for an address and the name in the reply (RFC 1035, RFC
 * 3596). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define PTR_QUESTION_MAX 80  /* 32 nibbles with dots, "ip6.arpa" and the terminating zero */
#define PTR_NAME_MAX     253 /* a name of 255 bytes on the wire, as text (RFC 1035 section 2.3.4) */

/* The name to ask for: "4.3.2.1.in-addr.arpa" (RFC 1035 section 3.5) or nibbles under ip6.arpa (RFC 3596
 * section 2.5). */
void ptr_question(const struct addr *addr, char ret[static PTR_QUESTION_MAX]);

/* The name that a reply gives for what it was asked, behind CNAMEs (RFC 2317). The labels are joined with
 * dots and otherwise as they came: any byte but zero may be in them. False: the reply holds no such name or
 * is malformed, or the name holds a zero byte. */
bool ptr_read(const uint8_t *reply, size_t len, char ret[static PTR_NAME_MAX + 1]);
