/* What the IDs of a host's packets say of how it numbers them: IPv4 identification (RFC 791), 16 bits, or the
 * ID of IPv6 fragment headers (RFC 8200 section 4.5), 32 bits. All arithmetic is modulo their size. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum ipid_class {
    IPID_INCREMENTAL, /* one counter for all its packets */
    IPID_BY_TWO,      /* the same, in steps of two */
    IPID_SWAPPED,     /* the same, its two bytes exchanged */
    IPID_PER_HOST, /* a counter for each destination: looks like one for all until somebody else's is tried */
    IPID_RANDOM,
    IPID_ZERO,
    IPID_CONSTANT,
    IPID_BUSY,   /* one counter, but it runs so fast that nothing of ours shows */
    IPID_ABSENT, /* IPv6: no fragment header, so no ID */
    IPID_SILENT, /* too few answers to tell */
    IPID_CLASS_COUNT
};

const char *ipid_class_name(enum ipid_class class);

/* Can it be a zombie? */
bool ipid_class_fits(enum ipid_class class);

/* Why a host of a class that does not fit cannot be one: half a sentence that follows "it". */
const char *ipid_class_trouble(enum ipid_class class);

/* How a counter is read. */
struct ipid_scale {
    uint32_t mask; /* of the bits that count: 0xffff or 0xffffffff */
    uint32_t step; /* from one packet to the next */
    bool swapped;  /* the bytes of the 16 bits are exchanged */
};

struct ipid_sample {
    int64_t time_ns; /* of the question */
    uint32_t id;
};

#define IPID_SAMPLES_MIN 8     /* fewer cannot be told from chance */
#define IPID_BUSY_PPS    300.0 /* more traffic of its own than this hides ours */

/* Classify a host by the IDs of its answers to questions of ours, in the order they were asked.
 *   mask       as in struct ipid_scale
 *   ret_scale, ret_pps  how to read the counter, and how many packets a second it sends to others; only for
 *              classes that fit, and IPID_BUSY
 * IPID_PER_HOST, IPID_ABSENT cannot be told from these. */
enum ipid_class ipid_classify(const struct ipid_sample *samples, unsigned count, uint32_t mask,
                              struct ipid_scale *ret_scale, double *ret_pps);

/* Packets that were sent from the one with the first ID to the one with the second; negative when it is the
 * earlier. */
int64_t ipid_distance(const struct ipid_scale *scale, uint32_t from, uint32_t to);
