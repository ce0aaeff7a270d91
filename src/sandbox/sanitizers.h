/* Builds for tests are checked by sanitizers, which do what the program itself never does. */
#pragma once

#include <stdbool.h>

/* Was this program built with checks of addresses, leaks or threads? They open files, start threads and trace
 * the process. */
bool sanitizers_present(void);
