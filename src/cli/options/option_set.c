#include "cli/options/option_set.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/time.h"
#include "cli/options/number.h"
#include "packet/tcp.h"

#define RATE_MAX_PPS 1e9

#define CONFIDENCE_TEXT_MAX 32
#define RISK_MIN            1e-12 /* what is left of 1 in a double is not exact below */
#define RISK_MAX            0.1

static void *field_of(struct options *options, const struct option_use *use)
{
    return (uint8_t *)options + use->option->field;
}

int set_flag(struct options *options, const struct option_use *use, struct error *err)
{
    (void)err;
    *(bool *)field_of(options, use) = true;
    return 0;
}

int set_text(struct options *options, const struct option_use *use, struct error *err)
{
    if (!*use->value)
        return error_set(err, EX_USAGE, "%s: the %s is empty", use->spelled, use->option->metavar);
    *(const char **)field_of(options, use) = use->value;
    return 0;
}

int set_count(struct options *options, const struct option_use *use, struct error *err)
{
    uint64_t value = 0;
    if (!number_read(use->value, use->option->min, use->option->max, &value))
        return error_set(err, EX_USAGE, "%s: '%s' is not a number from %" PRIu64 " to %" PRIu64, use->spelled,
                         use->value, use->option->min, use->option->max);
    *(unsigned *)field_of(options, use) = (unsigned)value;
    return 0;
}

int set_duration(struct options *options, const struct option_use *use, struct error *err)
{
    int64_t min_ns = (int64_t)use->option->min * MSEC;
    int64_t max_ns = (int64_t)use->option->max * MSEC;
    if (!number_read_duration(use->value, min_ns, max_ns, field_of(options, use)))
        return error_set(err, EX_USAGE,
                         "%s: '%s' is not a time from %" PRIu64 " ms to %" PRIu64
                         " s, such as 250ms, 2s, 5m, 1h",
                         use->spelled, use->value, use->option->min, use->option->max / 1000);
    return 0;
}

int set_rate(struct options *options, const struct option_use *use, struct error *err)
{
    double value = 0;
    if (!number_read_real(use->value, 0, RATE_MAX_PPS, &value) || value <= 0)
        return error_set(err, EX_USAGE, "%s: '%s' is not a rate in packets per second above 0 and up to 1e9",
                         use->spelled, use->value);
    *(double *)field_of(options, use) = value;
    return 0;
}

/* "99.99%" is a confidence; a bare number is what it leaves, the chance of a wrong state. */
int set_confidence(struct options *options, const struct option_use *use, struct error *err)
{
    char number[CONFIDENCE_TEXT_MAX];
    size_t len = strlen(use->value);
    bool is_share = len > 1 && use->value[len - 1] == '%';
    double value = 0;
    bool ok = !is_share && number_read_scientific(use->value, RISK_MIN, RISK_MAX, &value);
    if (is_share && len < sizeof number) {
        memcpy(number, use->value, len - 1);
        number[len - 1] = '\0';
        ok = number_read_real(number, 0, 100, &value);
        value = (100 - value) / 100;
        ok = ok && value >= RISK_MIN && value <= RISK_MAX;
    }
    if (!ok)
        return error_set(err, EX_USAGE,
                         "%s: '%s' is neither a chance of a wrong state from 1e-12 to 0.1 nor a confidence "
                         "such as 99.99%%",
                         use->spelled, use->value);
    options->risk = value;
    return 0;
}

int set_level(struct options *options, const struct option_use *use, struct error *err)
{
    unsigned *level = field_of(options, use);
    char letter = use->option->letters[0];
    uint64_t value = 0;
    if (!use->value) {
        value = *level + 1;
    } else if (use->value[strspn(use->value, (char[]){letter, '\0'})] == '\0') {
        value = *level + 1 + strlen(use->value);
    } else if (!number_read(use->value, 0, use->option->max, &value)) {
        return error_set(err, EX_USAGE, "%s: '%s' is not a level from 0 to %" PRIu64, use->spelled,
                         use->value, use->option->max);
    }
    *level = (unsigned)(value < use->option->max ? value : use->option->max);
    return 0;
}

