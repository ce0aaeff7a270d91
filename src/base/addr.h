/* An IPv4 or IPv6 address as a value. IPv4 is in the first four bytes, the rest zero. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum addr_family { ADDR_NONE = 0, ADDR_V4 = 4, ADDR_V6 = 6 };

struct addr {
    uint8_t family; /* enum addr_family; ADDR_NONE: no address */
    uint8_t bytes[16];
    uint32_t scope; /* interface index of a link-local IPv6 address (RFC 4007), else 0 */
};

#define ADDR_TEXT_MAX 64 /* room for any address, its zone and the terminating zero */

struct addr addr_v4(uint32_t host_order);
struct addr addr_v6(const uint8_t bytes[static 16], uint32_t scope);

/* The IPv4 address as a number; only for ADDR_V4. */
uint32_t addr_to_v4(const struct addr *addr);

/* Order: IPv4 before IPv6, then by bytes, then by scope. < 0, 0, > 0 */
int addr_compare(const struct addr *a, const struct addr *b);
bool addr_equal(const struct addr *a, const struct addr *b);

/* Bytes the family takes on the wire: 4 or 16; 0 for ADDR_NONE. */
size_t addr_len(const struct addr *addr);

/* fe80::/10: a unicast address that means another host on each link (RFC 4291 section 2.5.6). */
bool addr_is_link_local(const struct addr *addr);

/* A numeric address in text, RFC 4291 section 2.2 and dotted quad (four decimal parts, no leading zeros); an
 * IPv6 zone after '%' is an interface name or index. False when it is not one; *ret is then untouched. */
bool addr_parse(const char *text, struct addr *ret);

/* Writes the text (RFC 5952 for IPv6; "%zone" after a scoped one) and returns `text`. */
const char *addr_format(const struct addr *addr, char text[static ADDR_TEXT_MAX]);
