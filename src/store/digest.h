/* What tells one plan from another: 128 bits over everything that decides which probe stands where in the
 * order. Two lanes of SipHash with fixed keys: against mistakes, not against forgers. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "plan/plan.h"

#define DIGEST_TEXT_MAX 33

struct digest {
    uint64_t half[2];
};

void digest_add(struct digest *digest, const void *bytes, size_t len);
void digest_add_text(struct digest *digest, const char *text);
void digest_add_plan(struct digest *digest, const struct plan *plan);

/* 32 hexadecimal digits. */
void digest_format(const struct digest *digest, char text[static DIGEST_TEXT_MAX]);
