#include "bare.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void bare_fail(const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
    exit(EXIT_FAILURE);
}

void bare_refuse_way_out(void)
{
    char line[256];
    FILE *routes = fopen("/proc/net/route", "re");
    if (!routes)
        bare_fail("cannot read the routes");
    while (fgets(line, sizeof line, routes)) {
        const char *destination = strchr(line, '\t'); /* behind the interface */
        if (destination && !strncmp(destination + 1, "00000000\t", 9)) {
            fprintf(stderr, "%s: runs only in a network without a default route; see bench/README.md\n",
                    program_invocation_short_name);
            exit(EXIT_FAILURE);
        }
    }
    fclose(routes);
}
