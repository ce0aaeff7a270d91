#include "cli/job/via.h"

#include <string.h>

#include "cli/options/number.h"

#define HOST_MAX  (TARGET_NAME_MAX + 3) /* with brackets and the final NUL */
#define ADDRS_MAX 64

/* Copy a part; false when it is too long or holds what no command line of a protocol may. */
static bool take_part(const char *text, size_t len, char *ret, size_t capacity)
{
    if (len >= capacity)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    memcpy(ret, text, len);
    ret[len] = '\0';
    return true;
}

static int read_login(const char *text, size_t len, const struct via_rule *rule, struct via *via,
                      struct error *err)
{
    const char *colon = memchr(text, ':', len);
    size_t user_len = colon ? (size_t)(colon - text) : len;
    if (!rule->with_login)
        return error_set(err, EX_USAGE, "%s takes no user: '%s'", rule->spelled, text);
    if (user_len == 0)
        return error_set(err, EX_USAGE, "%s: there is no user before the @ in '%s'", rule->spelled, text);
    if (!take_part(text, user_len, via->user, sizeof via->user) ||
        (colon && !take_part(colon + 1, len - user_len - 1, via->password, sizeof via->password)))
        return error_set(err, EX_USAGE,
                         "%s: user and password may have %d bytes each, and no control characters",
                         rule->spelled, VIA_LOGIN_MAX - 1);
    return 0;
}

/* Where the host ends; *ret_port then is what follows the colon behind it, or NULL. An IPv6 address without
 * brackets is all of the text. */
static size_t host_len(const char *text, const char **ret_port)
{
    const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
    const char *colon = strchr(end ? end : text, ':');
    *ret_port = NULL;
    if (end && end[1] != ':')
        return strlen(text);
    if (!colon || (!end && strchr(colon + 1, ':')))
        return strlen(text);
    *ret_port = colon + 1;
    return (size_t)(colon - text);
}

static int read_host(char *host, const struct via_rule *rule, const struct target_resolver *resolver,
                     struct via *via, struct error *err)
{
    struct addr found[ADDRS_MAX];
    size_t count = 0;
    size_t len = strlen(host);
    if (host[0] == '[' && len > 1 && host[len - 1] == ']') {
        host[len - 1] = '\0';
        host++;
        if (addr_parse(host, &via->addr) && via->addr.family == ADDR_V6)
            return 0;
        return error_set(err, EX_USAGE, "%s: '[%s]' is not an IPv6 address", rule->spelled, host);
    }
    if (addr_parse(host, &via->addr))
        return 0;
    if (len == 0 || strpbrk(host, "[]:/,*"))
        return error_set(err, EX_USAGE, "%s: '%s' is not a host", rule->spelled, host);
    int r = resolver->resolve(resolver->context, host, found, ADDRS_MAX, &count, err);
    if (r < 0)
        return r;
    if (count == 0)
        return error_set(err, EX_UNAVAILABLE, "%s: '%s' has no address", rule->spelled, host);
    via->addr = found[0];
    for (size_t i = count; i-- > 0;)
        if (found[i].family == resolver->prefer)
            via->addr = found[i];
    return 0;
}

int via_read(const char *text, const struct via_rule *rule, const struct target_resolver *resolver,
             struct via *ret, struct error *err)
{
    struct via via = {.port = rule->port};
    char host[HOST_MAX];
    const char *port_text;
    uint64_t port = rule->port;
    const char *at = strrchr(text, '@');
    int r = at ? read_login(text, (size_t)(at - text), rule, &via, err) : 0;
    if (r < 0)
        return r;
    const char *rest = at ? at + 1 : text;
    size_t len = host_len(rest, &port_text);
    if (port_text && !number_read(port_text, 1, UINT16_MAX, &port))
        return error_set(err, EX_USAGE, "%s: '%s' is not a port from 1 to 65535", rule->spelled, port_text);
    if (!take_part(rest, len, host, sizeof host))
        return error_set(err, EX_USAGE, "%s: '%s' is not a host", rule->spelled, rest);
    via.port = (uint16_t)port;
    r = read_host(host, rule, resolver, &via, err);
    if (r < 0)
        return r;
    *ret = via;
    return 0;
}
