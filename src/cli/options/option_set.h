/* What each option does to struct options. Every setter fails with EX_USAGE and a line that names the option
 * and its value. */
#pragma once

#include "cli/options/option_table.h"

/* Plain fields: option->field says which, option->min and max how large. */
int set_flag(struct options *options, const struct option_use *use, struct error *err); /* bool */
int set_text(struct options *options, const struct option_use *use,
             struct error *err); /* const char *, not empty */
int set_count(struct options *options, const struct option_use *use, struct error *err);    /* unsigned */
int set_duration(struct options *options, const struct option_use *use, struct error *err); /* int64_t, ns */
int set_rate(struct options *options, const struct option_use *use, struct error *err);     /* double */
int set_level(struct options *options, const struct option_use *use,
              struct error *err); /* unsigned, counts up */

/* Lists: option->detail is the technique, or for outputs nothing. */
int set_scan(struct options *options, const struct option_use *use, struct error *err);
int set_scan_via(struct options *options, const struct option_use *use, struct error *err);
int set_ping(struct options *options, const struct option_use *use, struct error *err);
int set_output(struct options *options, const struct option_use *use, struct error *err);

/* Fields with a grammar of their own. */
int set_template(struct options *options, const struct option_use *use, struct error *err);
int set_scan_flags(struct options *options, const struct option_use *use, struct error *err);
int set_confidence(struct options *options, const struct option_use *use, struct error *err);
int set_shard(struct options *options, const struct option_use *use, struct error *err);
int set_seed(struct options *options, const struct option_use *use, struct error *err);
int set_data_hex(struct options *options, const struct option_use *use, struct error *err);
int set_data_string(struct options *options, const struct option_use *use, struct error *err);
int set_data_length(struct options *options, const struct option_use *use, struct error *err);
int set_color(struct options *options, const struct option_use *use, struct error *err);
int set_no_color(struct options *options, const struct option_use *use, struct error *err);

/* Refuses: an option of Nmap's that Portolan does not have. */
int set_absent(struct options *options, const struct option_use *use, struct error *err);