int set_scan(struct options *options, const struct option_use *use, struct error *err)
{
    if (options->scan_count == OPTIONS_SCANS_MAX)
        return error_set(err, EX_USAGE, "%s: more than %d kinds of scan at once", use->spelled,
                         OPTIONS_SCANS_MAX);
    options->scan_letters[options->scan_count] = use->option->letters;
    options->scans[options->scan_count++] = use->option->detail;
    return 0;
}

int set_scan_via(struct options *options, const struct option_use *use, struct error *err)
{
    options->via = use->value;
    return set_scan(options, use, err);
}

int set_ping(struct options *options, const struct option_use *use, struct error *err)
{
    if (options->ping_count == OPTIONS_PINGS_MAX)
        return error_set(err, EX_USAGE, "%s: more than %d kinds of host discovery", use->spelled,
                         OPTIONS_PINGS_MAX);
    options->pings[options->ping_count++] =
        (struct option_ping){.technique = use->option->detail, .ports = use->value, .option = use->option};
    return 0;
}

int set_output(struct options *options, const struct option_use *use, struct error *err)
{
    if (!*use->value)
        return error_set(err, EX_USAGE, "%s: the file name is empty", use->spelled);
    if (use->value[0] == '-' && use->value[1])
        return error_set(err, EX_USAGE, "%s: '%s' looks like an option; write ./%s if it is a file",
                         use->spelled, use->value, use->value);
    if (options->output_count == OPTIONS_OUTPUTS_MAX)
        return error_set(err, EX_USAGE, "%s: more than %d output files", use->spelled, OPTIONS_OUTPUTS_MAX);
    options->outputs[options->output_count++] =
        (struct option_output){.letters = use->option->letters, .path = use->value};
    return 0;
}

int set_template(struct options *options, const struct option_use *use, struct error *err)
{
    static const char *const names[] = {"paranoid", "sneaky", "polite", "normal", "aggressive", "insane"};

    uint64_t number = 0;
    if (number_read(use->value, 0, 5, &number)) {
        options->template_number = (unsigned)number;
        return 0;
    }
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(use->value, names[i]) == 0) {
            options->template_number = i;
            return 0;
        }
    }
    return error_set(
        err, EX_USAGE,
        "%s: '%s' is no timing template: 0 to 5, or paranoid, sneaky, polite, normal, aggressive, insane",
        use->spelled, use->value);
}

/* Names of flags one after the other, as Nmap takes them: "SYNFIN", "urgpsh", and ALL and NONE for all and
 * none of them. */
static bool read_flag_names(const char *text, unsigned *ret)
{
    static const struct {
        const char *name;
        unsigned flag;
    } flags[] = {{"FIN", TCP_FIN}, {"SYN", TCP_SYN}, {"RST", TCP_RST}, {"PSH", TCP_PSH}, {"ACK", TCP_ACK},
                 {"URG", TCP_URG}, {"ECE", TCP_ECE}, {"CWR", TCP_CWR}, {"ALL", 0xff},    {"NONE", 0}};
    unsigned value = 0;
    while (*text) {
        unsigned i = 0;
        while (i < sizeof flags / sizeof flags[0] &&
               strncasecmp(text, flags[i].name, strlen(flags[i].name)) != 0)
            i++;
        if (i == sizeof flags / sizeof flags[0])
            return false;
        value |= flags[i].flag;
        text += strlen(flags[i].name);
    }
    *ret = value;
    return true;
}

int set_scan_flags(struct options *options, const struct option_use *use, struct error *err)
{
    uint64_t number = 0;
    unsigned flags = 0;
    if (number_read(use->value, 0, 255, &number))
        flags = (unsigned)number;
    else if (!*use->value || !read_flag_names(use->value, &flags))
        return error_set(
            err, EX_USAGE,
            "%s: '%s' is neither a number from 0 to 255 nor made of FIN SYN RST PSH ACK URG ECE CWR ALL NONE",
            use->spelled, use->value);
    options->scan_flags = (int)flags;
    return 0;
}

