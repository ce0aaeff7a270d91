/* What is said about the options, written from their table: the help, the manual page and the completions for
 * bash. Write errors are the caller's to see. */
#pragma once

#include <stdio.h>

void option_doc_help(FILE *out);
void option_doc_manual(FILE *out); /* troff, man(7) */
void option_doc_completion(FILE *out);
