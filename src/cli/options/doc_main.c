/* Built and run by the build only: writes the manual page or the completions, so that they always are those
 * of the table. */
#include <stdio.h>
#include <string.h>

#include "cli/options/option_doc.h"

int main(int argc, char *argv[])
{
    if (argc == 2 && strcmp(argv[1], "manual") == 0)
        option_doc_manual(stdout);
    else if (argc == 2 && strcmp(argv[1], "completion") == 0)
        option_doc_completion(stdout);
    else
        return 1;
    return fflush(stdout) == 0 ? 0 : 1;
}
