#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *err, int status, const char *format, ...)
{
    if (err) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(err->text, sizeof err->text, format, arguments);
        va_end(arguments);
        err->status = status;
    }
    return -status;
}