int set_shard(struct options *options, const struct option_use *use, struct error *err)
{
    const char *slash = strchr(use->value, '/');
    uint64_t index = 0;
    uint64_t count = 0;
    char first[24];
    if (slash && (size_t)(slash - use->value) < sizeof first) {
        memcpy(first, use->value, (size_t)(slash - use->value));
        first[slash - use->value] = '\0';
        if (number_read(slash + 1, 1, UINT32_MAX, &count) && number_read(first, 1, count, &index)) {
            options->shard_index = index - 1;
            options->shard_count = count;
            return 0;
        }
    }
    return error_set(err, EX_USAGE, "%s: '%s' is not I/N with I from 1 to N, such as 2/16", use->spelled,
                     use->value);
}

int set_seed(struct options *options, const struct option_use *use, struct error *err)
{
    if (!number_read(use->value, 0, UINT64_MAX, &options->seed))
        return error_set(err, EX_USAGE, "%s: '%s' is not a number below 2^64", use->spelled, use->value);
    options->seed_given = true;
    return 0;
}

/* Make room for the payload; --data, --data-string and --data-length exclude each other. */
static int reserve_data(struct options *options, const struct option_use *use, size_t len, struct error *err)
{
    if (options->data)
        return error_set(err, EX_USAGE,
                         "%s: only one of --data, --data-string and --data-length can be given",
                         use->spelled);
    if (len > OPTIONS_DATA_MAX)
        return error_set(err, EX_USAGE, "%s: more than %d bytes do not fit a packet", use->spelled,
                         OPTIONS_DATA_MAX);
    options->data = malloc(len + 1);
    if (!options->data)
        return error_set(err, EX_OSERR, "out of memory");
    options->data_len = len;
    return 0;
}

static int hex_digit(char c)
{
    uint64_t value = 0;
    return number_read((char[]){'0', 'x', c, '\0'}, 0, 15, &value) ? (int)value : -1;
}

int set_data_hex(struct options *options, const struct option_use *use, struct error *err)
{
    const char *digits = use->value;
    if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
        digits += 2;
    size_t count = strlen(digits);
    bool hex = count > 0 && count % 2 == 0;
    for (size_t i = 0; hex && i < count; i++)
        hex = hex_digit(digits[i]) >= 0;
    if (!hex)
        return error_set(err, EX_USAGE,
                         "%s: '%s' is not made of pairs of hexadecimal digits, such as 0xdeadbeef",
                         use->spelled, use->value);
    int r = reserve_data(options, use, count / 2, err);
    for (size_t i = 0; r == 0 && i < count / 2; i++)
        options->data[i] = (uint8_t)(hex_digit(digits[2 * i]) * 16 + hex_digit(digits[2 * i + 1]));
    return r;
}

int set_data_string(struct options *options, const struct option_use *use, struct error *err)
{
    size_t len = strlen(use->value);
    int r = reserve_data(options, use, len, err);
    if (r == 0)
        memcpy(options->data, use->value, len);
    return r;
}

int set_data_length(struct options *options, const struct option_use *use, struct error *err)
{
    uint64_t len = 0;
    if (!number_read(use->value, 0, OPTIONS_DATA_MAX, &len))
        return error_set(err, EX_USAGE, "%s: '%s' is not a number from 0 to %d", use->spelled, use->value,
                         OPTIONS_DATA_MAX);
    int r = reserve_data(options, use, (size_t)len, err);
    size_t filled = 0;
    while (r == 0 && filled < len) {
        ssize_t got = getrandom(options->data + filled, (size_t)len - filled, 0);
        if (got > 0)
            filled += (size_t)got;
    }
    return r;
}

int set_color(struct options *options, const struct option_use *use, struct error *err)
{
    (void)use;
    (void)err;
    options->color = COLOR_ALWAYS;
    return 0;
}

int set_no_color(struct options *options, const struct option_use *use, struct error *err)
{
    (void)use;
    (void)err;
    options->color = COLOR_NEVER;
    return 0;
}

int set_absent(struct options *options, const struct option_use *use, struct error *err)
{
    (void)options;
    return error_set(err, EX_USAGE, "%s: Portolan does not have this option of Nmap's; %s", use->spelled,
                     use->option->help);
}
