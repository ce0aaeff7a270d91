/* Numbers as a user writes them. Nothing is skipped and nothing is guessed: blanks, signs, trailing letters
 * and values out of range are all refused. On failure *ret is untouched. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Decimal digits; or, with a leading 0x, hexadecimal ones. */
bool number_read(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

/* Decimal digits with at most one point: "250", "0.5". */
bool number_read_real(const char *text, double min, double max, double *ret);

/* The same, with a power of ten if need be: "1e-6". */
bool number_read_scientific(const char *text, double min, double max, double *ret);

/* A real number with one of the units ms, s, m, h; without a unit, seconds. In nanoseconds. */
bool number_read_duration(const char *text, int64_t min_ns, int64_t max_ns, int64_t *ret_ns);
