#include "report/xml_writer.h"

#include <inttypes.h>
#include <stdlib.h>

#include <libxml/xmlwriter.h>

#include "base/escape.h"

struct xml_writer {
    FILE *file;
    xmlTextWriterPtr out; /* owned */
    bool failed;
};

/* libxml2 would print what goes wrong to standard error. Whoever calls learns it from us. */
static void print_nothing(void *context, const char *format, ...)
{
    (void)context;
    (void)format;
}

/* Write errors stay in the FILE, where its owner looks. */
static int write_to_file(void *context, const char *bytes, int len)
{
    fwrite(bytes, 1, (size_t)len, context);
    return len;
}

struct xml_writer *xml_writer_new(FILE *file)
{
    xmlSetGenericErrorFunc(NULL, print_nothing);
    struct xml_writer *writer = calloc(1, sizeof *writer);
    xmlOutputBufferPtr buffer = writer ? xmlOutputBufferCreateIO(write_to_file, NULL, file, NULL) : NULL;
    if (buffer) {
        writer->file = file;
        writer->out = xmlNewTextWriter(buffer); /* owns the buffer from here on */
        if (!writer->out)
            xmlOutputBufferClose(buffer);
    }
    if (!writer || !writer->out) {
        free(writer);
        return NULL;
    }
    return writer;
}

void xml_writer_free(struct xml_writer *writer)
{
    if (!writer)
        return;
    xmlFreeTextWriter(writer->out);
    free(writer);
}

static const xmlChar *xml_text(const char *text)
{
    return (const xmlChar *)text;
}

static void check(struct xml_writer *writer, int written)
{
    if (written < 0)
        writer->failed = true;
}

void xml_open(struct xml_writer *writer, const char *name)
{
    check(writer, xmlTextWriterStartElement(writer->out, xml_text(name)));
}

void xml_close(struct xml_writer *writer)
{
    check(writer, xmlTextWriterEndElement(writer->out));
}

void xml_attribute(struct xml_writer *writer, const char *name, const char *value)
{
    char *escaped = escape_new(ESCAPE_XML, value);
    if (!escaped) {
        writer->failed = true;
        return;
    }
    check(writer, xmlTextWriterWriteAttribute(writer->out, xml_text(name), xml_text(escaped)));
    free(escaped);
}

void xml_attribute_number(struct xml_writer *writer, const char *name, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    check(writer, xmlTextWriterWriteAttribute(writer->out, xml_text(name), xml_text(text)));
}

void xml_raw(struct xml_writer *writer, const char *text)
{
    check(writer, xmlTextWriterWriteRaw(writer->out, xml_text(text)));
}

bool xml_writer_flush(struct xml_writer *writer)
{
    /* An error of the file shows in ferror(), which is its owner's to ask. */
    (void)xmlTextWriterFlush(writer->out);
    return !writer->failed;
}
