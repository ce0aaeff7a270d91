#include "cli/options/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

#define REAL_TEXT_MAX 32 /* longer than any number that makes sense; keeps the copy on the stack */

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 16;
}

bool number_read(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
    unsigned base = 10;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    if (!*text)
        return false;
    uint64_t value = 0;
    for (; *text; text++) {
        unsigned digit = (unsigned)digit_value(*text);
        if (digit >= base || value > (UINT64_MAX - digit) / base)
            return false;
        value = value * base + digit;
    }
    if (value < min || value > max)
        return false;
    *ret = value;
    return true;
}

/* Of a text that was found to be a number. */
static bool take_real(const char *text, double min, double max, double *ret)
{
    double value = strtod(text, NULL);
    if (!(value >= min && value <= max))
        return false;
    *ret = value;
    return true;
}

bool number_read_real(const char *text, double min, double max, double *ret)
{
    size_t digits = strspn(text, "0123456789");
    size_t len = digits;
    if (text[len] == '.') {
        size_t decimals = strspn(text + len + 1, "0123456789");
        len += 1 + decimals;
        digits += decimals;
    }
    return digits > 0 && !text[len] && take_real(text, min, max, ret);
}

bool number_read_scientific(const char *text, double min, double max, double *ret)
{
    char mantissa[REAL_TEXT_MAX];
    size_t len = strcspn(text, "eE");
    if (len >= sizeof mantissa)
        return false;
    memcpy(mantissa, text, len);
    mantissa[len] = '\0';

    double value = 0;
    const char *exponent = text + len;
    if (*exponent)
        exponent += exponent[1] == '-' || exponent[1] == '+' ? 2 : 1;
    if (!number_read_real(mantissa, 0, HUGE_VAL, &value) ||
        strspn(exponent, "0123456789") != strlen(exponent) || (text[len] && !*exponent))
        return false;
    return take_real(text, min, max, ret);
}

bool number_read_duration(const char *text, int64_t min_ns, int64_t max_ns, int64_t *ret_ns)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"", SEC}, {"ms", MSEC}, {"s", SEC}, {"m", 60 * SEC}, {"h", 3600 * SEC}};

    char number[REAL_TEXT_MAX];
    size_t len = strspn(text, "0123456789.");
    if (len >= sizeof number)
        return false;
    memcpy(number, text, len);
    number[len] = '\0';
    for (unsigned i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(text + len, units[i].name) != 0)
            continue;
        double value = 0;
        double unit = (double)units[i].ns;
        if (!number_read_real(number, (double)min_ns / unit, (double)max_ns / unit, &value))
            return false;
        *ret_ns = (int64_t)(value * unit + 0.5);
        return true;
    }
    return false;
}
