/* Elements and attributes to a file; the one place that knows libxml2. Output is ASCII: what is not becomes a
 * character reference. Failures are remembered: see xml_writer_flush(). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct xml_writer;

struct xml_writer *xml_writer_new(FILE *file);   /* NULL without memory; the file stays the caller's */
void xml_writer_free(struct xml_writer *writer); /* NULL is allowed */

void xml_open(struct xml_writer *writer, const char *name);
void xml_close(struct xml_writer *writer); /* the innermost open element; with nothing in it: <name .../> */

/* Attributes of the element just opened. The value of xml_attribute() is foreign text: it is escaped. */
void xml_attribute(struct xml_writer *writer, const char *name, const char *value);
void xml_attribute_number(struct xml_writer *writer, const char *name, int64_t value);

/* Text as it is, outside of any start tag: it ends the one that is open. For the prologue, comments and line
 * ends. */
void xml_raw(struct xml_writer *writer, const char *text);

/* Everything so far to the file. False when something is missing for want of memory, now or earlier. */
bool xml_writer_flush(struct xml_writer *writer);
