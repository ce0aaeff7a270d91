#include "sandbox/sanitizers.h"

/* There in programs that were built with these checks, whatever the compiler. */
void __asan_init(void) __attribute__((weak));
void __lsan_init(void) __attribute__((weak));
void __tsan_init(void) __attribute__((weak));

bool sanitizers_present(void)
{
    return __asan_init || __lsan_init || __tsan_init;
}
