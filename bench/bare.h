/* What the bare loops share. */
#pragma once

/* Say what went wrong, with errno's text, and end. */
_Noreturn void bare_fail(const char *what);

/* The loops flood: they end at once where a default route leads out of the network. */
void bare_refuse_way_out(void);
