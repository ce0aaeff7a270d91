/* Frames from a template: the bytes of a TCP probe are made once by its technique, and for each probe only
 * the fields that differ are put in. The checksum starts from the sum of all that stays the same (RFC 1624 is
 * not needed: nothing is taken out), so a frame costs a copy and a few additions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netio/route/netlink.h"
#include "technique/technique.h"

#define TEMPLATE_LEN_MAX 192

struct template
{
    const struct technique *technique;
    const struct link *link;
    struct addr source;
    uint8_t frame[TEMPLATE_LEN_MAX]; /* with zeros in the fields that differ */
    uint16_t len;
    bool acknowledges; /* the number is also the acknowledgement number */
    uint32_t ip_sum;   /* of the IPv4 header as it stands in `frame` */
    uint32_t tcp_sum;  /* of the segment and its pseudo-header without the destination */
};

/* What differs. */
struct template_fields {
    const uint8_t *dst; /* 4 or 16 bytes, by the family of the template's source */
    const uint8_t *mac; /* 6 bytes */
    uint16_t source_port;
    uint16_t port;
    uint32_t number;
};

/* A template for probes of this technique from `source` over `link`; ttl as in probe_packet_write. False: the
 * technique is none of TCP's, or its probe is too long. */
bool template_make(const struct technique *technique, const struct addr *source, const struct link *link,
                   uint8_t ttl, struct template *ret);

/* Write the frame, of template->len bytes. */
void template_write(const struct template *template, const struct template_fields *fields,
                    uint8_t ret_frame[static TEMPLATE_LEN_MAX]);
